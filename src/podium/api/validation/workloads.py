"""Checks of what keeps a number of equal Pods: ReplicationControllers, ReplicaSets, Deployments.

Follows ``pkg/apis/apps/validation`` and ``pkg/apis/core/validation`` of Kubernetes.
"""

from __future__ import annotations

from podium.api import go_syntax, selectors
from podium.api.field import FieldError, Path, forbidden, invalid, not_supported, required
from podium.api.selectors import LabelSelector as Needs
from podium.api.types.apps_v1 import (
    Deployment,
    DeploymentStrategy,
    ReplicaSet,
    RollingUpdateDeployment,
)
from podium.api.types.core_v1 import PodTemplateSpec, ReplicationController
from podium.api.types.meta_v1 import LabelSelector
from podium.api.validation.common import Errors, immutable, non_negative
from podium.api.validation.scheduling import validate_label_selector
from podium.api.validation.shares import is_nothing, not_more_than_all, share
from podium.api.validation.templates import go_labels, validate_template

SPEC = Path("spec")
TEMPLATE = SPEC.child("template")
_STRATEGIES = ("Recreate", "RollingUpdate")


def validate_replication_controller(obj: ReplicationController) -> list[FieldError]:
    spec = obj.spec
    errors = list(non_negative(SPEC.child("minReadySeconds"), spec.min_ready_seconds))
    if not spec.selector:
        errors.append(required(SPEC.child("selector")))
    errors.extend(replicas(spec.replicas))
    if spec.template is None:
        errors.append(required(TEMPLATE))
        return errors
    needs = selectors.from_struct(LabelSelector(match_labels=spec.selector))
    errors.extend(_template(spec.template, needs, "ReplicationController"))
    return errors


def validate_deployment(obj: Deployment) -> list[FieldError]:
    spec = obj.spec
    errors = list(replicas(spec.replicas))
    errors.extend(_selected(spec.selector, spec.template))
    errors.extend(_strategy(SPEC.child("strategy"), spec.strategy))
    errors.extend(non_negative(SPEC.child("minReadySeconds"), spec.min_ready_seconds))
    errors.extend(limit("revisionHistoryLimit", spec.revision_history_limit))
    deadline = spec.progress_deadline_seconds
    errors.extend(limit("progressDeadlineSeconds", deadline))
    if deadline is not None and deadline <= spec.min_ready_seconds:
        text = "must be greater than minReadySeconds"
        errors.append(invalid(SPEC.child("progressDeadlineSeconds"), deadline, text))
    return errors


def validate_deployment_update(new: Deployment, old: Deployment) -> list[FieldError]:
    return [*validate_deployment(new), *same_selector(new.spec.selector, old.spec.selector)]


def validate_replica_set(obj: ReplicaSet) -> list[FieldError]:
    spec = obj.spec
    errors = list(replicas(spec.replicas))
    errors.extend(non_negative(SPEC.child("minReadySeconds"), spec.min_ready_seconds))
    errors.extend(_selected(spec.selector, spec.template))
    return errors


def validate_replica_set_update(new: ReplicaSet, old: ReplicaSet) -> list[FieldError]:
    return [*validate_replica_set(new), *same_selector(new.spec.selector, old.spec.selector)]


def _selected(selector: LabelSelector | None, template: PodTemplateSpec) -> Errors:
    yield from needed_selector(selector, "deployment")
    try:
        needs = selectors.from_struct(selector)
    except ValueError:
        yield invalid(SPEC.child("selector"), selector, "invalid label selector")
    else:
        yield from _template(template, needs, "ReplicaSet")


def _template(template: PodTemplateSpec, needs: Needs, kind: str) -> Errors:
    if not needs.empty:
        yield from matches(template, needs)
    yield from validate_template(TEMPLATE, template)
    yield from runs_for_ever(template, kind)


def _strategy(path: Path, strategy: DeploymentStrategy) -> Errors:
    at = path.child("rollingUpdate")
    if strategy.type not in _STRATEGIES:
        yield not_supported(path, strategy, _STRATEGIES)
    elif strategy.type == "Recreate":
        if strategy.rolling_update is not None:
            yield forbidden(at, "may not be specified when strategy `type` is 'Recreate'")
    elif strategy.rolling_update is None:
        yield required(at, "this should be defaulted and never be nil")
    else:
        yield from _rolling(at, strategy.rolling_update)


def _rolling(path: Path, rolling: RollingUpdateDeployment) -> Errors:
    unavailable = path.child("maxUnavailable")
    yield from share(unavailable, rolling.max_unavailable)
    yield from share(path.child("maxSurge"), rolling.max_surge)
    if is_nothing(rolling.max_unavailable) and is_nothing(rolling.max_surge):
        shown = go_syntax.int_or_string(rolling.max_unavailable)
        yield invalid(unavailable, shown, "may not be 0 when `maxSurge` is 0")
    yield from not_more_than_all(unavailable, rolling.max_unavailable)


# ------------------------------------------------------------------ what others have, too


def replicas(wanted: int | None) -> Errors:
    return non_negative(SPEC.child("replicas"), wanted or 0)


def limit(name: str, value: int | None) -> Errors:
    return non_negative(SPEC.child(name), value or 0)


def needed_selector(selector: LabelSelector | None, kind: str) -> Errors:
    """Require a selector that selects; *kind* is what upstream's text calls the object."""
    at = SPEC.child("selector")
    if selector is None:
        yield required(at)
        return
    yield from validate_label_selector(at, selector)
    yield from not_empty(selector, kind)


def not_empty(selector: LabelSelector | None, kind: str) -> Errors:
    if selector is not None and not selector.match_labels and not selector.match_expressions:
        yield invalid(SPEC.child("selector"), selector, f"empty selector is invalid for {kind}")


def matches(template: PodTemplateSpec, needs: Needs) -> Errors:
    labels = template.metadata.labels
    if not needs.matches(labels):
        text = "`selector` does not match template `labels`"
        yield invalid(TEMPLATE.child("metadata", "labels"), go_labels(labels), text)


def runs_for_ever(template: PodTemplateSpec, kind: str) -> Errors:
    at = TEMPLATE.child("spec")
    policy = template.spec.restart_policy
    if policy != "Always":
        yield not_supported(at.child("restartPolicy"), policy, ["Always"])
    if template.spec.active_deadline_seconds is not None:
        text = f"activeDeadlineSeconds in {kind} is not Supported"
        yield forbidden(at.child("activeDeadlineSeconds"), text)


def same_selector(new: LabelSelector | None, old: LabelSelector | None) -> Errors:
    return immutable(SPEC.child("selector"), new, old)
