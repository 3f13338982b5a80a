"""Checks of ``batch/v1``. Follows ``pkg/apis/batch/validation`` of Kubernetes."""

from __future__ import annotations

import re

from podium.api import selectors
from podium.api.field import FieldError, Path, invalid, not_supported, required
from podium.api.types.batch_v1 import CronJob, Job, JobSpec
from podium.api.validation.common import Errors, immutable, non_negative
from podium.api.validation.scheduling import validate_label_selector
from podium.api.validation.templates import go_labels, validate_template

SPEC = Path("spec")
COMPLETION_MODES = ("Indexed", "NonIndexed")
CONCURRENCY = ("Allow", "Forbid", "Replace")
_MAX_NAME = 52
_FIELD = r"(?:\*|[0-9]+(?:-[0-9]+)?|[A-Za-z]{3}(?:-[A-Za-z]{3})?|\?)(?:/[0-9]+)?"
_LIST = rf"{_FIELD}(?:,{_FIELD})*"
_SCHEDULE = re.compile(rf"(?:@\w+(?: \S+)?|{_LIST}(?: +{_LIST}){{4}})")


def validate_job(obj: Job) -> list[FieldError]:
    spec = obj.spec
    errors = list(validate_job_spec(SPEC, spec))
    if spec.selector is None:
        errors.append(required(SPEC.child("selector")))
    else:
        errors.extend(validate_label_selector(SPEC.child("selector"), spec.selector))
        labels = spec.template.metadata.labels
        try:
            matches = selectors.from_struct(spec.selector).matches(labels)
        except ValueError:
            matches = True
        if not matches:
            at = SPEC.child("template", "metadata", "labels")
            text = "`selector` does not match template `labels`"
            errors.append(invalid(at, go_labels(labels), text))
    return errors


def validate_job_update(new: Job, old: Job) -> list[FieldError]:
    errors = list(validate_job_spec(SPEC, new.spec))
    for attribute, name in (
        ("completions", "completions"),
        ("selector", "selector"),
        ("template", "template"),
        ("completion_mode", "completionMode"),
        ("pod_failure_policy", "podFailurePolicy"),
        ("backoff_limit_per_index", "backoffLimitPerIndex"),
        ("managed_by", "managedBy"),
        ("success_policy", "successPolicy"),
    ):
        new_value, old_value = getattr(new.spec, attribute), getattr(old.spec, attribute)
        if attribute == "completions" and _elastic(new.spec, old.spec):
            continue
        if attribute == "template" and _may_change_template(old):
            continue
        errors.extend(immutable(SPEC.child(name), new_value, old_value))
    return errors


def validate_job_spec(path: Path, spec: JobSpec) -> Errors:
    for name, value in (
        ("parallelism", spec.parallelism),
        ("completions", spec.completions),
        ("activeDeadlineSeconds", spec.active_deadline_seconds),
        ("backoffLimit", spec.backoff_limit),
        ("ttlSecondsAfterFinished", spec.ttl_seconds_after_finished),
        ("backoffLimitPerIndex", spec.backoff_limit_per_index),
        ("maxFailedIndexes", spec.max_failed_indexes),
    ):
        if value is not None:
            yield from non_negative(path.child(name), value)
    if spec.completion_mode is not None:
        at = path.child("completionMode")
        if spec.completion_mode not in COMPLETION_MODES:
            yield not_supported(at, spec.completion_mode, COMPLETION_MODES)
        elif spec.completion_mode == "Indexed" and spec.completions is None:
            text = "when completion mode is Indexed"
            yield required(path.child("completions"), text)
    yield from validate_template(path.child("template"), spec.template)
    policy = spec.template.spec.restart_policy
    at = path.child("template", "spec", "restartPolicy")
    if policy == "Always" or not policy:
        yield required(at, 'valid values: "OnFailure", "Never"')
    elif policy not in ("OnFailure", "Never"):
        yield not_supported(at, policy, ["OnFailure", "Never"])


def validate_cron_job(obj: CronJob) -> list[FieldError]:
    spec, errors = obj.spec, list[FieldError]()
    if len(obj.metadata.name) > _MAX_NAME:
        text = f"must be no more than {_MAX_NAME} characters"
        errors.append(invalid(Path("metadata").child("name"), obj.metadata.name, text))
    if not spec.schedule:
        errors.append(required(SPEC.child("schedule")))
    elif not _SCHEDULE.fullmatch(spec.schedule):
        count = len(spec.schedule.split())
        text = f"expected exactly 5 fields, found {count}: [{spec.schedule}]"
        errors.append(invalid(SPEC.child("schedule"), spec.schedule, text))
    if spec.starting_deadline_seconds is not None:
        at = SPEC.child("startingDeadlineSeconds")
        errors.extend(non_negative(at, spec.starting_deadline_seconds))
    if not spec.concurrency_policy:
        errors.append(required(SPEC.child("concurrencyPolicy")))
    elif spec.concurrency_policy not in CONCURRENCY:
        at = SPEC.child("concurrencyPolicy")
        errors.append(not_supported(at, spec.concurrency_policy, CONCURRENCY))
    errors.extend(validate_job_spec(SPEC.child("jobTemplate", "spec"), spec.job_template.spec))
    for name, limit in (
        ("successfulJobsHistoryLimit", spec.successful_jobs_history_limit),
        ("failedJobsHistoryLimit", spec.failed_jobs_history_limit),
    ):
        errors.extend(non_negative(SPEC.child(name), limit or 0))
    return errors


def _elastic(new: JobSpec, old: JobSpec) -> bool:
    """An indexed Job may change its completions together with its parallelism."""
    return (
        new.completion_mode == old.completion_mode == "Indexed"
        and new.completions == new.parallelism
        and old.completions == old.parallelism
    )


def _may_change_template(old: Job) -> bool:
    """Scheduling directives may change as long as a suspended Job never started."""
    return bool(old.spec.suspend) and old.status.start_time is None
