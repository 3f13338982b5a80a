"""ResourceQuotas."""

from __future__ import annotations

from datetime import datetime

from podium.api.defaults.resources import rounded
from podium.api.field import FieldError
from podium.api.types.core_v1 import ResourceQuota
from podium.api.validation.quotas import (
    validate_quota,
    validate_quota_status,
    validate_quota_update,
)
from podium.registry.strategies.base import Strategy
from podium.registry.strategies.table import AGE, NAME, Cell, Column, age


class ResourceQuotaStrategy(Strategy[ResourceQuota]):
    returns_deleted_object = True
    columns = (NAME, Column("Request"), Column("Limit"), AGE)

    def default(self, obj: ResourceQuota) -> None:
        obj.spec.hard = rounded(obj.spec.hard)
        obj.status.hard, obj.status.used = rounded(obj.status.hard), rounded(obj.status.used)

    def validate(self, obj: ResourceQuota) -> list[FieldError]:
        return self.validate_metadata(obj) + validate_quota(obj)

    def validate_update(self, new: ResourceQuota, old: ResourceQuota) -> list[FieldError]:
        return self.validate_metadata_update(new, old) + validate_quota_update(new, old)

    def validate_status_update(self, new: ResourceQuota, old: ResourceQuota) -> list[FieldError]:
        return self.validate_metadata_update(new, old) + validate_quota_status(new)

    def row(self, obj: ResourceQuota, now: datetime) -> list[Cell]:
        status = obj.status
        texts = {
            name: f"{name}: {status.used.get(name, '0')}/{status.hard[name]}"
            for name in sorted(status.hard)
        }
        limits = [text for name, text in texts.items() if name.startswith("limits")]
        requests = [text for name, text in texts.items() if not name.startswith("limits")]
        created = obj.metadata.creation_timestamp
        return [obj.metadata.name, ", ".join(requests), ", ".join(limits), age(created, now)]


STRATEGY = ResourceQuotaStrategy
