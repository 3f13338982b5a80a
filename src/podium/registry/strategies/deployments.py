"""Deployments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from podium.api.defaults.workloads import set_defaults_deployment
from podium.api.field import FieldError
from podium.api.types.apps_v1 import Deployment
from podium.api.validation.workload_statuses import validate_deployment_status
from podium.api.validation.workloads import validate_deployment, validate_deployment_update
from podium.registry.strategies.base import copy_field
from podium.registry.strategies.table import AGE, NAME, Cell, Column, age
from podium.registry.strategies.workload import (
    CONTAINERS,
    IMAGES,
    SELECTOR,
    WorkloadStrategy,
    selector_text,
    template_cells,
)


class DeploymentStrategy(WorkloadStrategy[Deployment]):
    columns = (
        NAME,
        Column("Ready"),
        Column("Up-to-date"),
        Column("Available"),
        AGE,
        CONTAINERS,
        IMAGES,
        SELECTOR,
    )

    def default(self, obj: Deployment) -> None:
        set_defaults_deployment(obj)

    def validate(self, obj: Deployment) -> list[FieldError]:
        return self.validate_metadata(obj) + validate_deployment(obj)

    def validate_update(self, new: Deployment, old: Deployment) -> list[FieldError]:
        return self.validate_metadata_update(new, old) + validate_deployment_update(new, old)

    def count_generation(self, new: Deployment, old: Deployment) -> None:
        """Annotations count, too: they are copied to the ReplicaSets."""
        super().count_generation(new, old)
        same_spec = new.metadata.generation == old.metadata.generation
        if same_spec and new.metadata.annotations != old.metadata.annotations:
            new.metadata.generation += 1

    def prepare_for_status_update(self, new: Deployment, old: Deployment, now: datetime) -> None:
        super().prepare_for_status_update(new, old, now)
        copy_field(new.metadata, old.metadata, "labels")

    def reset_fields(self, subresource: str = "") -> Sequence[tuple[str, ...]]:
        found = super().reset_fields(subresource)
        return (*found, ("metadata", "labels")) if subresource == "status" else found

    def validate_status_update(self, new: Deployment, old: Deployment) -> list[FieldError]:
        return [*self.validate_metadata_update(new, old), *validate_deployment_status(new, old)]

    def row(self, obj: Deployment, now: datetime) -> list[Cell]:
        return [
            obj.metadata.name,
            f"{obj.status.ready_replicas}/{obj.spec.replicas or 0}",
            obj.status.updated_replicas,
            obj.status.available_replicas,
            age(obj.metadata.creation_timestamp, now),
            *template_cells(obj.spec.template.spec),
            selector_text(obj.spec.selector),
        ]


STRATEGY = DeploymentStrategy
