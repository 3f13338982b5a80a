"""Checks of ReplicationControllers and ``apps/v1``.

Follows ``pkg/apis/apps/validation`` and ``pkg/apis/core/validation`` of Kubernetes.
"""

from __future__ import annotations

from podium.api import names, selectors
from podium.api.field import FieldError, Path, forbidden, invalid, not_supported, required
from podium.api.types.apps_v1 import (
    DaemonSet,
    DaemonSetUpdateStrategy,
    Deployment,
    DeploymentStrategy,
    ReplicaSet,
    StatefulSet,
)
from podium.api.types.core_v1 import PodTemplateSpec, ReplicationController
from podium.api.types.meta_v1 import LabelSelector
from podium.api.validation.common import Errors, immutable, invalid_each, non_negative
from podium.api.validation.scheduling import validate_label_selector
from podium.api.validation.templates import go_labels, validate_template

SPEC = Path("spec")
_TEMPLATE = SPEC.child("template")
_MISMATCH = "`selector` does not match template `labels`"
_STRATEGIES = ("Recreate", "RollingUpdate")
_UPDATES = ("OnDelete", "RollingUpdate")
_KEPT = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
    "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
    "'minReadySeconds' are forbidden"
)
_MUTABLE = (
    "replicas",
    "ordinals",
    "template",
    "update_strategy",
    "revision_history_limit",
    "persistent_volume_claim_retention_policy",
    "min_ready_seconds",
)


def validate_replication_controller(obj: ReplicationController) -> list[FieldError]:
    spec = obj.spec
    errors = list(non_negative(SPEC.child("minReadySeconds"), spec.min_ready_seconds))
    if not spec.selector:
        errors.append(required(SPEC.child("selector")))
    errors.extend(_replicas(spec.replicas))
    if spec.template is None:
        errors.append(required(_TEMPLATE))
    else:
        selector = LabelSelector(match_labels=spec.selector)
        errors.extend(_template(spec.template, selector))
    return errors


def validate_deployment(obj: Deployment) -> list[FieldError]:
    spec = obj.spec
    errors = list(_replicas(spec.replicas))
    errors.extend(_selector(spec.selector))
    errors.extend(_template(spec.template, spec.selector))
    errors.extend(_update_strategy(SPEC.child("strategy"), spec.strategy, _STRATEGIES))
    errors.extend(non_negative(SPEC.child("minReadySeconds"), spec.min_ready_seconds))
    errors.extend(_limit("revisionHistoryLimit", spec.revision_history_limit))
    deadline = spec.progress_deadline_seconds
    errors.extend(_limit("progressDeadlineSeconds", deadline))
    if deadline is not None and 0 <= deadline <= spec.min_ready_seconds:
        text = "must be greater than minReadySeconds"
        errors.append(invalid(SPEC.child("progressDeadlineSeconds"), deadline, text))
    return errors


def validate_deployment_update(new: Deployment, old: Deployment) -> list[FieldError]:
    return [
        *validate_deployment(new),
        *_same_selector(new.spec.selector, old.spec.selector),
    ]


def validate_replica_set(obj: ReplicaSet) -> list[FieldError]:
    spec = obj.spec
    errors = list(_replicas(spec.replicas))
    errors.extend(non_negative(SPEC.child("minReadySeconds"), spec.min_ready_seconds))
    errors.extend(_selector(spec.selector))
    errors.extend(_template(spec.template, spec.selector))
    return errors


def validate_replica_set_update(new: ReplicaSet, old: ReplicaSet) -> list[FieldError]:
    return [
        *validate_replica_set(new),
        *_same_selector(new.spec.selector, old.spec.selector),
    ]


def validate_daemon_set(obj: DaemonSet) -> list[FieldError]:
    spec = obj.spec
    errors = list(_selector(spec.selector))
    errors.extend(_matches(spec.template, spec.selector))
    errors.extend(validate_template(_TEMPLATE, spec.template))
    errors.extend(_always(spec.template))
    errors.extend(non_negative(SPEC.child("minReadySeconds"), spec.min_ready_seconds))
    errors.extend(_update_strategy(SPEC.child("updateStrategy"), spec.update_strategy, _UPDATES))
    errors.extend(_limit("revisionHistoryLimit", spec.revision_history_limit))
    return errors


def validate_daemon_set_update(new: DaemonSet, old: DaemonSet) -> list[FieldError]:
    return [
        *validate_daemon_set(new),
        *_same_selector(new.spec.selector, old.spec.selector),
    ]


def validate_stateful_set(obj: StatefulSet) -> list[FieldError]:
    spec = obj.spec
    errors: list[FieldError] = []
    policy = spec.pod_management_policy
    if policy not in ("OrderedReady", "Parallel"):
        text = "must be 'OrderedReady' or 'Parallel'"
        errors.append(invalid(SPEC.child("podManagementPolicy"), policy, text))
    update = spec.update_strategy.type
    at = SPEC.child("updateStrategy")
    if update not in _UPDATES:
        errors.append(invalid(at, update, "must be 'RollingUpdate' or 'OnDelete'"))
    rolling = spec.update_strategy.rolling_update
    if rolling is not None:
        if update == "OnDelete":
            text = "only allowed for updateStrategy 'RollingUpdate'"
            errors.append(invalid(at.child("rollingUpdate"), rolling, text))
        else:
            place = at.child("rollingUpdate", "partition")
            errors.extend(non_negative(place, rolling.partition or 0))
    errors.extend(_replicas(spec.replicas))
    errors.extend(non_negative(SPEC.child("minReadySeconds"), spec.min_ready_seconds))
    errors.extend(_selector(spec.selector))
    errors.extend(_matches(spec.template, spec.selector))
    errors.extend(validate_template(_TEMPLATE, spec.template))
    errors.extend(_always(spec.template))
    return errors


def validate_stateful_set_update(new: StatefulSet, old: StatefulSet) -> list[FieldError]:
    kept = [
        name
        for name in new.spec.__struct_fields__
        if name not in _MUTABLE and getattr(new.spec, name) != getattr(old.spec, name)
    ]
    changed = [forbidden(SPEC, _KEPT)] if kept else []
    return [*validate_stateful_set(new), *changed]


def _update_strategy(
    path: Path, strategy: DeploymentStrategy | DaemonSetUpdateStrategy, known: tuple[str, ...]
) -> Errors:
    if strategy.type not in known:
        yield not_supported(path.child("type"), strategy.type, known)
        return
    rolling = strategy.rolling_update
    if strategy.type != "RollingUpdate":
        if rolling is not None:
            text = f"may not be specified when strategy `type` is '{strategy.type}'"
            yield forbidden(path.child("rollingUpdate"), text)
        return
    if rolling is None:
        yield required(path.child("rollingUpdate"))
        return
    at = path.child("rollingUpdate")
    yield from _share(at.child("maxUnavailable"), rolling.max_unavailable)
    yield from _share(at.child("maxSurge"), rolling.max_surge)
    if _nothing(rolling.max_unavailable) and _nothing(rolling.max_surge):
        text = "may not be 0 when `maxSurge` is 0"
        yield invalid(at.child("maxUnavailable"), rolling.max_unavailable, text)


def _share(path: Path, value: int | str | None) -> Errors:
    if isinstance(value, str):
        yield from invalid_each(path, value, names.percent(value))
        if not names.percent(value) and int(value[:-1]) > 100:
            yield invalid(path, value, "must not be greater than 100%")
    else:
        yield from non_negative(path, value or 0)


def _nothing(value: int | str | None) -> bool:
    return value in (None, 0, "0%")


def _replicas(replicas: int | None) -> Errors:
    return non_negative(SPEC.child("replicas"), replicas or 0)


def _limit(name: str, value: int | None) -> Errors:
    return non_negative(SPEC.child(name), value or 0)


def _selector(selector: LabelSelector | None) -> Errors:
    at = SPEC.child("selector")
    if selector is None or is_empty(selector):
        yield required(at)
        return
    yield from validate_label_selector(at, selector)


def _template(template: PodTemplateSpec, selector: LabelSelector | None) -> Errors:
    yield from _matches(template, selector)
    yield from validate_template(_TEMPLATE, template)
    yield from _always(template)


def _matches(template: PodTemplateSpec, selector: LabelSelector | None) -> Errors:
    labels = template.metadata.labels
    matches = False
    if selector is not None and not is_empty(selector):
        try:
            matches = selectors.from_struct(selector).matches(labels)
        except ValueError:
            return
    if not matches:
        yield invalid(_TEMPLATE.child("metadata", "labels"), go_labels(labels), _MISMATCH)


def _always(template: PodTemplateSpec) -> Errors:
    at = _TEMPLATE.child("spec")
    if template.spec.restart_policy != "Always":
        yield not_supported(at.child("restartPolicy"), template.spec.restart_policy, ["Always"])
    if template.spec.active_deadline_seconds is not None:
        text = "activeDeadlineSeconds in ReplicaSet is not Supported"
        yield forbidden(at.child("activeDeadlineSeconds"), text)


def _same_selector(new: LabelSelector | None, old: LabelSelector | None) -> Errors:
    return immutable(SPEC.child("selector"), new, old)


def is_empty(selector: LabelSelector) -> bool:
    return not selector.match_labels and not selector.match_expressions
