"""The controllers against a real API server; their clock is the test's."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import msgspec

from podium.api import scheme
from podium.api.types.core_v1 import Namespace, Pod
from podium.client.client import Client
from podium.client.informer import Informer
from podium.client.wire import to_plain
from podium.controllers.manager import ControllerOptions, run
from podium.kit.clock import SystemClock, VirtualClock
from support.access import denied, recorded_access
from support.apiserver import running_apiserver
from support.http_peer import running, until

#: Whom the controller manager runs as.
MANAGER = ("system:kube-controller-manager", ())
WATCHED = (scheme.NAMESPACES, scheme.NODES, scheme.PODS, scheme.SERVICEACCOUNTS, scheme.CONFIGMAPS)


class Cluster:
    def __init__(self, api, client: Client, clock: VirtualClock) -> None:
        self.api, self.client, self.clock = api, client, clock
        self.informers = {
            resource.plural: Informer(client, resource, clock=SystemClock()) for resource in WATCHED
        }

    def get(self, plural: str, name: str, namespace: str = ""):
        return self.informers[plural].get(namespace, name)

    async def seen(self, plural: str, name: str, namespace: str = ""):
        await until(lambda: self.get(plural, name, namespace) is not None)
        return self.get(plural, name, namespace)

    async def gone(self, plural: str, name: str, namespace: str = "") -> None:
        await until(lambda: self.get(plural, name, namespace) is None)

    async def create(self, resource, document):
        return await self.client.create(resource, msgspec.convert(document, resource.type))

    async def add_namespace(self, name: str) -> Namespace:
        return await self.create(scheme.NAMESPACES, {"metadata": {"name": name}})

    async def add_pod(self, name: str, namespace: str = "default", **spec) -> Pod:
        await self.seen("serviceaccounts", "default", namespace)
        return await self.create(
            scheme.PODS,
            {
                "metadata": {"name": name, "namespace": namespace},
                "spec": {"containers": [{"name": "c", "image": "i"}], **spec},
            },
        )

    async def add_node(self, name: str) -> None:
        await self.create(scheme.NODES, {"metadata": {"name": name}})
        await self.post_status(name)

    async def post_status(self, name: str, ready: str = "True") -> None:
        """What a kubelet does every now and then."""
        moment = self.clock.now().replace(microsecond=0)
        types = {"Ready": ready, "MemoryPressure": "False", "DiskPressure": "False"}
        conditions = [
            {"type": t, "status": s, "lastHeartbeatTime": moment, "reason": "KubeletReady"}
            for t, s in types.items()
        ]
        patch = {"status": {"conditions": to_plain(conditions)}}
        await self.client.patch(scheme.NODES, name, patch, subresource="status")

    async def pass_time(self, seconds: float) -> None:
        """Move on in steps that leave requests some time to be answered."""
        for _ in range(int(seconds)):
            await self.clock.advance(1)
            await asyncio.sleep(0.01)

    async def in_time(self, condition) -> None:
        """Let as much time pass as it takes until *condition* holds."""
        async with asyncio.timeout(60):
            while not condition():
                await self.pass_time(1)

    def ready(self, node: str) -> tuple[str, str]:
        found = self.get("nodes", node)
        conditions = found.status.conditions if found else []
        return next(((c.status, c.reason) for c in conditions if c.type == "Ready"), ("", ""))

    def taints(self, node: str) -> set[str]:
        found = self.get("nodes", node)
        if found is None:
            return set()
        return {f"{t.key.partition('/')[2]}:{t.effect}" for t in found.spec.taints}

    async def events(self, reason: str) -> list[str]:
        found = await self.client.list(scheme.EVENTS)
        return [e.message for e in found.items if e.reason == reason]


@asynccontextmanager
async def controlling(directory):
    """Yield a Cluster. Fails when a controller asked for more than its account may do."""
    clock = VirtualClock()
    with recorded_access() as access:
        async with running_apiserver(directory) as api, Client(api.client_config()) as client:
            cluster = Cluster(api, client, clock)
            manager = api.client_config(*MANAGER)
            key_file = str(api.options.service_account_key_file)
            options = ControllerOptions(manager, str(api.authority.cert_file), key_file)
            async with asyncio.TaskGroup() as tasks:
                watching = [
                    tasks.create_task(informer.run()) for informer in cluster.informers.values()
                ]
                async with running(run(options, clock)):
                    yield cluster
                for task in watching:
                    task.cancel()
    assert denied(access) == []
