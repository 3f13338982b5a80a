"""Many Pods played at once on a real cluster, and what came of each.

A module's tests say which Pods they need; all are made in one go and looked at once they are over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from podium.api import scheme
from podium.api.codec import from_plain, to_plain
from podium.api.errors import ApiError
from podium.api.types.core_v1 import Namespace, Pod
from podium.api.types.meta_v1 import ObjectMeta
from podium.client.client import Client
from podium.client.config import ClientConfig
from support.cluster import PATIENCE, Cluster

#: Waiting for one of these is an outcome too: nothing else will come of it by itself.
_STUCK = (
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "Blocked",
    "ErrImageNeverPull",
)


@dataclass
class Outcome:
    """A Pod that is over, or stuck; ``logs`` is by container."""

    pod: Any
    logs: dict[str, str] = field(default_factory=dict)

    @property
    def status(self) -> Any:
        return self.pod["status"]

    @property
    def log(self) -> str:
        """What the first container said."""
        return self.logs[self.pod["spec"]["containers"][0]["name"]]

    @property
    def lines(self) -> list[str]:
        return self.log.splitlines()

    @property
    def message(self) -> str:
        """Why the first container waits."""
        return str(self.status["containerStatuses"][0]["state"]["waiting"]["message"])


def outcomes(
    cluster: Cluster, namespace: str, pods: Mapping[str, Mapping[str, Any]]
) -> dict[str, Outcome]:
    """Make Pods from their specs by name, in a namespace that is made; wait until each is over."""
    return asyncio.run(_outcomes(cluster, namespace, pods))


async def _outcomes(
    cluster: Cluster, namespace: str, pods: Mapping[str, Mapping[str, Any]]
) -> dict[str, Outcome]:
    async with Client(ClientConfig.from_kubeconfig(cluster.kubeconfig)) as client:
        await client.create(scheme.NAMESPACES, Namespace(metadata=ObjectMeta(name=namespace)))
        try:
            for name, spec in pods.items():
                await client.create(scheme.PODS, _pod(name, spec), namespace=namespace)
            found: dict[str, Outcome] = {}

            async def note(name: str) -> None:
                found[name] = await _outcome(client, namespace, name)

            try:
                async with asyncio.timeout(2 * PATIENCE):
                    await asyncio.gather(*map(note, pods))
            except TimeoutError:
                raise AssertionError(f"not over: {sorted(set(pods) - set(found))}") from None
            return {name: found[name] for name in pods}
        finally:
            await client.delete(scheme.NAMESPACES, namespace)


def _pod(name: str, spec: Mapping[str, Any]) -> Pod:
    whole = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, **spec}
    annotations = whole.pop("annotations", {})
    made: Pod = from_plain(
        Pod, {"metadata": {"name": name, "annotations": annotations}, "spec": whole}
    )
    return made


async def _outcome(client: Client, namespace: str, name: str) -> Outcome:
    watch = client.watch(
        scheme.PODS, namespace, field_selector=f"metadata.name={name}", resource_version="0"
    )
    async for _, pod in watch:
        plain = to_plain(pod)
        if _is_over(plain.get("status", {})):
            break
    outcome = Outcome(plain)
    for container in plain["spec"]["containers"]:
        outcome.logs[container["name"]] = await _log(client, namespace, name, container["name"])
    return outcome


def _is_over(status: Any) -> bool:
    if status.get("phase") in ("Succeeded", "Failed"):
        return True
    waiting = [
        container.get("state", {}).get("waiting", {}).get("reason", "")
        for container in status.get("containerStatuses", ())
    ]
    return any(reason in _STUCK for reason in waiting)


async def _log(client: Client, namespace: str, name: str, container: str) -> str:
    path = f"/api/v1/namespaces/{namespace}/pods/{name}/log?container={container}"
    try:
        return (await client.get_raw(path)).decode(errors="replace")
    except ApiError as exc:
        return f"HTTP {exc.code}"
