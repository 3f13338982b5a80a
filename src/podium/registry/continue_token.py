"""The ``continue`` token of lists in pages.

Follows ``k8s.io/apiserver/pkg/storage/continue.go``; the form is public.
"""

from __future__ import annotations

import base64
import binascii
import posixpath
from dataclasses import dataclass

import msgspec

from podium.api import errors

_VERSION = "meta.k8s.io/v1"
_NOT_VALID = "continue key is not valid"

#: The revision of a token whose list goes on over the present state, not over the first page's.
INCONSISTENT = -1


class _Token(msgspec.Struct):
    v: str = ""
    rv: int = 0
    start: str = ""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a list goes on: behind the key *after*, as of *revision* (or INCONSISTENT)."""

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
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        token = msgspec.json.decode(base64.b64decode(padded, b"-_", validate=True), type=_Token)
    except (UnicodeEncodeError, binascii.Error, msgspec.MsgspecError) as error:
        raise errors.bad_request(f"{_NOT_VALID}: {error}") from error
    if token.v != _VERSION:
        raise errors.bad_request(
            f"{_NOT_VALID}: server does not recognize this encoded version {token.v}"
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
