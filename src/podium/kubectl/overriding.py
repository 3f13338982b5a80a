"""``--overrides``: an object that a command line makes, as JSON will have it."""

from __future__ import annotations

from typing import Any

from podium.kubectl.errors import CommandError
from podium.kubectl.flags import Flag

Map = dict[str, Any]
WAY_FLAG = Flag("override-type", "merge", "The method used to override the generated object: json, "
                "merge, or strategic.")  # fmt: skip


def overridden(obj: Map, text: str, way: str) -> Map:
    """Return *obj* with the patch *text* made in it by the *way* of ``--override-type``, read into
    the type that it says it is of by then. Raises CommandError."""
    from podium.kubectl.go_order import ordered
    from podium.kubectl.patches import WAYS, definition_of, patched
    from podium.kubectl.typed_objects import typed

    if way not in WAYS:
        raise CommandError(f"invalid override type: {way}")
    group, _, version = obj["apiVersion"].rpartition("/")
    definition = definition_of(group, version, obj["kind"])
    changed = patched(ordered(obj), text.encode(), way, definition)
    _check_known(changed)
    return typed(changed)


def _check_known(obj: Any) -> None:
    """Raise CommandError for what says of no kind, or of one that nobody knows, that it is that."""
    from podium.api import kinds
    from podium.api.codec import said_kind
    from podium.kubectl.patches import check_says

    try:
        said = said_kind(obj)
    except ValueError as exc:
        raise CommandError(str(exc)) from exc
    check_says(obj, "kind")
    check_says(obj, "apiVersion")
    if kinds.find(said) is None:
        raise CommandError(
            f'no kind "{said.kind}" is registered for version "{said.api_version}" in scheme '
            '"pkg/scheme/scheme.go:28"'
        )
