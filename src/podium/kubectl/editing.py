"""What happens to objects in an editor: the file, and again with what was wrong, until it is right.

What is done with an object that was changed is the command's.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from podium.api import yaml_json
from podium.kubectl.discovery import Discovery, ResourceType
from podium.kubectl.editor import edited
from podium.kubectl.errors import CommandError, Failed, StatusError
from podium.kubectl.writing import as_text

Map = dict[str, Any]

HEADER = """\
# Please edit the object below. Lines beginning with a '#' will be ignored,
# and an empty file will abort the edit. If an error occurs while saving this file will be
# reopened with the relevant failures.
#
"""


@dataclass(frozen=True, slots=True)
class Item:
    """An object that is edited."""

    type: ResourceType
    namespace: str
    name: str
    obj: Map


#: What is done with an object and what the editor made of it. Raises CommandError.
Change = Callable[[Item, Map], None]


@dataclass(slots=True)
class Outcome:
    """What became of one round."""

    #: Each a heading and details, for the head of the next round's file.
    reasons: list[tuple[str, list[str]]] = field(default_factory=list)
    invalid: bool = False
    retryable: bool = False
    missing: bool = False


class _Invalid(Exception):
    """The text stands for no objects."""


def edit(
    items: Sequence[Item], change: Change, discovery: Discovery, output: str, header: str
) -> None:
    """Let somebody edit *items*, and *change* what was changed. Raises CommandError."""
    as_json = output == "json"
    original = _text_of(items, "json" if as_json else "yaml")
    text, outcome, path = original, Outcome(), None
    again = False
    while True:
        shown = text if as_json else header + _explained(outcome) + text
        before = text
        content, new_path = edited(shown, ".json" if as_json else ".yaml")
        if path is not None:
            path.unlink(missing_ok=True)
        if again and _same(before, content):
            _tell_of_copy(new_path)
            raise CommandError("Edit cancelled, no valid changes were saved.")
        path, outcome = new_path, Outcome()
        if _same(content, original):
            path.unlink(missing_ok=True)
            print("Edit cancelled, no changes made.", file=sys.stderr)
            return
        try:
            documents = _parsed(content, discovery)
        except _Invalid as exc:
            what = f'{items[0].type.qualified} "{items[0].name}"'
            outcome.reasons.append((f"{what} was not valid", [
                f'<nil>: Invalid value: "The edited file failed validation": {exc}']))  # fmt: skip
            print(f"error: {what} is invalid", file=sys.stderr)
        else:
            if _is_empty(content):
                path.unlink(missing_ok=True)
                return
            _change_all(items, documents, change, discovery, outcome, path)
            if not outcome.reasons:
                path.unlink(missing_ok=True)
                return
        again, text = True, _without_comments(content)


def _is_empty(content: str) -> bool:
    if not any(line.strip() and not line.strip().startswith("#") for line in content.splitlines()):
        print("Edit cancelled, saved file was empty.", file=sys.stderr)
        return True
    return False


def _change_all(
    items: Sequence[Item],
    documents: Sequence[Map],
    change: Change,
    discovery: Discovery,
    outcome: Outcome,
    path: Path,
) -> None:
    try:
        for document in documents:
            discovery.kind(str(document.get("apiVersion")), str(document.get("kind")))
            if not isinstance(document.get("metadata"), dict):
                raise CommandError("metadata is no object")
    except CommandError as exc:
        outcome.reasons.append((f"The edited file had a syntax error: {exc}", []))
        return
    try:
        for document in documents:
            item = _original(items, document)
            try:
                change(item, document)
            except StatusError as error:
                _take(outcome, item, error)
    except CommandError:
        _tell_of_copy(path)
        raise
    if outcome.retryable:
        print(f"You can run `kubectl replace -f {path}` to try this update again.",
              file=sys.stderr)  # fmt: skip
        raise Failed
    if outcome.missing:
        print(f'The edits you made on deleted resources have been saved to "{path}"',
              file=sys.stderr)  # fmt: skip
        raise Failed


def _original(items: Sequence[Item], document: Map) -> Item:
    """Return the item that a document was: that of its uid, or where there is none of its name."""
    metadata = document["metadata"]
    for item in items:
        uid = item.obj["metadata"].get("uid")
        if uid == metadata.get("uid") and (uid or item.name == metadata.get("name")):
            return item
    from podium.kubectl.printing.jsonpath import go_syntax

    shown = f"&unstructured.Unstructured{{Object:{go_syntax(document)}}}"
    raise CommandError(f"no original object found for {shown}")


def _take(outcome: Outcome, item: Item, error: StatusError) -> None:
    what = f'{item.type.qualified} "{item.name}"'
    if error.reason == "Invalid":
        causes = (error.status.get("details") or {}).get("causes") or ()
        details = [f"{cause.get('field', '')}: {cause.get('message', '')}" for cause in causes]
        outcome.reasons.append((f"{what} was not valid", details))
        text = "is invalid"
    elif error.code == 404:
        outcome.missing = True
        text = "could not be found on the server"
    else:
        outcome.retryable = True
        text = f"could not be patched: {error}"
    print(f"error: {what} {text}", file=sys.stderr)


def _tell_of_copy(path: Path) -> None:
    print(f'A copy of your changes has been stored to "{path}"', file=sys.stderr)


# -- texts


def _text_of(items: Sequence[Item], output: str) -> str:
    if len(items) == 1:
        return as_text(bare(items[0].obj), output)
    listed = {"apiVersion": "v1", "kind": "List", "metadata": {},
              "items": [bare(item.obj) for item in items]}  # fmt: skip
    return as_text(listed, output)


def bare(obj: Map) -> Map:
    """Return an object as it is edited: without what its managers own."""
    metadata = {k: v for k, v in obj["metadata"].items() if k != "managedFields"}
    return {**obj, "metadata": metadata}


def _explained(outcome: Outcome) -> str:
    lines: list[str] = []
    for head, details in outcome.reasons:
        lines.append(f"# {_commented(head)}{':' if details else ''}")
        lines += [f"# * {_commented(detail)}" for detail in details]
        lines.append("#")
    return "".join(f"{line}\n" for line in lines)


def _commented(text: str) -> str:
    return text.replace("\n", "\n# ")


def _without_comments(text: str) -> str:
    lines = text.split("\n")
    return "\n".join(line for line in lines if not line.strip().startswith("#"))


def _same(one: str, other: str) -> bool:
    """Whether two texts stand for the same, comments aside."""
    try:
        return bool(yaml_json.load(one)[0] == yaml_json.load(other)[0])
    except yaml_json.YamlFailure:
        return _without_comments(one) == _without_comments(other)


def _parsed(text: str, discovery: Discovery) -> list[Map]:
    try:
        value = yaml_json.load(text)[0]
    except yaml_json.YamlFailure as exc:
        raise _Invalid(str(exc)) from exc
    if not isinstance(value, dict) or not value.get("kind"):
        raise _Invalid("error validating data: kind not set")
    if value["kind"] == "List":
        return list(value.get("items") or ())
    version, kind = value.get("apiVersion"), value["kind"]
    kinds = {type_.kind for type_ in discovery.types if type_.group_version == version}
    if kinds and kind not in kinds:
        raise _Invalid(f'error validating data: unknown object type "{kind}" in "{version}"')
    return [value]
