"""``kubectl label`` and ``annotate``: almost one command with two names."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from podium.api import names
from podium.kubectl.choosing import ALL_FLAG, SELECTOR_FLAG, Chosen, choose
from podium.kubectl.command import Command, Invocation
from podium.kubectl.errors import CommandError
from podium.kubectl.files import FILENAME_FLAG, KUSTOMIZE_FLAG, given, recursive_flag, single
from podium.kubectl.flags import Flag, Kind, Values
from podium.kubectl.manifests import gathered
from podium.kubectl.patches import MERGE
from podium.kubectl.recording import ANNOTATION, RECORD_FLAG, cause, recorded
from podium.kubectl.updating import from_files
from podium.kubectl.writing import (
    DRY_RUN_FLAG,
    MANAGED_FIELDS_FLAG,
    OUTPUT_FLAGS,
    check_output,
    dry_run,
    each,
    manager_flag,
    printed,
    write_query,
)

Map = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Changes:
    """What is to become of ``metadata.<key>``; *what* is one of them."""

    what: str
    key: str
    new: dict[str, str]
    removed: Sequence[str]


def command(verb: str, what: str, key: str) -> Command:
    """Return the command *verb* for ``metadata.<key>``; *what* is one of them."""

    def run(invocation: Invocation) -> int:
        return _run(invocation, what, key)

    return Command(
        usage=f"kubectl {verb} [--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N "
        "[--resource-version=version] [options]",
        short=f"Update the {key} on a resource",
        long=f"Set, change and remove (KEY-) {key} of objects.",
        examples=f"kubectl {verb} pod web tier=front\nkubectl {verb} pod web tier-",
        run=run,
        flags=(
            FILENAME_FLAG, KUSTOMIZE_FLAG, recursive_flag(default=verb == "annotate"),
            DRY_RUN_FLAG, *OUTPUT_FLAGS, MANAGED_FIELDS_FLAG, ALL_FLAG, SELECTOR_FLAG,
            manager_flag(f"kubectl-{verb}"), RECORD_FLAG,
            Flag("all-namespaces", False, "If true, check the specified action in all namespaces.",
                 short="A", kind=Kind.BOOL),
            Flag("field-selector", usage="Selector (field query) to filter on, supports '=', '==', "
                 "and '!='.(e.g. --field-selector key1=value1,key2=value2). The server only "
                 "supports a limited number of field queries per type."),
            Flag("list", False, f"If true, display the {key} for a given resource.",
                 kind=Kind.BOOL),
            Flag("local", False, f"If true, {what} will NOT contact api-server but run locally.",
                 kind=Kind.BOOL),
            Flag("overwrite", False, f"If true, allow {key} to be overwritten, otherwise reject "
                 f"{what} updates that overwrite existing {key}.", kind=Kind.BOOL),
            Flag("resource-version", usage=f"If non-empty, the {key} update will only succeed if "
                 "this is the current resource-version for the object. Only valid when specifying "
                 "a single resource."),
        ),
    )  # fmt: skip


def _run(invocation: Invocation, what: str, key: str) -> int:
    values = invocation.values
    words, changes = _split(invocation.words, what, key)
    if not words and not given(values):
        raise CommandError("one or more resources must be specified as <resource> <name> or "
                           "<resource>/<name>")  # fmt: skip
    if not changes.new and not changes.removed and not values.list:
        raise CommandError(f"at least one {what} update is required")
    if values.list and values.output:
        raise CommandError("--list and --output may not be specified together")
    check_output(values)
    query = write_query(values, validates=False)
    found, unread = gathered(
        from_files(invocation) if values.local else choose(invocation, words, reads=True)
    )
    if values.resource_version and not _names_one(values, words) and not unread:
        raise CommandError("--resource-version may only be used with a single resource")

    def change(one: Chosen) -> None:
        obj = one.read(invocation.session)
        if not values.overwrite:
            _check_new(changes, obj)
        if values.list:
            _list(one, _changed(obj, changes), key, alone=_names_one(values, words))
            return
        here = values.local or dry_run(values) == "client"
        did = _tell(changes, obj, here=here)
        if did.startswith("not "):
            printed(invocation, one.type, obj, did, parts=values.local or what == "annotation")
            return
        if here:
            obj = recorded(invocation, _changed(obj, changes))
        else:
            obj = _patched(invocation, one, changes, query)
        printed(invocation, one.type, obj, did, parts=values.local or what == "annotation")

    return each(found, change, after=unread)


def _names_one(values: Values, words: Sequence[str]) -> bool:
    """Whether the command line is for one object, whatever there is."""
    return single(values) if given(values) else len(words) == (1 if "/" in words[0] else 2)


def _split(words: Sequence[str], what: str, key: str) -> tuple[list[str], _Changes]:
    """Return what names objects, and what is to be set and removed. Raises CommandError."""
    objects, new, removed = list[str](), dict[str, str](), list[str]()
    for word in words:
        name, equals, value = word.partition("=")
        if (equals and name) or word.endswith("-"):
            if equals and name:
                new[name] = _value(what, word, value)
            else:
                removed.append(word[:-1])
        elif new or removed:
            raise CommandError(f"all resources must be specified before {what} changes: {word}")
        else:
            objects.append(word)
    if both := [name for name in removed if name in new]:
        if what == "label":
            raise CommandError("can not both modify and remove a label in the same command")
        raise CommandError(
            "can not both modify and remove the following annotation(s) in the same command: "
            f"{', '.join(both)}"
        )
    return objects, _Changes(what, key, new, removed)


def _value(what: str, word: str, value: str) -> str:
    if what == "label":
        if "=" in value:
            raise CommandError(f"invalid label spec: {word}")
        if problems := names.label_value(value):
            # As newer clients count.
            said = re.sub(r"(no more than \d+) characters", r"\1 bytes", ";".join(problems))
            raise CommandError(f'invalid label value: "{word}": {said}')
    return value


def _check_new(changes: _Changes, obj: Map) -> None:
    """Raise CommandError where something would be overwritten."""
    there = _pairs(obj, changes.key)
    clashes = [
        f"'{name}' already has a value ({there[name]})"
        for name, value in changes.new.items()
        if name in there and there[name] != value
    ]
    if not clashes:
        return
    if changes.what == "label":
        raise CommandError(f"{clashes[0]}, and --overwrite is false")
    raise CommandError(
        f"--overwrite is false but found the following declared annotation(s): {'; '.join(clashes)}"
    )


def _tell(changes: _Changes, obj: Map, *, here: bool) -> str:
    """Return how the change of *obj* is called; say what there is not to remove, unless the change
    is made *here*, as upstream's."""
    if changes.what == "annotation":
        return "annotated"
    there = _pairs(obj, "labels")
    for name in changes.removed:
        if name not in there and not here:
            print(f'label "{name}" not found.')
    new = any(there.get(name) != value for name, value in changes.new.items())
    if new:
        return "labeled"
    return "unlabeled" if any(name in there for name in changes.removed) else "not labeled"


def _changed(obj: Map, changes: _Changes) -> Map:
    """Return *obj* with the changes made here."""
    obj = copy.deepcopy(obj)
    pairs = {**_pairs(obj, changes.key), **changes.new}
    pairs = {name: value for name, value in pairs.items() if name not in changes.removed}
    metadata = obj.setdefault("metadata", {})
    if metadata is None:
        return obj  # upstream's has no place for them, either
    metadata.pop(changes.key, None)
    if pairs:
        metadata[changes.key] = pairs
    return obj


def _pairs(obj: Map, key: str) -> Map:
    """Return the labels or annotations of an object, of a file perhaps, which need have none."""
    found: Map = (obj.get("metadata") or {}).get(key) or {}
    return found


def _patched(invocation: Invocation, one: Chosen, changes: _Changes, query: Any) -> Map:
    pairs: dict[str, str | None] = {**changes.new, **dict.fromkeys(changes.removed)}
    metadata: Map = {changes.key: pairs}
    if invocation.values.record:
        metadata.setdefault("annotations", {})[ANNOTATION] = cause(invocation)
    if invocation.values.resource_version:
        metadata["resourceVersion"] = invocation.values.resource_version
    return invocation.session.send("PATCH", one.path, query, {"metadata": metadata}, MERGE)


def _list(one: Chosen, obj: Map, key: str, *, alone: bool) -> None:
    pairs = _pairs(obj, key)
    indent = ""
    if not alone:
        print(f"Listing {key} for {one.type.kind}.{one.type.group}/{one.name}:")
        indent = " "
    for name in sorted(pairs):
        print(f"{indent}{name}={pairs[name]}")
