"""Everything that is no resource: discovery, OpenAPI, health, version, metrics, token issuer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp.web import BaseRequest, Response, StreamResponse
from msgspec.structs import replace

from podium.apiserver import discovery, errors, negotiation, responses
from podium.apiserver.auth.tokens import TokenSigner
from podium.apiserver.health import Health
from podium.apiserver.metrics import CONTENT_TYPE, Metrics, text_of
from podium.apiserver.openapi import serving as openapi
from podium.apiserver.paths import Query, RequestInfo, split_target
from podium.apiserver.version import version_info
from podium.kit.apart import LARGE, apart
from podium.kit.metrics import Families


class Site(msgspec.Struct, frozen=True):
    """Answers paths that are no resources. ``address`` is the server's, for ``/api``."""

    health: Health
    metrics: Metrics
    signer: TokenSigner
    address: str

    async def answer(self, request: BaseRequest, info: RequestInfo, query: Query) -> StreamResponse:
        """Raises PathNotFound or ApiError."""
        path = info.path.rstrip("/") or "/"
        if path != info.path and path.startswith(_EXACT):
            raise errors.PathNotFound
        health = await self.health.answer(path, query)
        if health is not None:
            return health
        document = self._documents().get(path) or self._by_prefix(path)
        if document is None:
            raise errors.PathNotFound
        if request.method != "GET":
            raise errors.method_not_allowed()
        # The first request for an OpenAPI document has it made, which takes a while.
        size = LARGE if path.startswith("/openapi/") else 0
        return await apart(size, document, request)

    def _documents(self) -> dict[str, Callable[[BaseRequest], Response]]:
        return {
            "/": lambda _: responses.plain({"paths": self._paths()}, _INDENTED),
            "/version": lambda _: responses.plain(version_info(), _INDENTED),
            "/metrics": lambda _: self._metrics(),
            "/metrics/slis": lambda _: _families(self.health.results),
            "/api": lambda request: self._root(request, "api"),
            "/apis": lambda request: self._root(request, "apis"),
            "/openapi/v2": openapi.answer_v2,
            "/openapi/v3": openapi.answer_v3_index,
            "/.well-known/openid-configuration": lambda _: _for_others(
                self._openid_configuration(), "application/json"
            ),
            "/openid/v1/jwks": lambda _: _for_others(
                self.signer.public_keys(), "application/jwk-set+json"
            ),
        }

    def _by_prefix(self, path: str) -> Callable[[BaseRequest], Response] | None:
        parts = path.strip("/").split("/")
        document = None
        match parts:
            case ["openapi", "v3", *rest]:
                return openapi.document_v3("/".join(rest))
            case ["api", version]:
                document = discovery.resource_list("", version)
            case ["apis", group]:
                document = discovery.group(group)
            case ["apis", group, version]:
                document = discovery.resource_list(group, version)
        if document is None:
            return None
        found = document
        return lambda request: _plain(request, found)

    def _root(self, request: BaseRequest, root: str) -> Response:
        media = discovery.negotiate(request.headers.get("Accept", ""))
        if negotiation.is_for_people(request.headers, _asked(request)):
            media = replace(media, pretty=True)
        if media.kind:
            response = self._aggregated(request, root, media)
        elif root == "api":
            response = responses.plain(discovery.api_versions(self.address), media)
        else:
            response = responses.plain(discovery.group_list(), media)
        response.headers["Vary"] = "Accept"
        return response

    def _aggregated(
        self, request: BaseRequest, root: str, media: negotiation.MediaType
    ) -> Response:
        """Clients keep the document, and ask whether it is still the same."""
        etag = f'"{discovery.aggregated_hash(root, media.version)}"'
        if request.headers.get("If-None-Match") == etag:
            return Response(status=304, headers={"ETag": etag})
        response = responses.plain(discovery.aggregated(root, media.version), media)
        response.headers["Content-Type"] = (
            f"{media.format};g={media.group};v={media.version};as={media.kind}"
        )
        response.headers["ETag"] = etag
        return response

    def _metrics(self) -> Response:
        return Response(body=self.metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    def _openid_configuration(self) -> dict[str, Any]:
        issuer = self.signer.issuer
        return {
            "issuer": issuer,
            "jwks_uri": f"https://{self.address}/openid/v1/jwks",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        }

    def _paths(self) -> list[str]:
        """The root's list of what there is."""
        found = set(self._documents()) - {"/"}
        found |= {"/api/v1", "/apis/", "/openapi/v3/", *self.health.paths()}
        for group, versions in discovery.groups().items():
            found.add(f"/apis/{group}")
            found.update(f"/apis/{group}/{version}" for version in versions)
        return sorted(found)


#: Where a slash at the end leads to nothing, as upstream.
_EXACT = ("/healthz", "/livez", "/readyz", "/metrics", "/openapi/")
#: As upstream, whoever asks for it.
_INDENTED = negotiation.MediaType(pretty=True)


def _for_others(value: dict[str, Any], content_type: str) -> Response:
    """Return what those read who verify our tokens; they may keep it for a while."""
    response = responses.plain(value, negotiation.MediaType())
    response.headers["Content-Type"] = content_type
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def _plain(request: BaseRequest, value: dict[str, Any]) -> Response:
    return responses.plain(value, negotiation.for_request(request.headers, _asked(request)))


def _families(families: Families) -> Response:
    return Response(body=text_of(families), headers={"Content-Type": CONTENT_TYPE})


def _asked(request: BaseRequest) -> str:
    return split_target(request.raw_path)[1].get("pretty")
