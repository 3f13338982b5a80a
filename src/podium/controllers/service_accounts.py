"""Every active namespace has a ServiceAccount called ``default``."""

from __future__ import annotations

from podium.api import scheme
from podium.api.types.core_v1 import Namespace, ServiceAccount
from podium.api.types.meta_v1 import ObjectMeta
from podium.client.client import Client
from podium.client.informer import Informer
from podium.client.workqueue import WorkQueue
from podium.controllers.creating import create_unless_there, is_active
from podium.controllers.loop import work
from podium.kit.clock import Clock

NAME = "default"


class ServiceAccountController:
    """Keys are names of namespaces."""

    def __init__(
        self,
        client: Client,
        namespaces: Informer[Namespace],
        accounts: Informer[ServiceAccount],
        clock: Clock,
    ) -> None:
        self._client, self._namespaces, self._accounts = client, namespaces, accounts
        self._queue: WorkQueue[str] = WorkQueue(clock)
        namespaces.on_change(lambda _, new: self._queue.add(new.metadata.name) if new else None)
        accounts.on_change(self._account_changed)

    async def run(self) -> None:
        await work("serviceaccount", self._queue, self._reconcile)

    def _account_changed(self, old: ServiceAccount | None, new: ServiceAccount | None) -> None:
        if new is None and old is not None and old.metadata.name == NAME:
            self._queue.add(old.metadata.namespace)

    async def _reconcile(self, namespace: str) -> None:
        if not is_active(self._namespaces.get("", namespace)):
            return
        if self._accounts.get(namespace, NAME) is None:
            account = ServiceAccount(metadata=ObjectMeta(name=NAME, namespace=namespace))
            await create_unless_there(self._client, scheme.SERVICEACCOUNTS, account)
