"""Objects as upstream's kubectl reads them into types of Go, where it has those. Pure."""

from __future__ import annotations

from typing import Any

from podium.kubectl.errors import CommandError

Map = dict[str, Any]


def typed(obj: Map) -> Map:
    """Return *obj* as it is after it was read into its type: with what is always written.

    Raises CommandError for what does not fit.
    """
    from podium.api import codec, kinds
    from podium.api.decoding import DecodeFailure
    from podium.api.errors import ApiError

    group, _, version = str(obj.get("apiVersion", "")).rpartition("/")
    cls = kinds.find(kinds.GroupVersionKind(group, version, str(obj.get("kind", ""))))
    if cls is None:
        return obj
    try:
        found: Map = codec.to_plain(codec.from_plain(cls, obj))
    except (ApiError, DecodeFailure) as exc:
        raise CommandError(str(exc)) from exc
    return found


def check_typed(source: str, document: Map) -> None:
    """Raise CommandError for an object of a file that has no type, or does not fit it."""
    from podium.api import scheme

    kind, version = document["kind"], document["apiVersion"]
    group, _, plain = version.rpartition("/")
    try:
        if scheme.find_kind(group, plain, kind) is None:
            raise CommandError(
                f'no kind "{kind}" is registered for version "{version}" in scheme '
                '"pkg/scheme/scheme.go:28"'
            )
        typed(document)
    except CommandError as exc:
        raise CommandError(f'unable to decode "{source}": {exc}') from exc
