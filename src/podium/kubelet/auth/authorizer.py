"""Whether they may: the API server is asked by a SubjectAccessReview."""

from __future__ import annotations

from podium.api.scheme import SUBJECTACCESSREVIEWS
from podium.api.types.authorization_v1 import (
    ResourceAttributes,
    SubjectAccessReview,
    SubjectAccessReviewSpec,
)
from podium.api.user import UserInfo
from podium.client.client import Client
from podium.kit.clock import Clock
from podium.kubelet.auth.memory import Memory
from podium.kubelet.auth.settings import ALWAYS_ALLOW, AuthSettings

_MOST = 8192
#: Characters of a question that is remembered, at most: a user may have any number of groups.
_LONGEST = 10_000


class Authorizer:
    def __init__(
        self, client: Client, settings: AuthSettings, node_name: str, clock: Clock
    ) -> None:
        self._client, self._settings, self._node = client, settings, node_name
        self._known: Memory[bool] = Memory(clock, _MOST)

    async def may(self, user: UserInfo, verb: str, subresource: str) -> bool:
        """Whether *user* may do that to this node. Raises what the client raises."""
        if self._settings.mode == ALWAYS_ALLOW:
            return True
        extra = tuple((name, tuple(values)) for name, values in user.extra.items())
        key = (user.name, user.uid, tuple(user.groups), extra, verb, subresource)
        known = self._known.get(key)
        if known is None:
            known = await self._review(user, verb, subresource)
            if len(repr(key)) <= _LONGEST:
                settings = self._settings
                ttl = settings.authorized_ttl if known else settings.unauthorized_ttl
                self._known.put(key, known, ttl)
        return known

    async def _review(self, user: UserInfo, verb: str, subresource: str) -> bool:
        spec = SubjectAccessReviewSpec(
            user=user.name,
            uid=user.uid,
            groups=list(user.groups),
            extra={name: list(values) for name, values in user.extra.items()},
            resource_attributes=ResourceAttributes(
                verb=verb, version="v1", resource="nodes", subresource=subresource, name=self._node
            ),
        )
        review = SubjectAccessReview(spec=spec)
        answer = await self._client.create(SUBJECTACCESSREVIEWS, review)
        return bool(answer.status.allowed)
