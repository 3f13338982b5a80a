"""Images by other names, tags and digests; numbers of replicas. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from podium.kubectl.kustomize.fields import change
from podium.kubectl.kustomize.objects import Item, KustomizeError

Map = dict[str, Any]
_FIELDS = tuple(
    f"{spec}/{path}"
    for spec in ("spec", "spec/template/spec")
    for path in ("containers[]/image", "initContainers[]/image", "volumes[]/image/reference")
)
_SCALED = ("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController")


def set_images(item: Item, wanted: Sequence[Mapping[str, Any]]) -> None:
    """Rename images in lists of containers, and then where images usually are: as upstream's goes
    over them twice, so does a suffix of the tag get there twice."""
    for one in wanted:
        rename = partial(_renamed, wanted=one)
        for container in _containers(item.obj):
            change(container, "image", rename)
        for path in _FIELDS:
            change(item.obj, path, rename)


def _renamed(image: Any, wanted: Mapping[str, Any]) -> Any:
    return renamed(image, wanted) if isinstance(image, str) else image


def _containers(value: Any) -> Iterator[Map]:
    """Yield what lists of containers hold, wherever they are."""
    if isinstance(value, list):
        for item in value:
            yield from _containers(item)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name in ("containers", "initContainers") and isinstance(inner, list):
                yield from (one for one in inner if isinstance(one, dict))
            else:
                yield from _containers(inner)


def renamed(image: str, wanted: Mapping[str, Any]) -> str:
    """Return *image* by the rule *wanted*, as it is where the rule is about another."""
    plain, at, digest = image.partition("@")
    place = plain.rfind(":")
    name, tag = (plain[:place], plain[place:]) if place > plain.rfind("/") else (plain, "")
    if name != wanted.get("name"):
        return image
    rest = f"{tag}{at}{digest}"
    new_tag, new_digest = wanted.get("newTag") or "", wanted.get("digest") or ""
    if new_tag or new_digest:
        rest = (f":{new_tag}" if new_tag else "") + (f"@{new_digest}" if new_digest else "")
    elif wanted.get("tagSuffix"):
        rest = f"{tag or ':'}{wanted['tagSuffix']}"
    return f"{wanted.get('newName') or name}{rest}"


def set_replicas(items: Sequence[Item], name: str, count: int) -> None:
    """Set the number of replicas of what is or was called *name*. Raises KustomizeError."""
    found = [
        item for item in items if item.kind in _SCALED and any(one.name == name for one in item.ids)
    ]
    if not found:
        kinds = " ".join(f"{kind}.[noVer].[noGrp]" for kind in _SCALED)
        raise KustomizeError(
            f"resource with name {name} does not match a config with the following GVK [{kinds}]"
        )
    for item in found:
        change(item.obj, "spec/replicas", lambda _old: count, create=True)
