"""``transformers`` of the builtin kinds: what fields of kustomizations do, from files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from podium.kubectl.kustomize import patching
from podium.kubectl.kustomize.images import set_images, set_replicas
from podium.kubectl.kustomize.labelling import change_fields, label_fields
from podium.kubectl.kustomize.naming import References, set_namespace
from podium.kubectl.kustomize.objects import Item, KustomizeError
from podium.kubectl.kustomize.replacing import replace

Map = dict[str, Any]
Read = Callable[[str], bytes]


def transform(items: list[Item], said: Map, read: Read) -> None:
    """Do what a transformer's configuration says. Raises KustomizeError."""
    kind = str(said.get("kind"))
    work = _KINDS.get(kind)
    if work is None:
        raise KustomizeError(f"a transformer of the kind builtin {kind} is not served")
    work(items, said, read)


def _specs(said: Map) -> Sequence[Map]:
    specs: Sequence[Map] | None = said.get("fieldSpecs")
    if specs is None:
        name = (said.get("metadata") or {}).get("name", "")
        raise KustomizeError(
            f"plugin {said['kind']}.builtin.[noGrp]/{name}.[noNs] fails configuration: fieldSpecs "
            "is not expected to be nil"
        )
    return specs


def _renamed(items: list[Item], work: Callable[[Item], None]) -> None:
    """Do what changes names, and let others refer to the new ones."""
    changes = []
    for item in items:
        changes.append((item.id, item))
        item.remember()
        work(item)
    references = References(changes)
    for was, item in changes:
        references.follow(item, was.namespace)


def _affixed(items: list[Item], said: Map, _read: Read) -> None:
    prefix, ending = str(said.get("prefix") or ""), str(said.get("suffix") or "")
    specs = _specs(said)

    def affixed(value: Any) -> Any:
        return f"{prefix}{value}{ending}"

    _renamed(items, lambda item: change_fields(item, specs, affixed))


def _placed(items: list[Item], said: Map, _read: Read) -> None:
    namespace = str((said.get("metadata") or {}).get("namespace") or "")
    _renamed(items, lambda item: set_namespace(item, namespace))


def _labelled(items: list[Item], said: Map, _read: Read) -> None:
    for item in items:
        label_fields(item, said.get("labels") or {}, said.get("fieldSpecs") or ())


def _annotated(items: list[Item], said: Map, _read: Read) -> None:
    for item in items:
        label_fields(item, said.get("annotations") or {}, said.get("fieldSpecs") or ())


def _with_images(items: list[Item], said: Map, _read: Read) -> None:
    for item in items:
        set_images(item, [said.get("imageTag") or {}])


def _scaled(items: list[Item], said: Map, _read: Read) -> None:
    wanted = said.get("replica") or {}
    set_replicas(items, str(wanted.get("name")), int(wanted.get("count") or 0))


def _patched(items: list[Item], said: Map, read: Read) -> None:
    text = said.get("patch") or said.get("jsonOp") or read(str(said.get("path") or ""))
    patches = patching.parsed(text)
    patching.apply(items, patches, said.get("target") or {}, said.get("options") or {})


def _merged(items: list[Item], said: Map, read: Read) -> None:
    texts = [read(str(path)) for path in said.get("paths") or ()]
    for text in [*texts, *([said["patches"]] if said.get("patches") else [])]:
        patching.apply(items, patching.parsed(text), {}, {})


def _replaced(items: list[Item], said: Map, read: Read) -> None:
    replace(items, said.get("replacements") or (), read)


_KINDS: dict[str, Callable[[list[Item], Map, Read], None]] = {
    "PrefixTransformer": _affixed,
    "SuffixTransformer": _affixed,
    "NamespaceTransformer": _placed,
    "LabelTransformer": _labelled,
    "AnnotationsTransformer": _annotated,
    "ImageTagTransformer": _with_images,
    "ReplicaCountTransformer": _scaled,
    "PatchTransformer": _patched,
    "PatchJson6902Transformer": _patched,
    "PatchStrategicMergeTransformer": _merged,
    "ReplacementTransformer": _replaced,
}
