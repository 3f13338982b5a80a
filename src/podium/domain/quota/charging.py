"""A write weighed against a quota: what it adds, and why the quota does not allow it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from podium.api.scheme import PERSISTENTVOLUMECLAIMS, PODS, SERVICES, Resource
from podium.api.types.core_v1 import Pod, ResourceQuota
from podium.domain.quota.scopes import covers
from podium.domain.quota.usage import Amounts, amounts, is_counted, names_of, usage, without

#: What every container has to state where a quota limits it: a mistake of the past, kept.
_STATED = frozenset({
    "cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory",
})  # fmt: skip


class Demand(msgspec.Struct, frozen=True):
    """What a create, or an update of *old*, takes."""

    resource: Resource
    obj: Any
    old: Any
    now: datetime
    #: Whether it may be refused: what only is noted has happened already.
    refusable: bool = True


def is_measured(resource: Resource, operation: str, subresource: str) -> bool:
    """Whether such a write can take anything."""
    if not is_counted(resource):
        return False
    if resource is SERVICES:
        return operation in ("CREATE", "UPDATE")
    if resource is PERSISTENTVOLUMECLAIMS and subresource == "status":
        return operation == "UPDATE"
    if resource is PODS and subresource == "resize":
        return operation == "UPDATE"
    if subresource:
        return False
    return operation == "CREATE" or (resource is PERSISTENTVOLUMECLAIMS and operation == "UPDATE")


def taken(quota: ResourceQuota, demand: Demand) -> Amounts:
    """Return what *demand* adds to what *quota* covers, whatever it limits; nothing is less."""
    if not covers(quota, demand.resource, demand.obj):
        return {}
    found = usage(demand.resource, demand.obj, demand.now)
    if demand.old is not None and covers(quota, demand.resource, demand.old):
        found = without(found, usage(demand.resource, demand.old, demand.now))
    return {name: amount for name, amount in found.items() if amount}


def flaw(quota: ResourceQuota, demand: Demand) -> str:
    """Return why *quota*, which covers *demand*, cannot judge it; "" where it can."""
    name, hard = quota.metadata.name, quota.status.hard
    limited = names_of(demand.resource, hard)
    if demand.resource is PODS and (silent := _silent(demand.obj, limited & _STATED)):
        return f"failed quota: {name}: must specify {silent}"
    if limited - quota.status.used.keys():
        return f"status unknown for quota: {name}, resources: {','.join(sorted(limited))}"
    return ""


def _silent(pod: Pod, names: Iterable[str]) -> str:
    """``cpu for: a; limits.memory for: a,b``: the containers that do not state each resource."""
    if pod.spec.resources is not None and (
        pod.spec.resources.requests or pod.spec.resources.limits
    ):
        return ""  # the Pod as a whole states them
    texts = []
    for name in sorted(names):
        part = "limits" if name.startswith("limits.") else "requests"
        plain = name.removeprefix("limits.").removeprefix("requests.")
        silent = {
            container.name
            for container in (*pod.spec.containers, *pod.spec.init_containers)
            if plain not in getattr(container.resources, part)
        }
        if silent:
            texts.append(f"{name} for: {','.join(sorted(silent))}")
    return "; ".join(texts)


def excess(name: str, hard: Amounts, used: Amounts, wanted: Amounts) -> str:
    """Return how *wanted*, on top of *used*, exceeds the quota *name*; "" where it does not."""
    over = sorted(each for each in wanted if used[each] + wanted[each] > hard[each])
    if not over:
        return ""

    def listed(values: Amounts) -> str:
        return ",".join(f"{each}={values[each]}" for each in over)

    return (
        f"exceeded quota: {name}, requested: {listed(wanted)}, "
        f"used: {listed(used)}, limited: {listed(hard)}"
    )


def weigh(
    quotas: Iterable[ResourceQuota], used: Mapping[str, Amounts], demand: Demand
) -> tuple[str, dict[str, Amounts]]:
    """Return why *demand* is refused, or "" and what it adds to each quota, by name.

    *used* is what is taken of each quota, by its name.
    """
    judges = [
        quota
        for quota in quotas
        if names_of(demand.resource, quota.status.hard)
        and covers(quota, demand.resource, demand.obj)
    ]
    for quota in judges if demand.refusable else ():
        if why := flaw(quota, demand):
            return why, {}
    charges = {}
    for quota in judges:
        name = quota.metadata.name
        wanted = masked(taken(quota, demand), quota.status.hard)
        hard = amounts(quota.status.hard)
        if demand.refusable and (why := excess(name, hard, used[name], wanted)):
            return why, {}
        if wanted:
            charges[name] = wanted
    return "", charges


def masked(values: Amounts, names: Mapping[str, Any]) -> Amounts:
    """Return those of *values* that *names* has."""
    return {name: amount for name, amount in values.items() if name in names}
