"""ResourceQuota: no write takes more than the quotas of its namespace leave.

What a write takes is noted in ``status.used`` of each quota before the object is stored, by an
update that fails when somebody else noted something meanwhile: so the count is exact however many
write at the same time. What an accepted write did not need in the end, and what deletions give
back, the quota controller finds out. Follows ``plugin/pkg/admission/resourcequota``.
"""

from __future__ import annotations

from typing import Any

import msgspec

from podium.api import errors
from podium.api.errors import ApiError
from podium.api.scheme import PODS, RESOURCEQUOTAS, SERVICES, Resource
from podium.api.types.core_v1 import ResourceQuota, ResourceQuotaStatus
from podium.domain import quota as quotas
from podium.registry.admission.base import Attributes

_ATTEMPTS = 10


class ResourceQuotaAdmission:
    name = "ResourceQuota"

    async def admit(self, attributes: Attributes) -> None:
        """Nothing: all is decided on the complete object."""

    async def validate(self, attributes: Attributes) -> None:
        """Raises ApiError (403) where a quota would be exceeded."""
        resource = attributes.resource
        if attributes.subresource or resource is RESOURCEQUOTAS or not resource.namespaced:
            return
        creates = attributes.operation == "CREATE"
        if not creates and not (attributes.operation == "UPDATE" and resource is SERVICES):
            return
        for quota in attributes.reader.known(RESOURCEQUOTAS, attributes.namespace):
            if quotas.may_concern(quota, resource) and quotas.covers(
                quota, resource, attributes.obj
            ):
                await _charge(attributes, quota)


async def _charge(attributes: Attributes, quota: ResourceQuota) -> None:
    resource, name = attributes.resource, quota.metadata.name
    _require_stated(attributes, quota)
    taken = _taken(resource, attributes.obj, attributes.old)
    for _ in range(_ATTEMPTS):
        wanted = {key: taken[key] for key in quota.status.hard if taken.get(key, 0)}
        if not any(amount > 0 for amount in wanted.values()):
            return
        used = quotas.amounts(quota.status.used)
        _check(attributes, quota, wanted, used)
        if attributes.dry_run:
            return
        after = {
            key: quotas.text(key, used.get(key, 0) + wanted[key]) if key in wanted else text
            for key, text in {**dict.fromkeys(wanted, "0"), **quota.status.used}.items()
        }
        status = ResourceQuotaStatus(hard=quota.status.hard, used=after)
        changed = msgspec.structs.replace(
            quota, metadata=msgspec.structs.replace(quota.metadata), status=status
        )
        try:
            await attributes.reader.write_status(RESOURCEQUOTAS, changed)
        except ApiError as error:
            if error.code != 409:
                raise
        else:
            return
        fresh = await attributes.reader.read(RESOURCEQUOTAS, attributes.namespace, name)
        if fresh is None:
            return
        quota = fresh
    text = f"Quota {name} is contended; please try again"
    raise errors.conflict(RESOURCEQUOTAS, name, text)


def _taken(resource: Resource, obj: Any, old: Any) -> quotas.Amounts:
    taken = quotas.usage(resource, obj)
    if old is not None:
        for name, amount in quotas.usage(resource, old).items():
            taken[name] = taken.get(name, 0) - amount
    return taken


def _require_stated(attributes: Attributes, quota: ResourceQuota) -> None:
    """Where compute resources are limited, every container has to say what it takes."""
    if attributes.resource is not PODS:
        return
    unstated = [n for n in quotas.missing(quota, attributes.obj) if n in quota.status.hard]
    if unstated:
        containers = _silent(attributes.obj, unstated)
        why = f"failed quota: {quota.metadata.name}: must specify {containers}"
        raise errors.forbidden(attributes.resource, attributes.name, why)


def _silent(pod: Any, names: list[str]) -> str:
    """``cpu for: c; memory for: c,d``: the containers that do not state each resource."""
    texts = []
    for name in names:
        kind = "limits" if name.startswith("limits.") else "requests"
        plain = name.removeprefix("limits.").removeprefix("requests.")
        silent = [
            container.name
            for container in (*pod.spec.init_containers, *pod.spec.containers)
            if plain not in getattr(container.resources, kind)
        ]
        texts.append(f"{name} for: {','.join(silent)}")
    return "; ".join(texts)


def _check(
    attributes: Attributes, quota: ResourceQuota, wanted: quotas.Amounts, used: quotas.Amounts
) -> None:
    hard = quotas.amounts(quota.status.hard)
    over = [
        name
        for name, amount in sorted(wanted.items())
        if amount > 0 and used.get(name, 0) + amount > hard[name]
    ]
    if not over:
        return

    def listed(values: quotas.Amounts) -> str:
        return ",".join(f"{name}={quotas.text(name, values.get(name, 0))}" for name in over)

    why = (
        f"exceeded quota: {quota.metadata.name}, requested: {listed(wanted)}, "
        f"used: {listed(used)}, limited: {listed(hard)}"
    )
    raise errors.forbidden(attributes.resource, attributes.name, why)
