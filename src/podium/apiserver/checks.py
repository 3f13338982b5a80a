"""What the server looks at when it is asked how it is, under upstream's names.

Follows ``k8s.io/apiserver/pkg/server`` and ``k8s.io/kubernetes/pkg/controlplane``; a post-start
hook is named where something of ours does its work.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from podium.api.errors import ApiError
from podium.apiserver.bootstrap import Bootstrap
from podium.apiserver.health import Check, NamedCheck
from podium.apiserver.role_bootstrap import RoleBootstrap
from podium.apiserver.service_addresses import ServiceAddresses
from podium.apiserver.streams import Streams
from podium.kit import logs
from podium.registry.registry import Registry
from podium.store.port import Store, StoreError

#: How long the store may take to answer, in seconds.
_PATIENCE = 2.0
_HOOK = "poststarthook"


def all_checks(
    registry: Registry,
    store: Check,
    streams: Streams,
    bootstrap: Bootstrap,
    addresses: ServiceAddresses,
    roles: RoleBootstrap,
) -> Sequence[NamedCheck]:
    """Return the checks in the order in which they are made and told."""

    return (
        NamedCheck("log", _log),
        NamedCheck("etcd", store),
        NamedCheck("etcd-readiness", store, for_ready=True),
        NamedCheck("informer-sync", partial(lag, registry), for_ready=True),
        NamedCheck(f"{_HOOK}/start-system-namespaces-controller", bootstrap.check),
        NamedCheck(f"{_HOOK}/start-cluster-authentication-info-controller", bootstrap.check),
        NamedCheck(f"{_HOOK}/start-service-ip-repair-controllers", addresses.check),
        NamedCheck(f"{_HOOK}/rbac/bootstrap-roles", roles.check),
        NamedCheck(f"{_HOOK}/scheduling/bootstrap-system-priority-classes", bootstrap.check),
        NamedCheck(f"{_HOOK}/bootstrap-controller", bootstrap.check),
        NamedCheck(f"{_HOOK}/start-kubernetes-service-cidr-controller", bootstrap.check),
        NamedCheck("shutdown", partial(stopping, streams), for_ready=True),
    )


def store_check(store: Store) -> Check:
    async def check() -> str:
        try:
            async with asyncio.timeout(_PATIENCE):
                await store.get("/registry/health")
        except StoreError as error:
            return str(error)
        except TimeoutError:
            return f"no answer within {_PATIENCE:.0f} s"
        return ""

    return check


async def _log() -> str:
    return "logging blocked" if logs.is_blocked() else ""


async def lag(registry: Registry) -> str:
    """Whether what is read is what is stored."""
    try:
        await registry.current()
    except (ApiError, StoreError) as error:
        return str(error)
    return ""


async def stopping(streams: Streams) -> str:
    return "process is shutting down" if streams.are_stopping else ""
