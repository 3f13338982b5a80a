"""IPAddresses: which of the cluster's addresses are taken, and by whom."""

from __future__ import annotations

from datetime import datetime

from podium.api.field import FieldError
from podium.api.types.networking_v1 import IPAddress
from podium.api.validation.addresses import (
    ip_address_name,
    validate_ip_address,
    validate_ip_address_update,
)
from podium.registry.strategies.base import Strategy
from podium.registry.strategies.table import NAME, NONE, Cell, Column


class IPAddressStrategy(Strategy[IPAddress]):
    columns = (NAME, Column("ParentRef"))

    def validate_name(self, name: str, prefix: bool) -> list[str]:
        return ip_address_name(name)

    def validate(self, obj: IPAddress) -> list[FieldError]:
        return [*self.validate_metadata(obj), *validate_ip_address(obj)]

    def validate_update(self, new: IPAddress, old: IPAddress) -> list[FieldError]:
        found = validate_ip_address_update(new, old)
        return [*self.validate_metadata_update(new, old), *found]

    def row(self, obj: IPAddress, now: datetime) -> list[Cell]:
        parent, shown = obj.spec.parent_ref, NONE
        if parent is not None:
            group = f".{parent.group}" if parent.group else ""
            place = f"/{parent.namespace}" if parent.namespace else ""
            shown = f"{parent.resource}{group}".lower() + f"{place}/{parent.name}"
        return [obj.metadata.name, shown]


STRATEGY = IPAddressStrategy
