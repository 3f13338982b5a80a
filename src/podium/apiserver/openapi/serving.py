"""Answers with OpenAPI documents: ETags, hashes in the query, compression.

Follows ``k8s.io/kube-openapi/pkg/handler`` and ``handler3``.
"""

from __future__ import annotations

from collections.abc import Callable

from aiohttp.web import BaseRequest, Response

from podium.apiserver.negotiation import JSON, clauses, not_acceptable
from podium.apiserver.openapi import documents, protobuf
from podium.apiserver.openapi.documents import Document
from podium.apiserver.paths import split_target

_YEAR = 31_536_000


def answer_v2(request: BaseRequest) -> Response:
    """As protobuf for clients that want it (kubectl does), otherwise as JSON."""
    types = [clause.type for clause in clauses(request.headers.get("Accept", ""))]
    if not protobuf.ACCEPTED.isdisjoint(types):
        return _send(request, documents.v2_protobuf())
    _want_json(request)
    return _send(request, documents.v2())


def answer_v3_index(request: BaseRequest) -> Response:
    _want_json(request)
    return _send(request, documents.index())


def document_v3(path: str) -> Callable[[BaseRequest], Response] | None:
    """Return what answers ``/openapi/v3/<path>``, None where there is no such document."""
    document = documents.v3(path)
    if document is None:
        return None
    return lambda request: _answer_v3(request, document, path)


def _answer_v3(request: BaseRequest, document: Document, path: str) -> Response:
    _want_json(request)
    asked = split_target(request.raw_path)[1].get("hash")
    if asked and asked != document.hash:
        location = f"/openapi/v3/{path}?hash={document.hash}"
        return Response(status=301, headers={"Location": location})
    response = _send(request, document)
    if asked:  # this state never changes under this address
        response.headers["Cache-Control"] = f"public, max-age={_YEAR}, immutable"
    return response


def _want_json(request: BaseRequest) -> None:
    header = request.headers.get("Accept", "")
    for clause in clauses(header) if header else ():
        if clause.type in (JSON, "application/*", "*/*"):
            return
    if header:
        raise not_acceptable((JSON,))


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
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        body = document.compressed
        headers["Content-Encoding"] = "gzip"
    return Response(body=body, headers=headers)
