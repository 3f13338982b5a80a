"""The resources that a Pod runs with: granted on admission, kept on disk, changed by resizes.

What of them is decided is in ``podium.domain.pods.allocation``.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from podium.api.types.core_v1 import Pod
from podium.domain.pods.allocation import (
    Allocation,
    ResizePending,
    allocation_of,
    decide,
    granted,
    reported_allocation,
)
from podium.kit.files import write_atomic

FILE = "allocation.json"


class PodAllocation:
    """Tells, of each version of one Pod, what is to be run of it.

    The file makes sure that a kubelet that starts again takes what containers run with for
    granted, and not what is asked for by then.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE
        self._allocation: Allocation | None = None
        #: Why what is run is not what was last considered; None when it is.
        self.pending: ResizePending | None = None

    def granted(self, pod: Pod) -> Pod:
        """Return *pod* as it is to be run; until it was admitted or adopted, as it is."""
        return pod if self._allocation is None else granted(pod, self._allocation)

    def admit(self, pod: Pod) -> None:
        """Grant what *pod* asks for. Raises OSError."""
        self._keep(allocation_of(pod))

    def adopt(self, pod: Pod) -> None:
        """Take over a Pod that runs already. Raises OSError."""
        try:
            self._allocation = msgspec.json.decode(self._path.read_bytes(), type=Allocation)
        except (FileNotFoundError, msgspec.MsgspecError):  # none was kept, or nothing of use
            self._keep(reported_allocation(pod))

    def consider(self, pod: Pod) -> None:
        """Decide about the resources that *pod* asks for by now. Raises OSError."""
        if self._allocation is None:
            return
        decision = decide(pod, self._allocation)
        if isinstance(decision, ResizePending):
            self.pending = decision
            return
        self.pending = None
        if decision != self._allocation:
            self._keep(decision)

    def _keep(self, allocation: Allocation) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        write_atomic(self._path, msgspec.json.encode(allocation), sync=False)
        self._allocation = allocation
