"""JSON from and to an API server, straight into and out of typed objects.

Servers may write ``null`` where our types have an empty value (Go's nil slices). That is rare, so
it is repaired only when the direct way fails.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from podium.api.decoders import converted, decoder_of
from podium.api.types.meta_v1 import ListMeta, Status
from podium.client.errors import Unreachable

T = TypeVar("T")


class ListBody(Struct, Generic[T]):
    """Any ``…List``."""

    items: list[T]
    metadata: ListMeta = msgspec.field(default_factory=ListMeta)


class WatchLine(Struct):
    """One line of a watch; what ``object`` is depends on ``type``."""

    type: str
    object: msgspec.Raw


class Head(Struct, rename={"api_version": "apiVersion"}):
    """Enough of an object to see what it is."""

    kind: str = ""
    api_version: str = ""


class _BookmarkMetadata(Struct):
    annotations: dict[str, str] | None = None


class _Bookmark(Struct):
    metadata: _BookmarkMetadata


_INITIAL_EVENTS_END = "k8s.io/initial-events-end"
_encode = msgspec.json.Encoder().encode
_decode_line = msgspec.json.Decoder(WatchLine).decode
_decode_head = msgspec.json.Decoder(Head).decode


def encode(value: Any) -> bytes:
    """Return *value* (an object, or plain JSON values) as JSON."""
    return _encode(value)


def to_plain(value: Any) -> Any:
    """Return *value* as plain JSON values with the names of the wire, for use in a patch."""
    return msgspec.to_builtins(value)


def decode(type_: Any, body: bytes | msgspec.Raw) -> Any:
    """Return the object of *type_* in *body*. Raises Unreachable when there is none in it."""
    try:
        return decoder_of(type_).decode(body)
    except msgspec.MsgspecError:
        try:
            return converted(_without_nulls(msgspec.json.decode(body)), type_)
        except msgspec.MsgspecError as exc:
            raise Unreachable(f"the answer is not a {type_}: {exc}") from exc


def decode_list(type_: Any, body: bytes) -> ListBody[Any]:
    """Return the items and the metadata of a list of *type_*."""
    result: ListBody[Any] = decode(ListBody[type_], body)
    return result


def decode_any(types: Sequence[Any], body: bytes) -> Any:
    """Return what is in *body*: a ``Status``, the first of *types* whose kind fits, plain JSON.

    Raises Unreachable when it is no JSON object.
    """
    try:
        kind = _decode_head(body).kind
    except msgspec.MsgspecError as exc:
        raise Unreachable(f"the answer is no object: {exc}") from exc
    for type_ in (Status, *types):
        if type_.__name__ == kind:
            return decode(type_, body)
    return msgspec.json.decode(body)


def decode_line(line: bytes) -> WatchLine:
    try:
        return _decode_line(line)
    except msgspec.MsgspecError as exc:
        raise Unreachable(f"a line of a watch is broken: {exc}") from exc


def ends_initial_events(bookmark: msgspec.Raw) -> bool:
    """Whether it stands behind what a watch began with."""
    annotations = decode(_Bookmark, bookmark).metadata.annotations or {}
    return annotations.get(_INITIAL_EVENTS_END) == "true"


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value
