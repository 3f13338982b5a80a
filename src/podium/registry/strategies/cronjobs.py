"""CronJobs."""

from __future__ import annotations

from datetime import datetime

from podium.api.defaults.jobs import set_defaults_cron_job
from podium.api.field import FieldError, Path
from podium.api.types.batch_v1 import CronJob
from podium.api.types.core_v1 import PodTemplateSpec
from podium.api.validation.cron_jobs import validate_cron_job, validate_cron_job_update
from podium.registry.strategies.table import AGE, NAME, NONE, Cell, Column, age
from podium.registry.strategies.workload import (
    CONTAINERS,
    IMAGES,
    SELECTOR,
    WorkloadStrategy,
    selector_text,
    template_cells,
)


class CronJobStrategy(WorkloadStrategy[CronJob]):
    columns = (
        NAME,
        Column("Schedule"),
        Column("Timezone"),
        Column("Suspend", type="boolean"),
        Column("Active", type="integer"),
        Column("Last Schedule"),
        AGE,
        CONTAINERS,
        IMAGES,
        SELECTOR,
    )

    template_path = Path("spec.jobTemplate.spec.template")

    def template(self, obj: CronJob) -> PodTemplateSpec:
        return obj.spec.job_template.spec.template

    def default(self, obj: CronJob) -> None:
        set_defaults_cron_job(obj)

    def validate(self, obj: CronJob) -> list[FieldError]:
        return self.validate_metadata(obj) + validate_cron_job(obj)

    def validate_update(self, new: CronJob, old: CronJob) -> list[FieldError]:
        return self.validate_metadata_update(new, old) + validate_cron_job_update(new, old)

    def row(self, obj: CronJob, now: datetime) -> list[Cell]:
        spec, last = obj.spec, obj.status.last_schedule_time
        return [
            obj.metadata.name,
            spec.schedule,
            NONE if spec.time_zone is None else spec.time_zone,
            str(bool(spec.suspend)),
            len(obj.status.active),
            NONE if last is None else age(last, now),
            age(obj.metadata.creation_timestamp, now),
            *template_cells(spec.job_template.spec.template.spec),
            selector_text(spec.job_template.spec.selector),
        ]


STRATEGY = CronJobStrategy
