"""What Pods and nodes use, which nobody stores: only how metrics-server shows it."""

from __future__ import annotations

from datetime import datetime

from podium.api.metrics import NodeMetrics, PodMetrics
from podium.api.quantity import Amount, parse
from podium.api.scheme import Resource
from podium.registry.strategies.base import Strategy
from podium.registry.strategies.table import NAME, Cell, Column


class UsageStrategy(Strategy[PodMetrics | NodeMetrics]):
    def __init__(self, resource: Resource) -> None:
        super().__init__(resource)
        self.columns = (NAME, Column("cpu"), Column("memory"), Column("window"))

    def row(self, obj: PodMetrics | NodeMetrics, now: datetime) -> list[Cell]:
        parts = [obj.usage] if isinstance(obj, NodeMetrics) else [c.usage for c in obj.containers]
        total = {
            name: sum((parse(part[name]) for part in parts), Amount(0))
            for name in ("cpu", "memory")
        }
        return [obj.metadata.name, str(total["cpu"]), str(total["memory"]), obj.window]


STRATEGY = UsageStrategy
