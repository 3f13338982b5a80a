"""Clients that act as service accounts, each with no more rights than its own.

After ``clientbuilder`` of Kubernetes' controller manager (``--use-service-account-credentials``).
"""

from __future__ import annotations

import asyncio
import logging
from types import TracebackType
from typing import Self

from msgspec.structs import replace

from podium.api import scheme
from podium.api.errors import ApiError
from podium.api.types.authentication_v1 import TokenRequest, TokenRequestSpec
from podium.api.types.core_v1 import ServiceAccount
from podium.api.types.meta_v1 import ObjectMeta
from podium.client.client import Client
from podium.client.errors import REQUEST_ERRORS
from podium.kit.clock import Clock

logger = logging.getLogger(__name__)

#: For how long a token is asked for, in seconds, and after which part of that for the next one.
TOKEN_SECONDS = 3600
RENEW_AFTER = 0.8
#: Seconds until a renewal that failed is tried again.
RETRY_AFTER = 10.0


class ServiceAccountClients:
    """Clients for the accounts of one namespace, all on one set of connections.

    *root* may create tokens there, and accounts that are missing. Use as an async context manager.
    """

    def __init__(self, root: Client, namespace: str, clock: Clock) -> None:
        self._root, self._namespace, self._clock = root, namespace, clock
        nobody = replace(
            root.config,
            cert_file="",
            key_file="",
            cert_data=b"",
            key_data=b"",
            token="",
            token_file="",
        )
        self._connections = Client(nobody, clock)

    async def __aenter__(self) -> Self:
        await self._connections.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._connections.__aexit__(kind, error, traceback)

    def client(self, name: str) -> Client:
        """Return a client for the account *name*; its token is asked for with the first request."""
        token = ServiceAccountToken(self._root, self._namespace, name, self._clock)
        agent = f"{self._root.config.user_agent}/{self._namespace}:{name}"
        return self._connections.acting(token, agent)


class ServiceAccountToken:
    """The token of one service account, asked for when it is needed first, and renewed in time.

    *client* may create the account's tokens, and the account itself where it is not there.
    """

    def __init__(self, client: Client, namespace: str, name: str, clock: Clock) -> None:
        self._client, self._clock = client, clock
        self._namespace, self._name = namespace, name
        self._token = ""
        self._renew_at = self._expires_at = float("-inf")
        self._renewing = asyncio.Lock()

    async def token(self) -> str:
        """Return a token that holds. Raises what requests raise."""
        if self._clock.monotonic() >= self._renew_at:
            async with self._renewing:
                if self._clock.monotonic() >= self._renew_at:
                    await self._renew()
        return self._token

    def refused(self, token: str) -> None:
        """*token* was answered with 401: its account was made anew, or the server's key is."""
        if token == self._token:
            self._renew_at = self._expires_at = float("-inf")

    async def _renew(self) -> None:
        asked_at = self._clock.monotonic()
        try:
            self._token = await self._request()
        except REQUEST_ERRORS as exc:
            if asked_at >= self._expires_at:
                raise
            logger.warning("token not renewed", extra={"serviceaccount": self._name, "error": exc})
            self._renew_at = min(asked_at + RETRY_AFTER, self._expires_at)
            return
        self._renew_at = asked_at + TOKEN_SECONDS * RENEW_AFTER
        self._expires_at = asked_at + TOKEN_SECONDS

    async def _request(self) -> str:
        request = TokenRequest(spec=TokenRequestSpec(expiration_seconds=TOKEN_SECONDS))
        try:
            return await self._create_token(request)
        except ApiError as exc:
            if exc.code != 404:
                raise
        account = ServiceAccount(metadata=ObjectMeta(name=self._name, namespace=self._namespace))
        try:
            await self._client.create(scheme.SERVICEACCOUNTS, account)
        except ApiError as exc:
            if exc.code != 409:
                raise
        return await self._create_token(request)

    async def _create_token(self, request: TokenRequest) -> str:
        answer: TokenRequest = await self._client.create_subresource(
            scheme.SERVICEACCOUNTS, self._name, "token", request, self._namespace
        )
        assert answer.status is not None
        return answer.status.token
