"""The ``continue`` token of lists in pages.

Follows ``k8s.io/apiserver/pkg/storage/continue.go``; the form is public.
"""

from __future__ import annotations

import base64
import posixpath
from typing import Any

import msgspec

from podium.api import codec, errors, go_json
from podium.api.go_text import quote
from podium.api.types.scalars import Int64

_VERSION = "meta.k8s.io/v1"
_NOT_VALID = "invalid continue token: continue key is not valid"
_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")

#: The revision of a token whose list goes on over the present state, not over the first page's.
INCONSISTENT = -1


_Token = msgspec.defstruct(
    "continueToken",  # as Go's errors name it
    [("v", str, ""), ("rv", Int64, 0), ("start", str, "")],
)


class Position(msgspec.Struct, frozen=True):
    """Where a list goes on: behind the key *after*, as of *revision*; of now if negative."""

    after: str
    revision: int


def encode(last_key: str, prefix: str, revision: int) -> str:
    """Return the token that goes on behind *last_key* of the list below *prefix*."""
    token = _Token(
        v=_VERSION, rv=revision, start=last_key.removeprefix(prefix) + "\0"
    )  # the next key there can be
    return base64.urlsafe_b64encode(msgspec.json.encode(token)).rstrip(b"=").decode()


def decode(text: str, prefix: str) -> Position:
    """Raises ApiError (400) for what is not a token of ours.

    The start is confined to *prefix*, whatever the token says.
    """
    try:
        token = _read(text)
    except ValueError as error:
        raise errors.bad_request(f"{_NOT_VALID}: {error}") from error
    if token.v != _VERSION:
        raise errors.bad_request(
            f"{_NOT_VALID}: server does not recognize this encoded version {quote(token.v)}"
        )
    if token.rv == 0:
        raise errors.bad_request(
            f"{_NOT_VALID}: incorrect encoded start resourceVersion (version {_VERSION})"
        )
    if not token.start:
        raise errors.bad_request(f"{_NOT_VALID}: encoded start key empty (version {_VERSION})")
    rooted = "/" + token.start.removeprefix("/")
    if posixpath.normpath(rooted) != rooted:
        raise errors.bad_request(f"{_NOT_VALID}: {token.start}")
    return Position(prefix + rooted[1:].removesuffix("\0"), token.rv)


def _read(text: str) -> Any:
    """Raises ValueError in the words of Go's decoders."""
    wrong = next((at for at, char in enumerate(text) if char not in _ALPHABET), None)
    if wrong is None and len(text) % 4 == 1:
        wrong = len(text) - 1
    if wrong is not None:
        at = len(text[:wrong].encode())
        raise ValueError(f"illegal base64 data at input byte {at}")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    try:
        return msgspec.json.decode(data, type=_Token)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return codec.from_plain(_Token, go_json.plain(go_json.load(data)))
