"""Which container of a Pod is meant. Pure but for the announcement."""

from __future__ import annotations

import sys

from podium.kubectl.errors import CommandError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO, Any

_ANNOTATION = "kubectl.kubernetes.io/default-container"


class Chosen:
    """*guessed*: nothing said which of several containers is meant."""

    __slots__ = ("guessed", "name", "names")

    def __init__(self, name: str, names: list[str], guessed: bool) -> None:
        self.name, self.names, self.guessed = name, names, guessed

    def announce(self, file: IO[str] | None = None) -> None:
        if self.guessed:
            listed = ", ".join(self.names)
            print(f'Defaulted container "{self.name}" out of: {listed}', file=file or sys.stderr)


def default_container(pod: dict[str, Any]) -> Chosen:
    """Return the container of *pod* that commands are for."""
    spec = pod["spec"]
    names = [one["name"] for one in spec["containers"]]
    shown = list(names)
    shown += [f"{one['name']} (ephem)" for one in spec.get("ephemeralContainers") or ()]
    shown += [f"{one['name']} (init)" for one in spec.get("initContainers") or ()]
    named = (pod["metadata"].get("annotations") or {}).get(_ANNOTATION, "")
    if named in names:
        return Chosen(named, shown, False)
    return Chosen(names[0], shown, len(shown) > 1)


def named_container(pod: dict[str, Any], name: str) -> str:
    """Return *name*. Raises CommandError where *pod* has no such container."""
    if all(one["name"] != name for _, one in every_container(pod)):
        shown = ", ".join(default_container(pod).names)
        pod_name = pod["metadata"]["name"]
        raise CommandError(f"container {name} is not valid for pod {pod_name} out of: {shown}")
    return name


def chosen_container(pod: dict[str, Any], name: str, *, quiet: bool = False) -> str:
    """Return *name*, or where that is "" the container that commands are for, and say so.

    Raises CommandError where *pod* has no such container.
    """
    if name:
        return named_container(pod, name)
    chosen = default_container(pod)
    if not quiet:
        chosen.announce()
    return chosen.name


def every_container(pod: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the containers of *pod*, each after the name of the list that it is in."""
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for container in pod["spec"].get(kind) or ():
            yield kind, container


def container_status(pod: dict[str, Any], container: str) -> dict[str, Any]:
    """Return what *pod* says of one of its containers, {} where that is nothing yet."""
    status = pod.get("status") or {}
    for kind in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"):
        for one in status.get(kind) or ():
            if one["name"] == container:
                return dict(one)
    return {}
