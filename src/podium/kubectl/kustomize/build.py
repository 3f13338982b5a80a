"""From a directory to its objects: bases, generators, components, and then each transformer."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from podium.kubectl.kustomize import sorting
from podium.kubectl.kustomize.generating import generate
from podium.kubectl.kustomize.images import set_images, set_replicas
from podium.kubectl.kustomize.labelling import annotate, label, label_fields
from podium.kubectl.kustomize.loading import load
from podium.kubectl.kustomize.naming import References, add_hash, add_to_name, set_namespace
from podium.kubectl.kustomize.objects import Item, KustomizeError
from podium.kubectl.kustomize.patching import UnparsedError, apply, parsed
from podium.kubectl.kustomize.reading import documents
from podium.kubectl.kustomize.replacing import replace
from podium.kubectl.kustomize.transforming import transform
from podium.kubectl.kustomize.variables import resolve
from podium.kubectl.versions import KUSTOMIZE

Map = dict[str, Any]
#: What names a repository elsewhere, unless there is a file of that name.
_REMOTE = re.compile(r"://|^git@|^(github|gitlab|bitbucket)\.(com|org)/|//|\?(ref|version)=|\.git$")
_MANAGED = "app.kubernetes.io/managed-by"


def build(name: str, *, restricted: bool = True) -> list[Map]:
    """Return the objects of the kustomization in the directory *name*. Raises KustomizeError.

    Unless *restricted*, files may lie outside the directories that name them.
    """
    directory = Path(name).resolve()
    if not directory.exists():
        shown = Path.cwd() / name
        raise KustomizeError(
            f"must build at directory: not a valid directory: evalsymlink failure on '{name}' : "
            f"lstat {shown}: no such file or directory"
        )
    if not directory.is_dir():
        raise KustomizeError(f"must build at directory: '{name}': file is not directory")
    level = _Level(directory, (), restricted)
    items = level.build([])
    changes = []
    for item in items:
        changes.append((item.id, item))
        if item.hashed:
            item.remember()
            add_hash(item)
    references = References(changes)
    for was, item in changes:
        references.follow(item, was.namespace)
    resolve(items, level.variables)
    return [item.obj for item in sorting.ordered(items, level.sort_options)]


class _Level:
    """One directory; *above* are those that lead to it."""

    def __init__(self, directory: Path, above: tuple[Path, ...], restricted: bool) -> None:
        if directory in above:
            raise KustomizeError(f"cycle detected: candidate root '{directory}' is its own base")
        self._directory, self._above = directory, (*above, directory)
        self._restricted = restricted
        #: Those of the directories that this one leads to come first.
        self.variables: list[Map] = []
        self._said = load(directory)

    @property
    def sort_options(self) -> Map:
        found: Map = self._said.get("sortOptions") or {}
        return found

    def build(self, items: list[Item]) -> list[Item]:
        """Return *items* with what this directory adds, all as it says."""
        said = self._said
        for entry in [*(said.get("resources") or ()), *(said.get("bases") or ())]:
            self._add(items, entry or "")
        common = said.get("generatorOptions") or {}
        for field, kind in (("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")):
            for one in said.get(field) or ():
                generate(items, kind, one, common, self._read)
        for entry in said.get("components") or ():
            if not entry:
                why = 'loader.New "new root cannot be empty"'
                raise KustomizeError(f"accumulating components: {why}")
            level = _Level(self._path(entry), self._above, self._restricted)
            if level._said.get("kind") != "Component":
                raise KustomizeError(f"accumulating components: '{entry}' is no Component")
            items = level.build(items)
            self.variables += level.variables
        self._generate(items)
        self._patch(items)
        self._rename(items)
        self._decorate(items)
        self._transform(items)
        if self._said.get("replacements"):
            replace(items, self._said["replacements"], self._read)
        self.variables += self._said.get("vars") or ()
        if "managedByLabel" in (self._said.get("buildMetadata") or ()) and not self._above[:-1]:
            for item in items:
                label(item, {_MANAGED: f"kustomize-{KUSTOMIZE}"}, selectors=False, templates=False)
        return items

    def _generate(self, items: list[Item]) -> None:
        """Add what generators make that have files of their own."""
        for said in self._configured("generators"):
            kind = str(said.get("kind")).removesuffix("Generator")
            if kind not in ("ConfigMap", "Secret"):
                raise _unserved("generator", said)
            metadata = said.get("metadata") or {}
            named = {"name": metadata.get("name"), "namespace": metadata.get("namespace")}
            generate(items, kind, {**said, **named}, {}, self._read)

    def _transform(self, items: list[Item]) -> None:
        for said in self._configured("transformers"):
            transform(items, said, self._read)

    def _configured(self, field: str) -> Iterator[Map]:
        """Yield the configurations in the files that a field names."""
        for entry in filter(None, self._said.get(field) or ()):
            inline = "\n" in entry or entry.lstrip().startswith("{")
            path = None if inline else self._path(entry)
            if path is not None and path.is_dir():
                level = _Level(path, self._above, self._restricted)
                yield from (item.obj for item in level.build([]))
                continue
            for document in documents(entry if inline else self._read(entry)):
                if not isinstance(document, dict):
                    loading = "loading generator plugins: " * (field == "generators")
                    wrong = self._unaccumulated(entry, "missing Resource metadata")
                    raise KustomizeError(f"{loading}{wrong}")
                if document.get("apiVersion") != "builtin":
                    raise _unserved(field.removesuffix("s"), document)
                yield document

    # -- reading

    def _path(self, name: str) -> Path:
        path = (self._directory / name).resolve()
        if not path.exists():
            shown = self._directory / name
            wrong = f"evalsymlink failure on '{shown}' : lstat {shown}: no such file or directory"
            raise KustomizeError(
                f"accumulating resources: accumulation err='accumulating resources from '{name}': "
                f"{wrong}': must build at directory: not a valid directory: {wrong}"
            )
        return path

    def _read(self, name: str) -> bytes:
        """Return a file's bytes; where that is restricted, of this directory alone."""
        path = (self._directory / name).resolve()
        if self._restricted and not path.is_relative_to(self._directory):
            raise KustomizeError(f"security; file '{path}' is not in or below '{self._directory}'")
        try:
            return path.read_bytes()
        except OSError as exc:
            shown = self._directory / name
            raise KustomizeError(
                f"evalsymlink failure on '{shown}' : lstat {shown}: no such file or directory"
            ) from exc

    def _add(self, items: list[Item], entry: str) -> None:
        if not entry:
            raise KustomizeError(
                "accumulating resources: accumulation err='accumulating resources from '': "
                f"'{self._directory}' must resolve to a file': new root cannot be empty"
            )
        if entry.startswith(("http://", "https://")) and entry.endswith((".yaml", ".yml", ".json")):
            text = _fetched(entry)
        elif _REMOTE.search(entry) and not (self._directory / entry).exists():
            raise KustomizeError(f"remote kustomizations are not served: {entry}")
        else:
            path = self._path(entry)
            if path.is_dir():
                level = _Level(path, self._above, self._restricted)
                self._merge(items, level.build([]), entry)
                self.variables += level.variables
                return
            try:
                text = self._read(entry)
            except KustomizeError as exc:
                raise KustomizeError(
                    f"accumulating resources: accumulation err='accumulating resources from "
                    f"'{entry}': {exc}': must build at directory: '{path}': file is not directory"
                ) from exc
        self._merge(items, list(map(Item, self._objects(text, entry))), entry)

    def _objects(self, text: bytes, entry: str) -> list[Any]:
        """Return the objects of a file, each with a kind and a name. Raises KustomizeError."""
        try:
            read = documents(text)
        except KustomizeError as exc:
            raise KustomizeError(
                f"accumulating resources: accumulating resources from '{entry}': "
                f"MalformedYAMLError: {exc} in File: {entry}"
            ) from exc
        found = [obj for document in read for obj in _objects(document)]
        for obj in found:
            if wrong := _unnamed(obj):
                raise KustomizeError(f"accumulating resources: {self._unaccumulated(entry, wrong)}")
        return found

    def _unaccumulated(self, entry: str, why: str) -> str:
        return (
            f"accumulation err='accumulating resources from '{entry}': {why}': must build at "
            f"directory: '{self._directory / entry}': file is not directory"
        )

    def _merge(self, items: list[Item], found: list[Item], entry: str) -> None:
        for item in found:
            if any(one.id == item.id for one in items):
                place = self._directory / entry
                raise KustomizeError(
                    f"accumulating resources: accumulation err='merging resources from '{entry}': "
                    f"may not add resource with an already registered id: {item.id}': must build "
                    f"at directory: '{place}': file is not directory"
                )
            items.append(item)

    # -- transforming, in kustomize's order

    def _patch(self, items: list[Item]) -> None:
        for entry in self._said.get("patchesStrategicMerge") or ():
            inline = "\n" in entry or entry.lstrip().startswith("{")
            apply(items, parsed(entry if inline else self._read(entry)), {}, {})
        for one in self._said.get("patches") or ():
            target = one.get("target") or {}
            apply(items, self._documents(one, named=not target), target, one.get("options") or {})

    def _documents(self, one: Map, *, named: bool) -> list[Any]:
        """Return what a patch says; it is to be *named* where it has no target."""
        from podium.kubectl.printing.yaml_text import dump

        path, text = one.get("path"), one.get("patch")
        config = dump(one).rstrip()
        try:
            if path and text:
                wrong = f"patch and path can't be set at the same time\n{config}"
            elif not path and not text:
                wrong = f"must specify one of patch and path in\n{config}"
            else:
                return parsed(text or self._read(str(path)), named=named)
        except UnparsedError:
            which = "patch" if text else "path"
            shown = json.dumps(one[which], ensure_ascii=False)
            wrong = f"unable to parse SM or JSON patch from [{which}: {shown}]"
        except KustomizeError as exc:
            wrong = f"failed to get the patch file from path({path}): {exc}"
        raise KustomizeError(
            f"trouble configuring builtin PatchTransformer with config: `\n{config}\n`: {wrong}"
        )

    def _rename(self, items: list[Item]) -> None:
        said, changes = self._said, []
        prefix, ending = str(said.get("namePrefix") or ""), str(said.get("nameSuffix") or "")
        for item in items:
            was = item.id
            changes.append((was, item))
            item.remember()
            if said.get("namespace"):
                set_namespace(item, str(said["namespace"]))
            add_to_name(item, prefix, ending)
        _check_ids(items)
        references = References(changes)
        for was, item in changes:
            references.follow(item, was.namespace)

    def _decorate(self, items: list[Item]) -> None:
        said = self._said
        for item in items:
            for one in said.get("labels") or ():
                if not one.get("pairs"):
                    continue
                label(
                    item, one["pairs"], selectors=bool(one.get("includeSelectors")),
                    templates=bool(one.get("includeTemplates")),
                )  # fmt: skip
                label_fields(item, one["pairs"], one.get("fields") or ())
            if said.get("commonLabels"):
                label(item, said["commonLabels"], selectors=True, templates=True)
            if said.get("commonAnnotations"):
                annotate(item, said["commonAnnotations"])
        for one in said.get("patchesJson6902") or ():
            text = one.get("patch") or self._read(one.get("path") or "")
            apply(items, parsed(text), one.get("target") or {}, {})
        for one in said.get("replicas") or ():
            set_replicas(items, one.get("name") or "", int(one.get("count") or 0))
        images = [*(said.get("images") or ()), *(said.get("imageTags") or ())]
        for item in items:
            set_images(item, images)


def _unserved(what: str, said: Map) -> KustomizeError:
    kind = f"{said.get('apiVersion', '')} {said.get('kind', '')}"
    return KustomizeError(f"a {what} of the kind {kind} is not served")


def _unnamed(obj: Any) -> str:
    """Return what an object lacks that is to have a kind and a name, "" for nothing."""
    if not isinstance(obj, dict) or not obj.get("metadata"):
        return "missing Resource metadata"
    metadata = obj["metadata"] if isinstance(obj["metadata"], dict) else {}
    kind, missing = obj.get("kind"), ""
    if not isinstance(kind, str) or not kind:
        kind, missing = "", "kind"
    elif not metadata.get("name"):
        missing = "metadata.name"
    names = f"{metadata.get('name') or ''} {metadata.get('namespace') or ''}"
    what = f"{{{obj.get('apiVersion', '')} {kind}}}"
    return missing and f"missing {missing} in object {{{what} {{{{{names}}} map[] map[]}}}}"


def _check_ids(items: list[Item]) -> None:
    """Raise KustomizeError where two objects have come to be called the same."""
    seen = set()
    for item in items:
        if item.id in seen:
            raise KustomizeError(f"namespace transformation produces ID conflict: {item.id}")
        seen.add(item.id)


def _objects(document: Any) -> list[Any]:
    """Return the objects of a document: itself, or what its list has."""
    if isinstance(document, dict) and str(document.get("kind", "")).endswith("List"):
        listed = document.get("items")
        return list(listed) if isinstance(listed, list) else [document]
    return [document]


def _fetched(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url) as answer:
            text: bytes = answer.read()
    except (OSError, urllib.error.URLError) as exc:
        raise KustomizeError(f"accumulating resources from '{url}': {exc}") from exc
    return text
