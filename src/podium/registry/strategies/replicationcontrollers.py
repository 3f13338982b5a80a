"""ReplicationControllers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from podium.api.defaults.workloads import set_defaults_replication_controller
from podium.api.field import FieldError
from podium.api.types.core_v1 import PodSpec, ReplicationController
from podium.api.validation.workload_statuses import validate_replicas_status
from podium.api.validation.workloads import validate_replication_controller
from podium.registry.strategies.table import AGE, NAME, Cell, Column, age
from podium.registry.strategies.workload import (
    CONTAINERS,
    IMAGES,
    SELECTOR,
    WorkloadStrategy,
    labels_text,
    template_cells,
)


class ReplicationControllerStrategy(WorkloadStrategy[ReplicationController]):
    orphans_by_default = True  # as clients have known it since before garbage collection
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

    def default(self, obj: ReplicationController) -> None:
        set_defaults_replication_controller(obj)

    def validate(self, obj: ReplicationController) -> list[FieldError]:
        return self.validate_metadata(obj) + validate_replication_controller(obj)

    def validate_update(
        self, new: ReplicationController, old: ReplicationController
    ) -> list[FieldError]:
        return self.validate_metadata_update(new, old) + validate_replication_controller(new)

    def validate_status_update(
        self, new: ReplicationController, old: ReplicationController
    ) -> list[FieldError]:
        return [*self.validate_metadata_update(new, old), *validate_replicas_status(new)]

    def fields(self, obj: ReplicationController) -> Mapping[str, str]:
        return {**super().fields(obj), "status.replicas": str(obj.status.replicas)}

    def row(self, obj: ReplicationController, now: datetime) -> list[Cell]:
        spec = obj.spec.template.spec if obj.spec.template is not None else PodSpec()
        return [
            obj.metadata.name,
            obj.spec.replicas or 0,
            obj.status.replicas,
            obj.status.ready_replicas,
            age(obj.metadata.creation_timestamp, now),
            *template_cells(spec),
            labels_text(obj.spec.selector),
        ]


STRATEGY = ReplicationControllerStrategy
