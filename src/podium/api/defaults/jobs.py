"""Defaults of ``batch/v1``. Follows ``pkg/apis/batch/v1/defaults.go`` of Kubernetes."""

from __future__ import annotations

from podium.api.defaults.workloads import set_defaults_template
from podium.api.types.batch_v1 import CronJob, Job, JobSpec

BACKOFF_LIMIT = 6
_MOST = 2**31 - 1


def set_defaults_job(obj: Job) -> None:
    set_defaults_job_spec(obj.spec)
    set_default_labels(obj)


def set_default_labels(obj: Job) -> None:
    """A Job without labels has those of its Pods."""
    obj.metadata.labels = obj.metadata.labels or dict(obj.spec.template.metadata.labels)


def set_defaults_job_spec(spec: JobSpec) -> None:
    set_defaults_template(spec.template)
    if spec.completions is None and spec.parallelism is None:
        spec.completions = spec.parallelism = 1
    if spec.parallelism is None:
        spec.parallelism = 1
    if spec.backoff_limit is None:
        spec.backoff_limit = BACKOFF_LIMIT if spec.backoff_limit_per_index is None else _MOST
    if spec.completion_mode is None:
        spec.completion_mode = "NonIndexed"
    if spec.suspend is None:
        spec.suspend = False
    if spec.pod_replacement_policy is None:
        spec.pod_replacement_policy = (
            "TerminatingOrFailed" if spec.pod_failure_policy is None else "Failed"
        )
    _set_defaults_failure_policy(spec)


def _set_defaults_failure_policy(spec: JobSpec) -> None:
    policy = spec.pod_failure_policy
    for rule in policy.rules if policy is not None else ():
        for pattern in rule.on_pod_conditions:
            pattern.status = pattern.status or "True"


def set_defaults_cron_job(obj: CronJob) -> None:
    spec = obj.spec
    spec.concurrency_policy = spec.concurrency_policy or "Allow"
    spec.suspend = bool(spec.suspend)
    if spec.successful_jobs_history_limit is None:
        spec.successful_jobs_history_limit = 3
    if spec.failed_jobs_history_limit is None:
        spec.failed_jobs_history_limit = 1
    set_defaults_template(spec.job_template.spec.template)
    _set_defaults_failure_policy(spec.job_template.spec)
