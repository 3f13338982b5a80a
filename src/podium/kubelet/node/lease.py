"""The node's Lease in ``kube-node-lease``: renewed often, so that its silence is soon noticed."""

from __future__ import annotations

import logging

from podium.api import scheme
from podium.api.errors import ApiError
from podium.api.types.coordination_v1 import Lease, LeaseSpec
from podium.api.types.core_v1 import Node
from podium.api.types.meta_v1 import ObjectMeta, OwnerReference
from podium.client.client import Client
from podium.client.errors import Unreachable
from podium.client.leader_election import micro_time
from podium.kit.clock import Clock

logger = logging.getLogger(__name__)

NAMESPACE = "kube-node-lease"
#: A lease is renewed after this part of its duration.
RENEW_FRACTION = 0.25


async def renew_lease(client: Client, node: Node, duration: int, clock: Clock) -> None:
    """Renew the lease of *node* every quarter of *duration* seconds, until cancelled."""
    lease: Lease | None = None
    while True:
        try:
            lease = await _renew(client, node, lease, duration, clock)
        except (ApiError, Unreachable) as exc:
            lease = None
            logger.warning("lease could not be renewed", extra={"error": exc})
        await clock.sleep(duration * RENEW_FRACTION)


async def _renew(
    client: Client, node: Node, lease: Lease | None, duration: int, clock: Clock
) -> Lease:
    name = node.metadata.name
    now = micro_time(clock.now())
    if lease is None:
        try:
            lease = await client.get(scheme.LEASES, name, NAMESPACE)
        except ApiError as exc:
            if exc.code != 404:
                raise
            fresh = _new(node, duration, now)
            created: Lease = await client.create(scheme.LEASES, fresh, namespace=NAMESPACE)
            return created
    lease.spec.holder_identity = name
    lease.spec.lease_duration_seconds = duration
    lease.spec.renew_time = now
    updated: Lease = await client.update(scheme.LEASES, lease)
    return updated


def _new(node: Node, duration: int, now: str) -> Lease:
    owner = OwnerReference(
        api_version="v1", kind="Node", name=node.metadata.name, uid=node.metadata.uid
    )
    return Lease(
        metadata=ObjectMeta(name=node.metadata.name, namespace=NAMESPACE, owner_references=[owner]),
        spec=LeaseSpec(
            holder_identity=node.metadata.name, lease_duration_seconds=duration, renew_time=now
        ),
    )
