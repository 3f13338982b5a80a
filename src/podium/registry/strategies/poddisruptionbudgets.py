"""PodDisruptionBudgets."""

from __future__ import annotations

from datetime import datetime

from podium.api.field import FieldError
from podium.api.types.policy_v1 import PodDisruptionBudget
from podium.api.validation.disruption import validate_budget, validate_budget_status
from podium.registry.strategies.base import Strategy
from podium.registry.strategies.table import AGE, NAME, Cell, Column, age

_NOT_SAID = "N/A"


class PodDisruptionBudgetStrategy(Strategy[PodDisruptionBudget]):
    counts_generations = True
    allow_unconditional_update = False
    columns = (
        NAME,
        Column("Min Available"),
        Column("Max Unavailable"),
        Column("Allowed Disruptions", type="integer"),
        AGE,
    )

    def validate(self, obj: PodDisruptionBudget) -> list[FieldError]:
        return self.validate_metadata(obj) + validate_budget(obj)

    def validate_update(
        self, new: PodDisruptionBudget, old: PodDisruptionBudget
    ) -> list[FieldError]:
        return self.validate_metadata_update(new, old) + validate_budget(new)

    def validate_status_update(
        self, new: PodDisruptionBudget, old: PodDisruptionBudget
    ) -> list[FieldError]:
        return [*self.validate_metadata_update(new, old), *validate_budget_status(new)]

    def row(self, obj: PodDisruptionBudget, now: datetime) -> list[Cell]:
        spec = obj.spec
        return [
            obj.metadata.name,
            _NOT_SAID if spec.min_available is None else str(spec.min_available),
            _NOT_SAID if spec.max_unavailable is None else str(spec.max_unavailable),
            obj.status.disruptions_allowed,
            age(obj.metadata.creation_timestamp, now),
        ]


STRATEGY = PodDisruptionBudgetStrategy
