"""StatefulSets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from podium.api import names
from podium.api.defaults.workloads import set_defaults_stateful_set
from podium.api.field import FieldError, Path
from podium.api.types.apps_v1 import StatefulSet
from podium.api.validation.stateful_sets import (
    validate_stateful_set,
    validate_stateful_set_update,
)
from podium.api.validation.workload_statuses import validate_stateful_set_status
from podium.registry.strategies.persistentvolumeclaims import size_warnings
from podium.registry.strategies.table import AGE, NAME, Cell, Column, age
from podium.registry.strategies.workload import (
    CONTAINERS,
    IMAGES,
    WorkloadStrategy,
    template_cells,
)


class StatefulSetStrategy(WorkloadStrategy[StatefulSet]):
    columns = (NAME, Column("Ready"), AGE, CONTAINERS, IMAGES)

    def default(self, obj: StatefulSet) -> None:
        set_defaults_stateful_set(obj)

    def validate_name(self, name: str, prefix: bool) -> list[str]:
        return names.name_is_dns_label(name, prefix)  # it becomes a host name of Pods

    def validate(self, obj: StatefulSet) -> list[FieldError]:
        return self.validate_metadata(obj) + validate_stateful_set(obj)

    def validate_update(self, new: StatefulSet, old: StatefulSet) -> list[FieldError]:
        return self.validate_metadata_update(new, old) + validate_stateful_set_update(new, old)

    def validate_status_update(self, new: StatefulSet, old: StatefulSet) -> list[FieldError]:
        return [*self.validate_metadata_update(new, old), *validate_stateful_set_status(new, old)]

    def warnings_on_create(self, obj: StatefulSet) -> list[str]:
        return [*super().warnings_on_create(obj), *_warnings(obj)]

    def warnings_on_update(self, new: StatefulSet, old: StatefulSet) -> list[str]:
        return [*super().warnings_on_update(new, old), *_warnings(new)]

    def row(self, obj: StatefulSet, now: datetime) -> list[Cell]:
        return [
            obj.metadata.name,
            f"{obj.status.ready_replicas}/{obj.spec.replicas or 0}",
            age(obj.metadata.creation_timestamp, now),
            *template_cells(obj.spec.template.spec),
        ]


def _warnings(obj: StatefulSet) -> Iterator[str]:
    for i, claim in enumerate(obj.spec.volume_claim_templates):
        yield from size_warnings(Path("spec.volumeClaimTemplates").index(i), claim.spec)
    if (obj.spec.revision_history_limit or 0) < 0:
        yield (
            "spec.revisionHistoryLimit: a negative value retains all historical revisions; "
            "a value >= 0 is recommended"
        )


STRATEGY = StatefulSetStrategy
