"""ComponentStatuses, which nobody stores: only how they are shown."""

from __future__ import annotations

from datetime import datetime

from podium.api.types.core_v1 import ComponentStatus
from podium.registry.strategies.base import Strategy
from podium.registry.strategies.table import NAME, Cell, Column


class ComponentStatusStrategy(Strategy[ComponentStatus]):
    columns = (NAME, Column("Status"), Column("Message"), Column("Error"))

    def row(self, obj: ComponentStatus, now: datetime) -> list[Cell]:
        for condition in obj.conditions:
            if condition.type == "Healthy":
                status = "Healthy" if condition.status == "True" else "Unhealthy"
                return [obj.metadata.name, status, condition.message, condition.error]
        return [obj.metadata.name, "Unknown", "", ""]


STRATEGY = ComponentStatusStrategy
