"""Jobs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from podium.api import errors
from podium.api.defaults.jobs import set_default_labels, set_defaults_job
from podium.api.field import FieldError
from podium.api.types.batch_v1 import Job
from podium.api.types.meta_v1 import LabelSelector
from podium.api.validation.job_statuses import validate_job_status
from podium.api.validation.jobs import validate_job, validate_job_update
from podium.registry.strategies.table import AGE, NAME, Cell, Column, age, human_duration
from podium.registry.strategies.workload import (
    CONTAINERS,
    IMAGES,
    SELECTOR,
    WorkloadStrategy,
    selector_text,
    template_cells,
)

_PREFIX = "batch.kubernetes.io/"


class JobStrategy(WorkloadStrategy[Job]):
    """A Job finds its Pods by its own uid, unless it says ``manualSelector``."""

    orphans_by_default = True  # as clients have known it since before garbage collection
    field_labels = frozenset({"status.successful"})
    columns = (
        NAME,
        Column("Status"),
        Column("Completions"),
        Column("Duration"),
        AGE,
        CONTAINERS,
        IMAGES,
        SELECTOR,
    )

    def default(self, obj: Job) -> None:
        set_defaults_job(obj)

    def prepare_for_create(self, obj: Job, now: datetime) -> None:
        super().prepare_for_create(obj, now)
        if not obj.spec.manual_selector:
            _select_own_pods(obj)

    def prepare_for_status_update(self, new: Job, old: Job, now: datetime) -> None:
        super().prepare_for_status_update(new, old, now)
        set_default_labels(new)  # of the template that is there, not of the one that was sent

    def validate(self, obj: Job) -> list[FieldError]:
        return self.validate_metadata(obj) + validate_job(obj)

    def validate_update(self, new: Job, old: Job) -> list[FieldError]:
        return self.validate_metadata_update(new, old) + validate_job_update(new, old)

    def validate_status_update(self, new: Job, old: Job) -> list[FieldError]:
        return [*self.validate_metadata_update(new, old), *validate_job_status(new, old)]

    def field_label(self, label: str) -> str:
        if label in ("metadata.name", "metadata.namespace", *self.field_labels):
            return label
        raise errors.bad_request(f'field label "{label}" not supported for Job')

    def fields(self, obj: Job) -> Mapping[str, str]:
        return {**super().fields(obj), "status.successful": str(obj.status.succeeded)}

    def row(self, obj: Job, now: datetime) -> list[Cell]:
        return [
            obj.metadata.name,
            _status(obj),
            _completions(obj),
            _duration(obj, now),
            age(obj.metadata.creation_timestamp, now),
            *template_cells(obj.spec.template.spec),
            selector_text(obj.spec.selector),
        ]


def _select_own_pods(job: Job) -> None:
    """Label the template, and select by, what no other Job has."""
    uid, name = job.metadata.uid, job.metadata.name
    labels = {
        f"{_PREFIX}controller-uid": uid,
        f"{_PREFIX}job-name": name,
        "controller-uid": uid,
        "job-name": name,
    }
    template = job.spec.template.metadata
    template.labels = {**labels, **template.labels}
    if job.spec.selector is None:
        job.spec.selector = LabelSelector()
    key = f"{_PREFIX}controller-uid"
    job.spec.selector.match_labels = {key: uid, **job.spec.selector.match_labels}
    job.metadata.labels = job.metadata.labels or dict(template.labels)


def _status(job: Job) -> str:
    true = {c.type for c in job.status.conditions if c.status == "True"}
    for condition, word in (("Complete", "Complete"), ("Failed", "Failed")):
        if condition in true:
            return word
    if job.metadata.deletion_timestamp is not None:
        return "Terminating"
    if "Suspended" in true:
        return "Suspended"
    if "FailureTarget" in true:
        return "FailureTarget"
    if "SuccessCriteriaMet" in true:
        return "SuccessCriteriaMet"
    return "Running"


def _completions(job: Job) -> str:
    spec = job.spec
    if spec.completions is not None:
        return f"{job.status.succeeded}/{spec.completions}"
    parallelism = spec.parallelism or 0
    if parallelism > 1:
        return f"{job.status.succeeded}/1 of {parallelism}"
    return f"{job.status.succeeded}/1"


def _duration(job: Job, now: datetime) -> str:
    start = job.status.start_time
    if start is None:
        return ""
    return human_duration((job.status.completion_time or now) - start)


STRATEGY = JobStrategy
