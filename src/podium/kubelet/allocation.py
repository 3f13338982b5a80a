"""The resources that a Pod runs with: granted on admission, kept on disk, changed by resizes.

What of them is decided is in ``podium.domain.pods.allocation``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from podium.api.types.core_v1 import Pod, ResourceRequirements
from podium.domain.pods.allocation import (
    Allocation,
    ResizePending,
    Room,
    allocation_of,
    decide,
    granted,
    reported_allocation,
)
from podium.domain.pods.cgroups import effective
from podium.domain.pods.resize import changed, resizable
from podium.kit.files import write_atomic

FILE = "allocation.json"


class _Kept(Allocation, frozen=True):
    """The file: what is granted, and what :attr:`PodAllocation.behind` says."""

    behind: Mapping[str, ResourceRequirements] = msgspec.field(default_factory=dict)


class PodAllocation:
    """Tells, of each version of one Pod, what is to be run of it.

    The file makes sure that a kubelet that starts again takes what containers run with for
    granted, and not what is asked for by then.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE
        self._allocation: Allocation | None = None
        #: What containers that have started still have, limits of the Pod as a whole included,
        #: where they were granted something else.
        self.behind: dict[str, ResourceRequirements] = {}
        #: Why what is run is not what was last considered; None when it is.
        self.pending: ResizePending | None = None

    def granted(self, pod: Pod) -> Pod:
        """Return *pod* as it is to be run; until it was admitted or adopted, as it is."""
        return pod if self._allocation is None else granted(pod, self._allocation)

    def admit(self, pod: Pod) -> None:
        """Grant what *pod* asks for. Raises OSError."""
        self._keep(allocation_of(pod), {})

    def adopt(self, pod: Pod) -> None:
        """Take over a Pod that runs already. Raises OSError."""
        try:
            kept = msgspec.json.decode(self._path.read_bytes(), type=_Kept)
        except (FileNotFoundError, msgspec.MsgspecError):  # none was kept, or nothing of use
            self._keep(reported_allocation(pod), {})
        else:
            self._allocation = Allocation(kept.containers, kept.pod)
            self.behind = dict(kept.behind)

    def consider(self, pod: Pod, room: Callable[[], Room]) -> bool:
        """Decide about what *pod* asks for by now; tell whether that is granted just now.

        *room* is asked for only where there is something to decide. Raises OSError.
        """
        before = self._allocation
        if before is None:
            return False
        asked = allocation_of(pod)
        if asked == before:
            self.pending = None
            return False
        self.pending = decide(pod, room())
        if self.pending is not None:
            return False
        had = {name: effective(has, before.pod) for name, has in before.containers.items()}
        self._keep(asked, _behind(pod, {**had, **self.behind}))
        return True

    def caught_up(self, name: str) -> None:
        """The container *name* has what it was granted. Raises OSError."""
        if name in self.behind:
            rest = {key: value for key, value in self.behind.items() if key != name}
            assert self._allocation is not None, "only an allocation can be lagged behind"
            self._keep(self._allocation, rest)

    def _keep(self, allocation: Allocation, behind: dict[str, ResourceRequirements]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        kept = _Kept(allocation.containers, allocation.pod, behind)
        write_atomic(self._path, msgspec.json.encode(kept), sync=False)
        self._allocation, self.behind = allocation, behind


def _behind(pod: Pod, had: Mapping[str, ResourceRequirements]) -> dict[str, ResourceRequirements]:
    """What containers *had* whose CPU or memory are to be others by now."""
    return {
        container.name: had[container.name]
        for container in resizable(pod)
        if container.name in had
        and changed(had[container.name], effective(container.resources, pod.spec.resources))
    }
