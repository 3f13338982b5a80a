"""The middleware before everything that the kubelet's door serves."""

from __future__ import annotations

import logging

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from podium.api.errors import ApiError
from podium.api.user import UserInfo
from podium.client.client import Client
from podium.client.errors import Unreachable
from podium.kit.clock import Clock
from podium.kubelet.auth import attributes
from podium.kubelet.auth.authenticator import Authenticator, Unauthenticated
from podium.kubelet.auth.authorizer import Authorizer
from podium.kubelet.auth.settings import AuthSettings

logger = logging.getLogger(__name__)


class Guard:
    """Answers 401 and 403 in upstream's words, and lets the others pass."""

    def __init__(
        self, client: Client, settings: AuthSettings, node_name: str, clock: Clock
    ) -> None:
        self._authenticator = Authenticator(client, settings, clock)
        self._authorizer = Authorizer(client, settings, node_name, clock)

    async def check(self, request: web.BaseRequest) -> web.Response | None:
        """Return the refusal of a request, None where it may be served."""
        try:
            user = await self._who(request)
        except (Unauthenticated, ApiError, Unreachable) as exc:
            logger.debug("request refused", extra={"path": request.path, "why": exc})
            return web.Response(status=401, text="Unauthorized")
        verb, wanted = attributes.verb(request.method), attributes.subresources(request.path)
        about = f"user={user.name}, verb={verb}, resource=nodes"
        for subresource in wanted:
            try:
                if await self._authorizer.may(user, verb, subresource):
                    return None
            except (ApiError, Unreachable) as exc:
                logger.warning("access could not be reviewed", extra={"error": exc})
                text = f"Authorization error ({about}, subresource={subresource})"
                return web.Response(status=500, text=text)
        text = f"Forbidden ({about}, subresource(s)=[{' '.join(wanted)}])\n"
        return web.Response(status=403, text=text)

    async def _who(self, request: web.BaseRequest) -> UserInfo:
        transport = request.transport
        certificate = transport.get_extra_info("peercert") if transport is not None else None
        der = b""
        if certificate and transport is not None:
            secured = transport.get_extra_info("ssl_object")
            der = secured.getpeercert(binary_form=True) or b""
        authorization = request.headers.get("Authorization", "")
        return await self._authenticator.authenticate(certificate, der, authorization)

    def middleware(self) -> Middleware:
        @web.middleware
        async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
            refused = await self.check(request)
            return refused if refused is not None else await handler(request)

        return guarded
