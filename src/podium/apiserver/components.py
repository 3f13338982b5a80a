"""Which of the cluster's components are at work, as far as the server itself can tell.

Scheduler and controllers do nothing without watches, so one that has none open is not there.
Upstream asks ports of theirs; ours listen on none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import msgspec

from podium.api.types.core_v1 import ComponentCondition, ComponentStatus
from podium.api.types.meta_v1 import ObjectMeta

#: A component's name to the user that it comes as.
USERS = {
    "controller-manager": "system:kube-controller-manager",
    "scheduler": "system:kube-scheduler",
}
STORE = "etcd-0"


class Components(msgspec.Struct, frozen=True):
    """*check_store* returns why the store is not well, "" when it is."""

    check_store: Callable[[], Awaitable[str]]
    _watches: Counter[str] = msgspec.field(default_factory=Counter)

    @contextmanager
    def watching(self, user: str) -> Iterator[None]:
        """Count a watch of *user* while the body runs."""
        self._watches[user] += 1
        try:
            yield
        finally:
            self._watches[user] -= 1
            if not self._watches[user]:  # users come and go, too
                del self._watches[user]

    async def statuses(self) -> dict[str, ComponentStatus]:
        """Return how each component is, by its name."""
        found = {name: self._status(name, self._missing(user)) for name, user in USERS.items()}
        found[STORE] = self._status(STORE, await self.check_store())
        return found

    def _missing(self, user: str) -> str:
        return "" if self._watches[user] else f"{user} has no watch open"

    def _status(self, name: str, error: str) -> ComponentStatus:
        condition = ComponentCondition(
            type="Healthy",
            status="False" if error else "True",
            message="" if error else "ok",
            error=error,
        )
        return ComponentStatus(metadata=ObjectMeta(name=name), conditions=[condition])
