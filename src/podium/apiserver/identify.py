"""Who makes a request, or as whom it is made."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from aiohttp.web import BaseRequest

from podium.api import errors
from podium.api.user import ANONYMOUS, UserInfo
from podium.apiserver.auth import impersonation, websocket_tokens
from podium.apiserver.auth.certificates import ClientCertificate
from podium.apiserver.call import Services
from podium.apiserver.paths import Query, RequestInfo
from podium.apiserver.protocol import Protocol

logger = logging.getLogger(__name__)

#: What anybody may read without saying who they are.
ANONYMOUS_PATHS = frozenset(
    {
        "/healthz",
        "/livez",
        "/readyz",
        "/version",
        "/version/",
        "/.well-known/openid-configuration",
        "/openid/v1/jwks",
    }
)


async def caller(
    request: BaseRequest, info: RequestInfo, query: Query, services: Services
) -> UserInfo:
    """Return the user, or whom he impersonates. Raises ApiError (401, 403) and
    NoUserToImpersonate."""
    headers, certificate = request.headers, _certificate(request)
    if certificate is not None:
        user = services.authenticator.holder(certificate)
    else:
        authorization = headers.get("Authorization", "") or _websocket_authorization(request)
        user = await services.authenticator.bearer(authorization)
    if user is ANONYMOUS and info.path not in ANONYMOUS_PATHS:
        raise errors.unauthorized()
    asked = impersonation.requested(headers.items()) if impersonation.is_asked(headers) else None
    if asked is None:
        return user
    if not _may_all(user, asked.constrained(user, info), query, services):
        for need in asked.needs:
            services.authorizer.authorize(user, need, query)
    return asked.user


def without_token(request: BaseRequest) -> BaseRequest:
    """Return *request* as it may be passed on: a token among its protocols was for us."""
    if websocket_tokens.HEADER not in request.headers:
        return request
    return request.clone(headers=websocket_tokens.without_token(request.headers))


def _may_all(
    user: UserInfo, needs: Sequence[RequestInfo], query: Query, services: Services
) -> bool:
    """Whether *user* may do all of *needs*, and that is anything."""
    decide = services.authorizer.decide
    return bool(needs) and all(decide(user, need, query).allowed for need in needs)


def _certificate(request: BaseRequest) -> ClientCertificate | None:
    """Return what the handshake has verified of the client's certificate, if it gave one."""
    protocol = request.protocol
    return protocol.client_certificate if isinstance(protocol, Protocol) else None


def _websocket_authorization(request: BaseRequest) -> str:
    try:
        token = websocket_tokens.token(request.headers)
    except websocket_tokens.BadProtocols as error:
        logger.info("token refused", extra={"error": str(error)})
        raise errors.unauthorized() from error
    return f"Bearer {token}" if token else ""
