"""Who makes a request: a client certificate, a token of some sort, or nobody.

Tokens are looked for in the file that the server was started with, among the bootstrap tokens, and
last among those that the server has signed for service accounts. Follows
``k8s.io/apiserver/pkg/authentication`` and ``k8s.io/kubernetes/pkg/serviceaccount``. What cannot be
verified is refused as ``Unauthorized``, without a word about why.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Mapping, Sequence

import msgspec
from msgspec.structs import replace

from podium.api import errors
from podium.api.user import (
    ANONYMOUS,
    AUTHENTICATED,
    CREDENTIAL_ID,
    NODE_NAME_EXTRA,
    UserInfo,
)
from podium.apiserver.auth import bootstrap_tokens, revocation
from podium.apiserver.auth.certificates import ClientCertificate
from podium.apiserver.auth.revocation import ObjectReader
from podium.apiserver.auth.tokens import Claims, ForeignToken, InvalidToken, TokenSigner
from podium.kit.clock import Clock

logger = logging.getLogger(__name__)

_TOKENS_REMEMBERED = 1024


class Identity(msgspec.Struct, frozen=True):
    """Whom a token stands for, and to whom it may be shown."""

    user: UserInfo
    audiences: tuple[str, ...]


class Authenticator:
    """Tells the user of a request; verified tokens are remembered until they expire."""

    def __init__(
        self,
        signer: TokenSigner,
        objects: ObjectReader,
        clock: Clock,
        static: Mapping[str, UserInfo] | None = None,
    ) -> None:
        """*static* are the users of tokens that the server was started with."""
        self._signer, self._objects, self._clock = signer, objects, clock
        self._static = static or {}
        self._verified: OrderedDict[str, Claims] = OrderedDict()

    def holder(self, certificate: ClientCertificate) -> UserInfo:
        """Return the user of a client's *certificate*. Raises ApiError (401)."""
        # A connection may outlive the certificate that opened it.
        if certificate.user is None or certificate.expires <= self._clock.now():
            raise errors.unauthorized()
        return certificate.user

    async def bearer(self, authorization: str) -> UserInfo:
        """Return the user behind an ``Authorization`` header, ANONYMOUS when it is empty.

        Raises ApiError (401) for credentials that do not hold.
        """
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return ANONYMOUS
        try:
            return (await self.token_user(token.strip(), (self._signer.issuer,))).user
        except InvalidToken as error:
            logger.info("token refused", extra={"error": str(error)})
            raise errors.unauthorized() from error

    async def token_user(self, token: str, audiences: Sequence[str]) -> Identity:
        """Return whose *token* is, if it holds now, for one of *audiences*. Raises InvalidToken.

        Tokens that are not the server's own are for the server alone.
        """
        user = self._static.get(token) or await self._bootstrap_user(token)
        if user is None:
            claims = await self.review(token, audiences)
            return Identity(service_account_user(claims), claims.audiences)
        if self._signer.issuer not in audiences:
            raise ForeignToken("it is for the server alone")
        named = replace(user, groups=(*user.groups, AUTHENTICATED))
        return Identity(named, (self._signer.issuer,))

    async def _bootstrap_user(self, token: str) -> UserInfo | None:
        name = bootstrap_tokens.secret_name(token)
        secret = await self._objects.secret(bootstrap_tokens.NAMESPACE, name) if name else None
        return bootstrap_tokens.user(token, secret, self._clock.now()) if secret else None

    async def review(self, token: str, audiences: Sequence[str]) -> Claims:
        """Return what *token* says, if it holds now. Raises InvalidToken."""
        claims = self._verified.get(token)
        now = self._clock.now()
        if claims is None or claims.expires <= now or not set(claims.audiences) & set(audiences):
            self._verified.pop(token, None)
            claims = self._signer.verify(token, audiences, now)
            self._verified[token] = claims
            if len(self._verified) > _TOKENS_REMEMBERED:
                self._verified.popitem(last=False)
        await revocation.check(claims, token, self._objects)
        return claims


def service_account_user(claims: Claims) -> UserInfo:
    extra = {}
    if claims.id:
        extra[CREDENTIAL_ID] = (f"JTI={claims.id}",)
    if claims.node:
        extra[NODE_NAME_EXTRA] = (claims.node.name,)
        extra["authentication.kubernetes.io/node-uid"] = (claims.node.uid,)
    if claims.pod:
        extra["authentication.kubernetes.io/pod-name"] = (claims.pod.name,)
        extra["authentication.kubernetes.io/pod-uid"] = (claims.pod.uid,)
    groups = (
        "system:serviceaccounts",
        f"system:serviceaccounts:{claims.namespace}",
        AUTHENTICATED,
    )
    return UserInfo(claims.subject, groups, claims.service_account.uid, extra)
