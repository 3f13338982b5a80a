"""What is made again and again: who makes many objects makes them of one template.

Bodies that differ in nothing but the object's name say the same otherwise. What the first of them
came to is remembered, so that the others need not be judged again: whether keys are repeated,
quantities and times in normal form, and who owns which fields. Only what follows from the body
alone is remembered, and only of bodies that nothing is odd about. Objects share nothing that
changes: each is read anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from podium.api.decoders import decoder_of
from podium.api.types.meta_v1 import ManagedFieldsEntry

#: Bytes of a body beyond which it is like no other, and of all that is remembered.
LONGEST = 16 * 1024
MOST = 1024 * 1024
#: About how many bytes an entry takes besides its texts.
_OTHER = 1024


class Template(msgspec.Struct, eq=False):
    """What objects have in common that are the same but for their names."""

    kind: type[Any]
    text: bytes
    #: Who owns what of them, as far as the object tells; None until somebody has found out.
    owned: Sequence[ManagedFieldsEntry] | None = None

    def named(self, name: str) -> Any:
        """Return the object of that name, anew."""
        obj = decoder_of(self.kind).decode(self.text)
        obj.metadata.name = name
        return obj


class Cut(msgspec.Struct, frozen=True):
    """A body of an object to be made: its *name*, and the rest, where nothing is in its place."""

    kind: type[Any]
    name: str
    rest: bytes


class Templates:
    """The templates seen last."""

    def __init__(self) -> None:
        self._known: dict[tuple[type[Any], bytes], Template] = {}
        self.size = 0  #: bytes that they take

    def __len__(self) -> int:
        return len(self._known)

    def find(self, cut: Cut) -> Template | None:
        return self._known.get((cut.kind, cut.rest))

    def note(self, cut: Cut, obj: Any) -> Template:
        """Remember *obj*, which is all that the body said, and nothing about that was odd."""
        name, obj.metadata.name = obj.metadata.name, ""
        text = msgspec.json.encode(obj)
        obj.metadata.name = name
        size = len(cut.rest) + len(text) + _OTHER
        if self.size + size > MOST:
            self._known.clear()
            self.size = 0
        self.size += size
        found = self._known[cut.kind, cut.rest] = Template(cut.kind, text)
        return found


def cut(cls: type[Any], body: bytes) -> Cut | None:
    """Return the parts of *body*, JSON of a *cls*; None where it is no case for a template.

    A name that says something to JSON, or is said by others in the body, too, is left in its place.
    """
    if len(body) > LONGEST or b"managedFields" in body or not _has_spec(cls):
        return None
    try:
        text = bytes(_NAMED.decode(body).metadata.name)
        name = text[1:-1].decode()
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if not name:
        return Cut(cls, name, body) if text in _EMPTY else None
    before, _, behind = body.partition(text)
    if text[:1] != b'"' or "\\" in name or text in behind:
        return None
    return Cut(cls, name, before + behind)


_EMPTY = (b"", b'""')


class _Metadata(msgspec.Struct):
    name: msgspec.Raw = msgspec.Raw()


class _Named(msgspec.Struct):
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)


_NAMED = msgspec.json.Decoder(_Named)


def _has_spec(cls: type[Any]) -> bool:
    """Whether objects of a type are specified: others are data, which may be secret."""
    return "spec" in cls.__struct_fields__ and "metadata" in cls.__struct_fields__
