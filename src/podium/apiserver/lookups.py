"""Questions that authentication asks of the objects, answered by the registry."""

from __future__ import annotations

import logging
from datetime import timedelta

import msgspec

from podium.api.errors import ApiError
from podium.api.meta import metadata
from podium.api.scheme import SECRETS, Resource
from podium.api.types.core_v1 import Secret
from podium.api.user import AUTHENTICATED, UserInfo
from podium.apiserver.auth.revocation import LAST_USED
from podium.kit.clock import Clock
from podium.registry.registry import Registry
from podium.registry.types import RequestContext, Stored

logger = logging.getLogger(__name__)

#: How long behind its deletion time an object's tokens still hold, for those who clean up.
_LEEWAY = timedelta(seconds=60)
#: From the watch cache, without waiting for the store.
_CACHED = "0"
_SERVER = UserInfo("system:apiserver", ("system:masters", AUTHENTICATED))


class Lookups:
    """Implements ``auth.revocation.ObjectReader``."""

    def __init__(self, registry: Registry, clock: Clock) -> None:
        self._registry, self._clock = registry, clock

    async def uid(self, resource: Resource, namespace: str, name: str) -> str | None:
        found = await self._get(resource, namespace, name)
        if found is None:
            return None
        meta = metadata(found.obj)
        deleted = meta.deletion_timestamp
        if deleted is not None and deleted + _LEEWAY < self._clock.now():
            return None
        return meta.uid

    async def secret(self, namespace: str, name: str) -> Secret | None:
        found = await self._get(SECRETS, namespace, name)
        return found.obj if found else None

    async def note_use(self, secret: Secret) -> None:
        today = f"{self._clock.now():%Y-%m-%d}"
        if secret.metadata.labels.get(LAST_USED, "") >= today:
            return
        labels = {**secret.metadata.labels, LAST_USED: today}
        meta = msgspec.structs.replace(secret.metadata, labels=labels)
        noted = msgspec.structs.replace(secret, metadata=meta)
        try:
            await self._registry.update(
                SECRETS, meta.namespace, meta.name, noted, RequestContext(_SERVER)
            )
        except ApiError as error:  # the next use is noted
            if error.code not in (404, 409):  # somebody else wrote just now
                told = {"secret": f"{meta.namespace}/{meta.name}", "error": str(error)}
                logger.warning("the use of a token is not noted", extra=told)

    async def _get(self, resource: Resource, namespace: str, name: str) -> Stored | None:
        """Return the object; one that the cache does not have (yet) is read consistently."""
        for version in (_CACHED, ""):
            try:
                return await self._registry.get(resource, namespace, name, resource_version=version)
            except ApiError as error:
                if error.code != 404:
                    raise
        return None
