"""Tokens of a Pod's ServiceAccount, asked of the API and renewed in time.

https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-tokens
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from podium.api import scheme
from podium.api.types.authentication_v1 import BoundObjectReference, TokenRequest, TokenRequestSpec
from podium.api.types.core_v1 import Pod, ServiceAccountTokenProjection
from podium.client.client import Client
from podium.kit.clock import Clock

DEFAULT_SECONDS = 3600
#: A token is renewed after this part of its life, and after a day at the latest.
RENEW_AFTER = 0.8
MAX_AGE = timedelta(hours=24)


class Token(msgspec.Struct, frozen=True):
    text: str
    renew_at: datetime


class PodTokens:
    """The tokens of one Pod, one for each audience and lifetime that its volumes name."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client, self._clock = client, clock
        self._tokens: dict[tuple[str, int], Token] = {}

    @property
    def renew_at(self) -> datetime | None:
        """When the first of the tokens in use has to be renewed."""
        return min((token.renew_at for token in self._tokens.values()), default=None)

    async def get(self, pod: Pod, wanted: ServiceAccountTokenProjection) -> str:
        """Return a token that is valid for long enough. Raises ApiError, Unreachable."""
        seconds = wanted.expiration_seconds or DEFAULT_SECONDS
        key = (wanted.audience, seconds)
        token = self._tokens.get(key)
        if token is None or token.renew_at <= self._clock.now():
            token = await self._request(pod, wanted.audience, seconds)
            self._tokens[key] = token
        return token.text

    async def _request(self, pod: Pod, audience: str, seconds: int) -> Token:
        now = self._clock.now()
        answer: TokenRequest = await self._client.create_subresource(
            scheme.SERVICEACCOUNTS,
            pod.spec.service_account_name,
            "token",
            TokenRequest(
                spec=TokenRequestSpec(
                    audiences=[audience] if audience else [],
                    expiration_seconds=seconds,
                    bound_object_ref=BoundObjectReference(
                        api_version="v1",
                        kind="Pod",
                        name=pod.metadata.name,
                        uid=pod.metadata.uid,
                    ),
                )
            ),
            namespace=pod.metadata.namespace,
        )
        # The server may give less than was asked for.
        life = timedelta(seconds=answer.spec.expiration_seconds or seconds)
        return Token(answer.status.token, now + min(life * RENEW_AFTER, MAX_AGE))
