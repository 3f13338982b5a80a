"""Answers as HTTP: bytes with the right headers, errors as ``Status``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from aiohttp.web import Response
from multidict import CIMultiDict

from podium.api import codec
from podium.api.errors import ApiError
from podium.apiserver.errors import PathNotFound
from podium.apiserver.large import COMPRESS_FROM, LateResponse, Rewrite, cut
from podium.apiserver.negotiation import YAML, MediaType
from podium.apiserver.prompt import Headers, PromptResponse
from podium.apiserver.warnings import headers as warning_headers

PLAIN_TEXT = "text/plain; charset=utf-8"
_NO_CACHE = "no-cache, private"


def answer(
    body: bytes, media: MediaType, code: int = 200, warnings: Iterable[str] = ()
) -> Response:
    """Return a response of JSON bytes, written the way *media* says."""
    headers = _headers(media, warnings)
    rewrite = _rewrite(media)
    if rewrite is None and len(body) < COMPRESS_FROM:
        return PromptResponse(body, code, headers)
    return LateResponse(cut(body), len(body), rewrite, status=code, headers=CIMultiDict(headers))


def answer_in_pieces(
    pieces: Iterable[bytes], size: int, media: MediaType, warnings: Iterable[str] = ()
) -> Response:
    """Return a response of JSON that is made while it is sent: *size* bytes, in *pieces*."""
    headers = CIMultiDict(_headers(media, warnings))
    return LateResponse(pieces, size, _rewrite(media), headers=headers)


def _headers(media: MediaType, warnings: Iterable[str]) -> Headers:
    headers = (("Content-Type", media.format), ("Cache-Control", _NO_CACHE))
    if not warnings:
        return headers
    return headers + tuple(("Warning", warning) for warning in warning_headers(warnings))


def _rewrite(media: MediaType) -> Rewrite | None:
    """Return what turns compact JSON into what *media* says."""
    if media.format == YAML:
        return _yaml
    return _pretty if media.pretty else None


def plain(value: Any, media: MediaType, code: int = 200, warnings: Iterable[str] = ()) -> Response:
    """Return a response of a plain value (dicts and lists)."""
    import msgspec

    return answer(msgspec.json.encode(value), media, code, warnings)


def text(body: str, code: int = 200, content_type: str = PLAIN_TEXT) -> Response:
    return Response(
        body=body.encode(),
        status=code,
        headers={
            "Content-Type": content_type,
            "Cache-Control": _NO_CACHE,
            "X-Content-Type-Options": "nosniff",
        },
    )


def bad_request() -> Response:
    """What cannot be read as HTTP: nothing more is read from that connection."""
    response = text("400 Bad Request", 400)
    response.force_close()
    return response


def not_found() -> Response:
    return text(PathNotFound.TEXT, 404)


def failed(error: ApiError, media: MediaType, warnings: Iterable[str] = ()) -> Response:
    """Return the ``Status`` that *error* is, with what was found odd before it came up."""
    response = answer(codec.encode(error.status), media, error.code, warnings)
    details = error.status.details
    if details and details.retry_after_seconds:
        response.headers["Retry-After"] = str(details.retry_after_seconds)
    return response


def _pretty(body: bytes) -> bytes:
    return json.dumps(json.loads(body), indent=2, ensure_ascii=False).encode()


def _yaml(body: bytes) -> bytes:
    import yaml

    text: bytes = yaml.dump(
        json.loads(body), Dumper=yaml.CSafeDumper, allow_unicode=True, encoding="utf-8"
    )
    return text
