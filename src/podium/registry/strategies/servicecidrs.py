"""ServiceCIDRs: the ranges that Services get their addresses from."""

from __future__ import annotations

from datetime import datetime

from podium.api.field import FieldError
from podium.api.types.networking_v1 import ServiceCIDR
from podium.api.validation.addresses import validate_service_cidr, validate_service_cidr_update
from podium.registry.strategies.base import Strategy
from podium.registry.strategies.table import AGE, NAME, Cell, Column, age


class ServiceCIDRStrategy(Strategy[ServiceCIDR]):
    columns = (NAME, Column("CIDRs"), AGE)

    def validate(self, obj: ServiceCIDR) -> list[FieldError]:
        return self.validate_metadata(obj) + validate_service_cidr(obj)

    def validate_update(self, new: ServiceCIDR, old: ServiceCIDR) -> list[FieldError]:
        found = validate_service_cidr_update(new, old)
        return self.validate_metadata_update(new, old) + found

    def row(self, obj: ServiceCIDR, now: datetime) -> list[Cell]:
        created = obj.metadata.creation_timestamp
        return [obj.metadata.name, ",".join(obj.spec.cidrs), age(created, now)]


STRATEGY = ServiceCIDRStrategy
