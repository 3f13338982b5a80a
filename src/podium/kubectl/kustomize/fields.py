"""Fields of objects by their paths: ``spec/selector/matchLabels``, ``containers[]/image``. Pure.

``[]`` behind a name means each item of a list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

Map = dict[str, Any]


def holders(obj: Map, path: str, *, create: bool = False) -> Iterator[tuple[Map, str]]:
    """Yield each map that has (or with *create* gets) the last name of *path*, and that name."""
    first, slash, rest = path.partition("/")
    if not slash:
        if create or first in obj:
            yield obj, first
        return
    name = first.removesuffix("[]")
    inner = obj.get(name)
    if first.endswith("[]"):
        for item in inner if isinstance(inner, list) else ():
            if isinstance(item, dict):
                yield from holders(item, rest, create=create)
        return
    if inner is None and create:
        inner = obj[name] = {}
    if isinstance(inner, dict):
        yield from holders(inner, rest, create=create)


def maps(value: Any) -> list[Map]:
    """Return the maps of what may be a list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def change(obj: Map, path: str, work: Callable[[Any], Any], *, create: bool = False) -> None:
    """Put what *work* makes of each value at *path* in its place."""
    for holder, name in list(holders(obj, path, create=create)):
        holder[name] = work(holder.get(name))


#: Where kinds that make Pods have the template of them.
TEMPLATES = {
    **dict.fromkeys(
        ("DaemonSet", "Deployment", "Job", "ReplicaSet", "ReplicationController", "StatefulSet"),
        "spec/template",
    ),
    "CronJob": "spec/jobTemplate/spec/template",
}


def pod_spec(obj: Map) -> Map | None:
    """Return the specification of Pods in an object, if there is one."""
    found: Any = obj
    kind = str(obj.get("kind", ""))
    path = "spec" if kind == "Pod" else f"{TEMPLATES[kind]}/spec" if kind in TEMPLATES else ""
    if not path:
        return None
    for name in path.split("/"):
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else None
