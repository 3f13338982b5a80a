"""What becomes of a new Pod beyond its defaults: label keys join selectors, AppArmor's annotations
become fields; and what of a written status is kept.

Follows ``pkg/registry/core/pod/strategy.go``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from podium.api.field import Path
from podium.api.types.core_v1 import (
    AppArmorProfile,
    Container,
    Pod,
    PodAffinityTerm,
    PodSecurityContext,
    PodSpec,
    PodStatus,
    SecurityContext,
)
from podium.api.types.meta_v1 import LabelSelector, LabelSelectorRequirement
from podium.api.validation.operating_system import all_containers
from podium.api.validation.pod_annotations import APP_ARMOR
from podium.api.validation.security import validate_app_armor


def merge_label_keys(pod: Pod) -> None:
    """Add to the selectors of affinity and spreading what ``matchLabelKeys`` say: in place."""
    labels = pod.metadata.labels
    for term in _affinity_terms(pod.spec):
        if term.label_selector is not None:
            _require(term.label_selector, term.match_label_keys, "In", labels)
            _require(term.label_selector, term.mismatch_label_keys, "NotIn", labels)
    for constraint in pod.spec.topology_spread_constraints:
        if constraint.label_selector is not None:
            _require(constraint.label_selector, constraint.match_label_keys, "In", labels)


def _affinity_terms(spec: PodSpec) -> Iterator[PodAffinityTerm]:
    if spec.affinity is None:
        return
    for terms in (spec.affinity.pod_affinity, spec.affinity.pod_anti_affinity):
        if terms is not None:
            for weighted in terms.preferred_during_scheduling_ignored_during_execution:
                yield weighted.pod_affinity_term
            yield from terms.required_during_scheduling_ignored_during_execution


def _require(
    selector: LabelSelector, keys: list[str], operator: str, labels: Mapping[str, str]
) -> None:
    selector.match_expressions += [
        LabelSelectorRequirement(key=key, operator=operator, values=[labels[key]])
        for key in keys
        if key in labels
    ]


def copy_app_armor_annotations(pod: Pod) -> None:
    """Set the field where only an annotation names a container's AppArmor profile."""
    if not any(key.startswith(APP_ARMOR) for key in pod.metadata.annotations):
        return
    if pod.spec.os is not None and pod.spec.os.name == "windows":
        return
    of_pod = (pod.spec.security_context or PodSecurityContext()).app_armor_profile
    for _, container in all_containers(Path("spec"), pod.spec):
        said = pod.metadata.annotations.get(APP_ARMOR + container.name)
        context = container.security_context
        if said is None or (context is not None and context.app_armor_profile is not None):
            continue
        profile = _profile(said)
        if profile is not None and profile != of_pod:
            container.security_context = context or SecurityContext()
            container.security_context.app_armor_profile = profile


def _profile(said: str) -> AppArmorProfile | None:
    """Return the field for an annotation; None for one that says nothing, or nothing valid."""
    if said == "unconfined":
        return AppArmorProfile(type="Unconfined")
    if said == "runtime/default":
        return AppArmorProfile(type="RuntimeDefault")
    if not said.startswith("localhost/"):
        return None
    profile = AppArmorProfile(type="Localhost", localhost_profile=said.removeprefix("localhost/"))
    return None if any(validate_app_armor(Path(""), profile)) else profile


def keep_observed_generations(new: PodStatus, old: PodStatus) -> None:
    """Who does not know ``observedGeneration`` does not take it away, in status or conditions."""
    new.observed_generation = new.observed_generation or old.observed_generation
    before: dict[str, list[int]] = {}
    for condition in old.conditions:
        before.setdefault(condition.type, []).append(condition.observed_generation)
    kept = []
    for condition in new.conditions:
        known = before.get(condition.type)
        generation = known.pop(0) if known else 0
        if not condition.observed_generation and generation:
            condition = msgspec.structs.replace(condition, observed_generation=generation)
        kept.append(condition)
    new.conditions = kept


def take_resources(new: Pod, old: Pod) -> None:
    """Take nothing but resources, and what they mean, from *new*: in place.

    Containers that are others than in *old*, or in another order, stay as they are for validation
    to refuse them.
    """
    spec = new.spec
    if len(spec.containers) != len(old.spec.containers) or len(spec.init_containers) != len(
        old.spec.init_containers
    ):
        return
    new.spec = msgspec.structs.replace(
        old.spec,
        resources=spec.resources,
        containers=_with_resources(spec.containers, old.spec.containers),
        init_containers=_with_resources(spec.init_containers, old.spec.init_containers),
    )
    new.status = old.status
    for name in ("labels", "annotations", "finalizers", "owner_references"):
        setattr(new.metadata, name, getattr(old.metadata, name))


def _with_resources(new: list[Container], old: list[Container]) -> list[Container]:
    if [container.name for container in new] != [container.name for container in old]:
        return new
    return [
        msgspec.structs.replace(was, resources=now.resources, resize_policy=now.resize_policy)
        for now, was in zip(new, old, strict=True)
    ]
