"""Checks of StatefulSets. Follows ``pkg/apis/apps/validation`` of Kubernetes."""

from __future__ import annotations

from msgspec.structs import replace

from podium.api import names, selectors
from podium.api.field import FieldError, Path, forbidden, invalid, not_supported, required
from podium.api.go_syntax import int_or_string
from podium.api.types.apps_v1 import (
    RollingUpdateStatefulSetStrategy,
    StatefulSet,
    StatefulSetPersistentVolumeClaimRetentionPolicy,
    StatefulSetSpec,
    StatefulSetUpdateStrategy,
)
from podium.api.types.core_v1 import (
    PersistentVolumeClaimVolumeSource,
    PodTemplateSpec,
    Volume,
)
from podium.api.validation.claims import validate_claim_spec
from podium.api.validation.common import Errors, dns1123_label, non_negative
from podium.api.validation.shares import is_nothing, not_more_than_all, share
from podium.api.validation.templates import validate_template
from podium.api.validation.workloads import (
    SPEC,
    TEMPLATE,
    matches,
    needed_selector,
    replicas,
    runs_for_ever,
)

_POLICIES = ("OrderedReady", "Parallel")
_RETENTIONS = ("Retain", "Delete")
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


def validate_stateful_set(obj: StatefulSet) -> list[FieldError]:
    spec = obj.spec
    errors = list(_validate_numbers(spec))
    if spec.service_name:
        errors.extend(dns1123_label(SPEC.child("serviceName"), spec.service_name))
    errors.extend(_validate_pods(spec, validate_template(TEMPLATE, _with_claims(spec))))
    for i, claim in enumerate(spec.volume_claim_templates):
        at = SPEC.child("volumeClaimTemplates").index(i).child("spec")
        errors.extend(validate_claim_spec(at, claim.spec))
    return errors


def validate_stateful_set_update(new: StatefulSet, old: StatefulSet) -> list[FieldError]:
    """A template that was stored before such were checked does not stand in an update's way."""
    template = list(validate_template(TEMPLATE, _with_claims(new.spec)))
    if template and list(validate_template(TEMPLATE, _with_claims(old.spec))):
        template = []
    kept = [
        name
        for name in new.spec.__struct_fields__
        if name not in _MUTABLE and getattr(new.spec, name) != getattr(old.spec, name)
    ]
    changed = [forbidden(SPEC, _KEPT)] if kept else []
    return [
        *_validate_numbers(new.spec),
        *_validate_pods(new.spec, iter(template)),
        *changed,
    ]


def _validate_numbers(spec: StatefulSetSpec) -> Errors:
    at, policy = SPEC.child("podManagementPolicy"), spec.pod_management_policy
    if not policy:
        yield required(at)
    elif policy not in _POLICIES:
        yield invalid(at, policy, "must be 'OrderedReady' or 'Parallel'")
    yield from _update_strategy(SPEC.child("updateStrategy"), spec.update_strategy)
    retention = spec.persistent_volume_claim_retention_policy
    if retention is not None:
        yield from _retention(SPEC.child("persistentVolumeClaimRetentionPolicy"), retention)
    yield from replicas(spec.replicas)
    yield from non_negative(SPEC.child("minReadySeconds"), spec.min_ready_seconds)
    if spec.ordinals is not None:
        yield from non_negative(SPEC.child("ordinals", "start"), spec.ordinals.start)


def _validate_pods(spec: StatefulSetSpec, template: Errors) -> Errors:
    """Check the selector and what it is to select; *template* are the template's own offences."""
    yield from needed_selector(spec.selector, "statefulset")
    try:
        needs = selectors.from_struct(spec.selector)
    except ValueError:
        yield invalid(SPEC.child("selector"), spec.selector, "")
    else:
        if not needs.empty:
            yield from matches(spec.template, needs)
        yield from template
    yield from runs_for_ever(spec.template, "StatefulSet")


def _with_claims(spec: StatefulSetSpec) -> PodTemplateSpec:
    """Return the template with the volumes that its Pods will have of their own claims."""
    there = {volume.name for volume in spec.template.spec.volumes}
    own = [
        Volume(
            name=name, persistent_volume_claim=PersistentVolumeClaimVolumeSource(claim_name=name)
        )
        for name in dict.fromkeys(claim.metadata.name for claim in spec.volume_claim_templates)
        if name not in there and not names.dns1123_label(name)
    ]
    volumes = [*spec.template.spec.volumes, *own]
    return replace(spec.template, spec=replace(spec.template.spec, volumes=volumes))


def _update_strategy(path: Path, strategy: StatefulSetUpdateStrategy) -> Errors:
    rolling = strategy.rolling_update
    match strategy.type:
        case "":
            yield required(path)
        case "OnDelete":
            if rolling is not None:
                text = "only allowed for updateStrategy 'RollingUpdate'"
                yield invalid(path.child("rollingUpdate"), rolling, text)
        case "RollingUpdate":
            if rolling is not None:
                yield from _rolling(path.child("rollingUpdate"), rolling)
        case _:
            yield invalid(path, strategy, "must be 'RollingUpdate' or 'OnDelete'")


def _rolling(path: Path, rolling: RollingUpdateStatefulSetStrategy) -> Errors:
    yield from non_negative(path.child("partition"), rolling.partition or 0)
    gone = rolling.max_unavailable
    if gone is None:
        return
    at = path.child("maxUnavailable")
    yield from share(at, gone)
    if is_nothing(gone):
        yield invalid(at, int_or_string(gone), "cannot be 0")
    yield from not_more_than_all(at, gone)


def _retention(path: Path, policy: StatefulSetPersistentVolumeClaimRetentionPolicy) -> Errors:
    for name, value in (("whenDeleted", policy.when_deleted), ("whenScaled", policy.when_scaled)):
        if value not in _RETENTIONS:
            yield not_supported(path.child(name), value, _RETENTIONS)
