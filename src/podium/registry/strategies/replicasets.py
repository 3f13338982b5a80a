"""ReplicaSets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from podium.api.defaults.workloads import set_defaults_replica_set
from podium.api.field import FieldError
from podium.api.types.apps_v1 import ReplicaSet
from podium.api.validation.workload_statuses import validate_replicas_status
from podium.api.validation.workloads import validate_replica_set, validate_replica_set_update
from podium.registry.strategies.table import AGE, NAME, Cell, Column, age
from podium.registry.strategies.workload import (
    CONTAINERS,
    IMAGES,
    SELECTOR,
    WorkloadStrategy,
    selector_text,
    template_cells,
)


class ReplicaSetStrategy(WorkloadStrategy[ReplicaSet]):
    field_labels = frozenset({"status.replicas"})
    columns = (
        NAME,
        Column("Desired", type="integer"),
        Column("Current", type="integer"),
        Column("Ready", type="integer"),
        AGE,
        CONTAINERS,
        IMAGES,
        SELECTOR,
    )

    def default(self, obj: ReplicaSet) -> None:
        set_defaults_replica_set(obj)

    def validate(self, obj: ReplicaSet) -> list[FieldError]:
        return self.validate_metadata(obj) + validate_replica_set(obj)

    def validate_update(self, new: ReplicaSet, old: ReplicaSet) -> list[FieldError]:
        return self.validate_metadata_update(new, old) + validate_replica_set_update(new, old)

    def validate_status_update(self, new: ReplicaSet, old: ReplicaSet) -> list[FieldError]:
        return [*self.validate_metadata_update(new, old), *validate_replicas_status(new)]

    def fields(self, obj: ReplicaSet) -> Mapping[str, str]:
        return {**super().fields(obj), "status.replicas": str(obj.status.replicas)}

    def row(self, obj: ReplicaSet, now: datetime) -> list[Cell]:
        return [
            obj.metadata.name,
            obj.spec.replicas or 0,
            obj.status.replicas,
            obj.status.ready_replicas,
            age(obj.metadata.creation_timestamp, now),
            *template_cells(obj.spec.template.spec),
            selector_text(obj.spec.selector),
        ]


STRATEGY = ReplicaSetStrategy
