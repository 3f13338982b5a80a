"""Answers with OpenAPI documents: JSON or protobuf, ETags, hashes in the query, compression.

Follows ``k8s.io/kube-openapi/pkg/handler`` and ``handler3``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aiohttp.web import BaseRequest, Response

from podium.apiserver.negotiation import JSON, clauses, takes_gzip
from podium.apiserver.openapi import documents, protobuf, protobuf_v3
from podium.apiserver.openapi.documents import Document
from podium.apiserver.paths import split_target

_YEAR = 31_536_000
#: What each version can be had in, the first one for those to whom it is all the same.
_V2 = (JSON, protobuf.CONTENT_TYPE, protobuf.OLD_TYPE)
_V3 = (JSON, protobuf_v3.CONTENT_TYPE, protobuf_v3.OLD_TYPE)


def answer_v2(request: BaseRequest) -> Response:
    form = _form(request, _V2)
    if not form:
        return _not_acceptable()
    return _send(request, documents.v2() if form == JSON else documents.v2_protobuf())


def answer_v3_index(request: BaseRequest) -> Response:
    return _send(request, documents.index())


def document_v3(path: str) -> Callable[[BaseRequest], Response] | None:
    """Return what answers ``/openapi/v3/<path>``, None where there is no such document."""
    if not documents.has_v3(path):
        return None
    return lambda request: _answer_v3(request, path)


def _answer_v3(request: BaseRequest, path: str) -> Response:
    form = _form(request, _V3)
    document = documents.v3(path) if form == JSON else documents.v3_protobuf(path)
    if not form or document is None:
        return _not_acceptable()
    asked = split_target(request.raw_path)[1].get("hash")
    if asked and asked != document.hash:
        location = f"/openapi/v3/{path}?hash={document.hash}"
        return Response(status=301, headers={"Location": location})
    response = _send(request, document)
    if asked:  # this state never changes under this address
        response.headers["Cache-Control"] = f"public, max-age={_YEAR}, immutable"
    return response


def _form(request: BaseRequest, offered: Sequence[str]) -> str:
    """Return what of *offered* the client wants most, "" for nothing."""
    for clause in clauses(request.headers.get("Accept") or "*/*"):
        kind, _, form = clause.type.partition("/")
        for one in offered:
            if kind in (one.partition("/")[0], "*") and form in (one.partition("/")[2], "*"):
                return one
    return ""


def _not_acceptable() -> Response:
    return Response(status=406, headers={"Vary": "Accept"})


def _send(request: BaseRequest, document: Document) -> Response:
    etag = f'"{document.hash}"'
    headers = {
        "Content-Type": document.content_type,
        "ETag": etag,
        "Vary": "Accept-Encoding, Accept",
        "Cache-Control": "no-cache, private",
    }
    if request.headers.get("If-None-Match") == etag:
        return Response(status=304, headers=headers)
    body = document.body
    if takes_gzip(request.headers):
        body = document.compressed
        headers["Content-Encoding"] = "gzip"
    return Response(body=body, headers=headers)
