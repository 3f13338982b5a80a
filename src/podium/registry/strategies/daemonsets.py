"""DaemonSets."""

from __future__ import annotations

from datetime import datetime

from podium.api.defaults.workloads import set_defaults_daemon_set
from podium.api.field import FieldError
from podium.api.types.apps_v1 import DaemonSet
from podium.api.validation.daemon_sets import validate_daemon_set, validate_daemon_set_update
from podium.api.validation.workload_statuses import validate_daemon_set_status
from podium.registry.strategies.table import AGE, NAME, Cell, Column, age
from podium.registry.strategies.workload import (
    CONTAINERS,
    IMAGES,
    SELECTOR,
    WorkloadStrategy,
    labels_text,
    selector_text,
    template_cells,
)

TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"


class DaemonSetStrategy(WorkloadStrategy[DaemonSet]):
    """An annotation counts the changes of the template: a field, before ``apps/v1``."""

    columns = (
        NAME,
        Column("Desired", type="integer"),
        Column("Current", type="integer"),
        Column("Ready", type="integer"),
        Column("Up-to-date", type="integer"),
        Column("Available", type="integer"),
        Column("Node Selector"),
        AGE,
        CONTAINERS,
        IMAGES,
        SELECTOR,
    )

    def default(self, obj: DaemonSet) -> None:
        set_defaults_daemon_set(obj)
        _count(obj, max(_counted(obj), 1))

    def prepare_for_create(self, obj: DaemonSet, now: datetime) -> None:
        super().prepare_for_create(obj, now)
        _count(obj, 1)

    def prepare_for_update(self, new: DaemonSet, old: DaemonSet, now: datetime) -> None:
        super().prepare_for_update(new, old, now)
        _count(new, _counted(old) + (new.spec.template != old.spec.template))

    def validate(self, obj: DaemonSet) -> list[FieldError]:
        return self.validate_metadata(obj) + validate_daemon_set(obj)

    def validate_update(self, new: DaemonSet, old: DaemonSet) -> list[FieldError]:
        return self.validate_metadata_update(new, old) + validate_daemon_set_update(new, old)

    def validate_status_update(self, new: DaemonSet, old: DaemonSet) -> list[FieldError]:
        return [*self.validate_metadata_update(new, old), *validate_daemon_set_status(new, old)]

    def row(self, obj: DaemonSet, now: datetime) -> list[Cell]:
        status = obj.status
        return [
            obj.metadata.name,
            status.desired_number_scheduled,
            status.current_number_scheduled,
            status.number_ready,
            status.updated_number_scheduled,
            status.number_available,
            labels_text(obj.spec.template.spec.node_selector),
            age(obj.metadata.creation_timestamp, now),
            *template_cells(obj.spec.template.spec),
            selector_text(obj.spec.selector),
        ]


def _counted(obj: DaemonSet) -> int:
    text = obj.metadata.annotations.get(TEMPLATE_GENERATION, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _count(obj: DaemonSet, number: int) -> None:
    obj.metadata.annotations = {**obj.metadata.annotations, TEMPLATE_GENERATION: str(number)}


STRATEGY = DaemonSetStrategy
