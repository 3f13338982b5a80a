"""ServiceAccounts."""

from __future__ import annotations

from datetime import datetime

from podium.api.types.core_v1 import ServiceAccount
from podium.registry.strategies.base import Strategy
from podium.registry.strategies.table import AGE, NAME, Cell, Column, age


class ServiceAccountStrategy(Strategy[ServiceAccount]):
    returns_deleted_object = True
    columns = (NAME, Column("Secrets"), AGE)

    def row(self, obj: ServiceAccount, now: datetime) -> list[Cell]:
        return [
            obj.metadata.name,
            len(obj.secrets),
            age(obj.metadata.creation_timestamp, now),
        ]


STRATEGY = ServiceAccountStrategy
