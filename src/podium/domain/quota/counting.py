"""What is taken of a quota, counted anew."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from podium.api.quantity import Amount
from podium.api.scheme import PERSISTENTVOLUMECLAIMS, PODS, Resource
from podium.api.types.core_v1 import ResourceQuota, ResourceQuotaStatus
from podium.domain.quota.charging import masked
from podium.domain.quota.scopes import covers, needs
from podium.domain.quota.usage import Amounts, added, is_counted, names_of, texts, usage

#: Annotation of a status that is to be stored: the revision as of which objects were counted.
COUNTED_AT = "podium.io/counted-at"
_SCOPED = (PODS, PERSISTENTVOLUMECLAIMS)


def concerns(quota: ResourceQuota, resource: Resource) -> bool:
    """Whether *quota* limits anything that objects of *resource* take."""
    return is_counted(resource) and bool(names_of(resource, quota.spec.hard))


def counts_alone(quota: ResourceQuota, resource: Resource) -> bool:
    """Whether nothing has to be known of objects of *resource* but how many there are."""
    if resource in _SCOPED and any(True for _ in needs(quota)):
        return False
    plain = {f"count/{resource.qualified}", resource.plural} - {"pods"}
    return names_of(resource, quota.spec.hard) <= plain


def number(quota: ResourceQuota, resource: Resource, objects: int) -> Amounts:
    """Return what so many objects take, where nothing else has to be known of them."""
    if any(True for _ in needs(quota)):
        return {}
    return dict.fromkeys(names_of(resource, quota.spec.hard), Amount(objects))


def share(quota: ResourceQuota, resource: Resource, obj: Any, now: datetime) -> Amounts:
    """Return what *obj* takes of what *quota* limits."""
    if not covers(quota, resource, obj):
        return {}
    found = masked(usage(resource, obj, now), quota.spec.hard)
    return {name: amount for name, amount in found.items() if amount}


def total(
    quota: ResourceQuota, resource: Resource, objects: Iterable[Any], now: datetime
) -> Amounts:
    """Return what *objects* take of what *quota* limits."""
    found: Amounts = {}
    for obj in objects:
        found = added(found, share(quota, resource, obj, now))
    return found


def status(quota: ResourceQuota, used: Amounts) -> ResourceQuotaStatus:
    """Return the status of a quota of whose limits *used* is taken."""
    hard, zero = quota.spec.hard, Amount(0)
    counted = texts({name: used.get(name, zero) for name in hard})
    return ResourceQuotaStatus(hard=hard, used=counted)
