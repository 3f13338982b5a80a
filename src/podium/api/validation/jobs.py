"""Checks of Jobs. Follows ``pkg/apis/batch/validation`` of Kubernetes."""

from __future__ import annotations

from copy import copy

from msgspec.structs import replace

from podium.api import names, selectors
from podium.api.field import FieldError, Path, invalid, not_supported, required, too_long
from podium.api.types.batch_v1 import Job, JobSpec
from podium.api.types.core_v1 import Affinity, PodTemplateSpec
from podium.api.validation.common import (
    Errors,
    domain_prefixed_path,
    immutable,
    non_negative,
    one_of,
)
from podium.api.validation.job_policies import (
    validate_failure_policy,
    validate_replacement_policy,
    validate_success_policy,
)
from podium.api.validation.scheduling import validate_label_selector
from podium.api.validation.templates import go_labels, validate_template

SPEC = Path("spec")
COMPLETION_MODES = ("NonIndexed", "Indexed")
_MAX_MANAGER = 63
_MAX_PARALLELISM = _MAX_FAILED = _MANY = 100_000
#: Of Jobs with more completions than that, with a limit of failures for each.
_MAX_OF_MANY = 10_000
_OF_MANY = (
    f"must be less than or equal to {_MAX_OF_MANY} when completions are above {_MANY} and used "
    "with backoff limit per index"
)
_INDEXED = "requires indexed completion mode"
_LABELS = (
    ("controller-uid", "uid"),
    ("job-name", "name"),
    ("batch.kubernetes.io/controller-uid", "uid"),
    ("batch.kubernetes.io/job-name", "name"),
)


def validate_job(obj: Job) -> list[FieldError]:
    errors = list(_generated_selector(obj))
    errors.extend(_spec_with_selector(obj.spec))
    spec = obj.spec
    if spec.completion_mode == "Indexed" and spec.completions is not None and spec.completions > 0:
        name = f"{obj.metadata.name}-{spec.completions - 1}"
        if names.dns1123_label(name):
            text = f"will not able to create pod with invalid DNS label: {name}"
            errors.append(invalid(Path("metadata").child("name"), obj.metadata.name, text))
    return errors


def validate_job_update(new: Job, old: Job) -> list[FieldError]:
    now, before = new.spec, old.spec
    errors = list(_spec_with_selector(now))
    errors.extend(_completions(now, before))
    errors.extend(immutable(SPEC.child("selector"), now.selector, before.selector))
    template = before.template
    if before.suspend and old.status.start_time is None:
        template = _placed_as(before.template, now.template)
    errors.extend(immutable(SPEC.child("template"), now.template, template))
    for attribute, name in (
        ("completion_mode", "completionMode"),
        ("pod_failure_policy", "podFailurePolicy"),
        ("backoff_limit_per_index", "backoffLimitPerIndex"),
        ("managed_by", "managedBy"),
        ("success_policy", "successPolicy"),
    ):
        errors.extend(
            immutable(SPEC.child(name), getattr(now, attribute), getattr(before, attribute))
        )
    return errors


def validate_job_spec(path: Path, spec: JobSpec) -> Errors:
    """Check all but the selector: what a Job and the template of one have in common."""
    for name, value in (
        ("parallelism", spec.parallelism),
        ("completions", spec.completions),
        ("activeDeadlineSeconds", spec.active_deadline_seconds),
        ("backoffLimit", spec.backoff_limit),
        ("ttlSecondsAfterFinished", spec.ttl_seconds_after_finished),
        ("backoffLimitPerIndex", spec.backoff_limit_per_index),
        ("maxFailedIndexes", spec.max_failed_indexes),
    ):
        yield from non_negative(path.child(name), value or 0)
    if spec.max_failed_indexes is not None and spec.backoff_limit_per_index is None:
        text = "when maxFailedIndexes is specified"
        yield required(path.child("backoffLimitPerIndex"), text)
    if spec.managed_by is not None:
        yield from domain_prefixed_path(path.child("managedBy"), spec.managed_by)
        if len(spec.managed_by) > _MAX_MANAGER:
            yield too_long(path.child("managedBy"), _MAX_MANAGER)
    yield from _mode(path, spec)
    if spec.pod_failure_policy is not None:
        yield from validate_failure_policy(path.child("podFailurePolicy"), spec)
    if spec.success_policy is not None:
        at = path.child("successPolicy")
        if spec.completion_mode != "Indexed":
            yield invalid(at, spec.success_policy, _INDEXED)
        else:
            yield from validate_success_policy(at, spec.success_policy, spec.completions)
    yield from validate_replacement_policy(path.child("podReplacementPolicy"), spec)
    yield from validate_template(path.child("template"), spec.template)
    yield from _restart_policy(path.child("template", "spec", "restartPolicy"), spec)


def _spec_with_selector(spec: JobSpec) -> Errors:
    yield from validate_job_spec(SPEC, spec)
    if spec.selector is None:
        yield required(SPEC.child("selector"))
    yield from validate_label_selector(SPEC.child("selector"), spec.selector)
    labels = spec.template.metadata.labels
    try:
        matches = selectors.from_struct(spec.selector).matches(labels)
    except ValueError:
        return
    if not matches:
        at = SPEC.child("template", "metadata", "labels")
        yield invalid(at, go_labels(labels), "`selector` does not match template `labels`")


def _generated_selector(job: Job) -> Errors:
    """Require what the server makes, which a client's labels may have got into the way of."""
    if job.spec.manual_selector or job.spec.selector is None:
        return
    labels, at = job.spec.template.metadata.labels, SPEC.child("template", "metadata", "labels")
    expected = {label: getattr(job.metadata, source) for label, source in _LABELS}
    for label, value in expected.items():
        text = f"must be '{value}'"
        if label not in labels:
            yield required(at.key(label), text)
        elif labels[label] != value:
            yield invalid(at.key(label), go_labels(labels), text)
    try:
        matches = selectors.from_struct(job.spec.selector).matches(expected)
    except ValueError:
        return
    if not matches:
        yield invalid(SPEC.child("selector"), job.spec.selector, "`selector` not auto-generated")


def _mode(path: Path, spec: JobSpec) -> Errors:
    mode = spec.completion_mode
    if mode is not None and mode not in COMPLETION_MODES:
        yield not_supported(path.child("completionMode"), mode, COMPLETION_MODES)
    elif mode == "Indexed":
        yield from _indexed(path, spec)
    else:
        for name, value in (
            ("backoffLimitPerIndex", spec.backoff_limit_per_index),
            ("maxFailedIndexes", spec.max_failed_indexes),
        ):
            if value is not None:
                yield invalid(path.child(name), value, _INDEXED)


def _indexed(path: Path, spec: JobSpec) -> Errors:
    completions, most = spec.completions, spec.max_failed_indexes
    parallelism = spec.parallelism or 0
    if completions is None:
        yield required(path.child("completions"), "when completion mode is Indexed")
    if parallelism > _MAX_PARALLELISM:
        text = f"must be less than or equal to {_MAX_PARALLELISM} when completion mode is Indexed"
        yield invalid(path.child("parallelism"), parallelism, text)
    at = path.child("maxFailedIndexes")
    if most is not None:
        if completions is not None and most > completions:
            yield invalid(at, most, "must be less than or equal to completions")
        if most > _MAX_FAILED:
            yield invalid(at, most, f"must be less than or equal to {_MAX_FAILED}")
    if (completions or 0) > _MANY and spec.backoff_limit_per_index is not None:
        if most is None:
            yield required(at, f"must be specified when completions is above {_MANY}")
        if parallelism > _MAX_OF_MANY:
            yield invalid(path.child("parallelism"), parallelism, _OF_MANY)
        if most is not None and most > _MAX_OF_MANY:
            yield invalid(at, most, _OF_MANY)


def _restart_policy(path: Path, spec: JobSpec) -> Errors:
    policy = spec.template.spec.restart_policy
    if policy in ("", "Always"):
        yield required(path, 'valid values: "OnFailure", "Never"')
    elif policy not in ("OnFailure", "Never"):
        yield from one_of(path, policy, ("OnFailure", "Never"))
    elif policy != "Never" and spec.pod_failure_policy is not None:
        yield invalid(path, policy, 'only "Never" is supported when podFailurePolicy is specified')


def _completions(new: JobSpec, old: JobSpec) -> Errors:
    """An indexed Job may change its completions together with its parallelism."""
    at = SPEC.child("completions")
    if new.completion_mode != "Indexed":
        yield from immutable(at, new.completions, old.completions)
    elif new.completions not in (None, old.completions, new.parallelism):
        yield invalid(at, new.completions, "can only be modified in tandem with spec.parallelism")


def _placed_as(old: PodTemplateSpec, new: PodTemplateSpec) -> PodTemplateSpec:
    """Return *old* with what *new* says of where Pods go: it may change until they have begun."""
    spec = copy(old.spec)
    for attribute in ("node_selector", "tolerations", "scheduling_gates"):
        setattr(spec, attribute, getattr(new.spec, attribute))
    affinity = replace(old.spec.affinity or Affinity(), node_affinity=None)
    if new.spec.affinity is not None:
        affinity.node_affinity = new.spec.affinity.node_affinity
    elif affinity == Affinity():
        spec.affinity = None
        affinity = None  # type: ignore[assignment]
    if affinity is not None and (new.spec.affinity or old.spec.affinity):
        spec.affinity = affinity
    metadata = replace(
        old.metadata, labels=new.metadata.labels, annotations=new.metadata.annotations
    )
    return replace(old, metadata=metadata, spec=spec)
