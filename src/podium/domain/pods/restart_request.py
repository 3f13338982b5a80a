"""Restarts that somebody asks for (``pods/restart``): which run of a container is to be replaced.

The request is kept in an annotation of the Pod, as the ID of the run that there was. The node
replaces that run, once: whatever runs after it has another ID, however often the node looks, and
whoever starts again meanwhile. A run that has ended and waits in back-off is replaced at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from podium.api.resources import is_sidecar
from podium.api.types.core_v1 import ContainerStatus, Pod
from podium.domain.pods.phase import is_terminal

#: Container IDs, as the status has them, by the names of the containers; JSON.
ANNOTATION = "podium.io/restart"


class CannotRestart(ValueError):
    """A restart that makes no sense now. ``conflict``: it might at another time."""

    def __init__(self, text: str, *, conflict: bool = False) -> None:
        super().__init__(text)
        self.conflict = conflict


def requested(pod: Pod) -> Mapping[str, str]:
    """Return the IDs of the runs that are to be replaced, by the containers' names."""
    text = pod.metadata.annotations.get(ANNOTATION)
    if not text:
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: run for name, run in found.items() if isinstance(run, str)}


def as_requested(pod: Pod, mirror: Pod) -> Pod:
    """Return the static *pod* with what is asked for by way of its *mirror*."""
    asked = mirror.metadata.annotations.get(ANNOTATION, "")
    if pod.metadata.annotations.get(ANNOTATION, "") == asked:
        return pod
    annotations = {**pod.metadata.annotations, ANNOTATION: asked}
    return replace(pod, metadata=replace(pod.metadata, annotations=annotations))


def request(pod: Pod, names: Sequence[str]) -> str:
    """Return the annotation that asks for a restart of the containers *names*; of all if empty.

    All are the regular ones and the sidecars that have run. Raises CannotRestart.
    """
    name = pod.metadata.name
    if pod.metadata.deletion_timestamp is not None:
        raise CannotRestart(f"pod {name} is being deleted", conflict=True)
    if is_terminal(pod.status.phase):
        raise CannotRestart(f"pod {name} is over ({pod.status.phase})", conflict=True)
    runs = {status.name: status.container_id for status in _statuses(pod) if status.container_id}
    for container in names:
        _check(pod, container, runs)
    wanted = {run: runs[run] for run in (names or _restartable(pod)) if run in runs}
    if not wanted:
        raise CannotRestart(f"no container of pod {name} has run yet", conflict=True)
    waiting = {one: run for one, run in requested(pod).items() if runs.get(one) == run}
    return json.dumps({**waiting, **wanted}, separators=(",", ":"), sort_keys=True)


def _check(pod: Pod, container: str, runs: Mapping[str, str]) -> None:
    name = pod.metadata.name
    if container not in _restartable(pod):
        once = [c.name for c in pod.spec.init_containers]
        once += [c.name for c in pod.spec.ephemeral_containers]
        if container in once:
            raise CannotRestart(f"container {container} of pod {name} runs only once")
        raise CannotRestart(f"container {container} is not valid for pod {name}")
    if container not in runs:
        text = f"container {container} of pod {name} has not run yet"
        raise CannotRestart(text, conflict=True)


def _restartable(pod: Pod) -> list[str]:
    sidecars = [c.name for c in pod.spec.init_containers if is_sidecar(c)]
    return [*sidecars, *(c.name for c in pod.spec.containers)]


def _statuses(pod: Pod) -> Iterable[ContainerStatus]:
    return (*pod.status.init_container_statuses, *pod.status.container_statuses)
