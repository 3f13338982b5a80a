"""Leases."""

from __future__ import annotations

from datetime import datetime

from podium.api.field import FieldError
from podium.api.types.coordination_v1 import Lease
from podium.api.validation.leases import validate_lease
from podium.registry.strategies.base import Strategy
from podium.registry.strategies.table import AGE, NAME, Cell, Column, age


class LeaseStrategy(Strategy[Lease]):
    """Leases are renewed by whoever read them last: updates have to name a resourceVersion."""

    allow_create_on_update = True
    allow_unconditional_update = False
    columns = (NAME, Column("Holder"), AGE)

    def validate(self, obj: Lease) -> list[FieldError]:
        return self.validate_metadata(obj) + validate_lease(obj)

    def validate_update(self, new: Lease, old: Lease) -> list[FieldError]:
        return self.validate_metadata_update(new, old) + validate_lease(new)

    def row(self, obj: Lease, now: datetime) -> list[Cell]:
        return [
            obj.metadata.name,
            obj.spec.holder_identity or "",
            age(obj.metadata.creation_timestamp, now),
        ]


STRATEGY = LeaseStrategy
