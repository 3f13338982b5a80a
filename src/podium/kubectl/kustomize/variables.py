"""``vars`` of kustomizations: ``$(NAME)`` in the places that may refer to fields of others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from podium.kubectl.kustomize.field_paths import get
from podium.kubectl.kustomize.fields import holders, pod_spec
from podium.kubectl.kustomize.objects import Id, Item, KustomizeError
from podium.kubectl.writing import log_warning

Map = dict[str, Any]
_REFERENCE = re.compile(r"\$(\$|\(([-A-Za-z0-9_.]+)\))")
#: Of each container, of each Pod and of other kinds, where variables are looked for.
_CONTAINER = (
    "args",
    "command",
    "env[]/value",
    "volumeMounts[]/mountPath",
    "volumeMounts[]/subPath",
)
_POD = ("volumes[]/nfs/server", "volumes[]/nfs/path")
_OTHERS = {
    "Ingress": ("spec/rules[]/host", "spec/tls[]/hosts", "spec/tls[]/secretName"),
    "Service": ("spec/ports[]/port",),
    "PersistentVolume": ("spec/nfs/server", "spec/nfs/path"),
    "StatefulSet": ("spec/volumeClaimTemplates[]/spec/nfs/server",),
}
_ALL = ("metadata/labels", "metadata/annotations")


def resolve(items: Sequence[Item], said: Iterable[Map]) -> None:
    """Put the values of variables into the objects. Raises KustomizeError."""
    values: dict[str, Any] = {}
    for one in said:
        name = one.get("name") or ""
        if name in values:
            raise KustomizeError(f"var '{name}' already encountered")
        values[name] = _value(items, one)
    used: set[str] = set()

    def expanded(value: Any) -> Any:
        return _expanded(value, values, used)

    for item in items if values else ():
        for path in (*_ALL, *_OTHERS.get(item.kind, ())):
            _change(item.obj, path, expanded)
        spec = pod_spec(item.obj) or {}
        for kind in ("containers", "initContainers"):
            for path in _CONTAINER:
                _change(spec, f"{kind}[]/{path}", expanded)
        for path in _POD:
            _change(spec, path, expanded)
    unused = [name for name in values if name not in used]
    if unused:
        text = f"well-defined vars that were never replaced: {','.join(unused)}"
        log_warning("log.go:244", text, level="I")


def _change(obj: Map, path: str, work: Callable[[Any], Any]) -> None:
    for holder, name in list(holders(obj, path)):
        holder[name] = work(holder[name])


def _value(items: Sequence[Item], said: Map) -> Any:
    wanted = said.get("objref") or {}
    group, _, version = str(wanted.get("apiVersion") or "").rpartition("/")
    path = (said.get("fieldref") or {}).get("fieldPath") or "metadata.name"
    kind = f"{wanted.get('kind') or '[noKind]'}.{version or '[noVer]'}.{group or '[noGrp]'}"
    shown = f"{{{said.get('name') or ''} {kind} {{{path}}}}}"

    def fits(found: Id) -> bool:
        namespace = wanted.get("namespace")
        of_version = (found.group, found.version) == (group, version)
        of_kind = of_version and found.kind == wanted.get("kind")
        in_place = not namespace or found.namespace == namespace
        return of_kind and in_place and found.name == wanted.get("name")

    found = [item for item in items if any(fits(one) for one in item.ids)]
    if not found:
        raise KustomizeError(
            f"var '{shown}' cannot be mapped to a field in the set of known resources"
        )
    if len(found) > 1:
        raise KustomizeError(
            f"found {len(found)} resId matches for var {shown} (unable to disambiguate)"
        )
    value = get(found[0].obj, re.sub(r"\[(\d+)\]", r".\1", path))
    if value is None:
        raise KustomizeError(
            f"field specified in var '{shown}' not found in corresponding resource"
        )
    return value


def _expanded(value: Any, values: Map, used: set[str]) -> Any:
    """Return a text, or the texts of a list or map, with what variables stand for."""
    if isinstance(value, list):
        return [_expanded(item, values, used) for item in value]
    if isinstance(value, dict):
        return {name: _expanded(item, values, used) for name, item in value.items()}
    if not isinstance(value, str):
        return value
    whole = _REFERENCE.fullmatch(value)
    if whole and whole[2] in values:  # alone it keeps its type
        used.add(whole[2])
        return values[whole[2]]

    def one(found: re.Match[str]) -> str:
        if found[1] == "$":
            return "$"
        if found[2] not in values:
            return found[0]
        used.add(found[2])
        return str(values[found[2]])

    return _REFERENCE.sub(one, value)
