"""Validation of what steers the scheduler: tolerations, taints, affinity, spreading, gates."""

from __future__ import annotations

from collections.abc import Collection

from podium.api import names
from podium.api.field import (
    DUPLICATE,
    FieldError,
    Path,
    duplicate,
    forbidden,
    invalid,
    not_supported,
    required,
)
from podium.api.types.core_v1 import (
    Affinity,
    NodeAffinity,
    NodeSelector,
    NodeSelectorRequirement,
    NodeSelectorTerm,
    PodAffinity,
    PodAffinityTerm,
    PodAntiAffinity,
    PodSchedulingGate,
    Taint,
    Toleration,
    TopologySpreadConstraint,
)
from podium.api.types.meta_v1 import (
    FieldSelectorRequirement,
    LabelSelector,
    LabelSelectorRequirement,
)
from podium.api.validation.common import (
    Errors,
    invalid_each,
    labels,
    qualified_name,
)

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_OPERATORS = ("Equal", "Exists")


def validate_tolerations(path: Path, tolerations: list[Toleration]) -> Errors:
    for i, toleration in enumerate(tolerations):
        at = path.index(i)
        if toleration.key:
            yield from qualified_name(at.child("key"), toleration.key)
        elif toleration.operator != "Exists":
            text = (
                "operator must be Exists when `key` is empty, which means "
                '"match all values and all keys"'
            )
            yield invalid(at.child("operator"), toleration.operator, text)
        if toleration.toleration_seconds is not None and toleration.effect != "NoExecute":
            text = "effect must be 'NoExecute' when `tolerationSeconds` is set"
            yield invalid(at.child("effect"), toleration.effect, text)
        yield from _validate_toleration_value(at.child("operator"), toleration)
        if toleration.effect and toleration.effect not in EFFECTS:
            yield not_supported(at.child("effect"), toleration.effect, EFFECTS)


def _validate_toleration_value(path: Path, toleration: Toleration) -> Errors:
    match toleration.operator:
        case "Equal" | "":
            problems = names.label_value(toleration.value)
            if problems:
                yield invalid(path, toleration.value, ";".join(problems))
        case "Exists":
            if toleration.value:
                text = "value must be empty when `operator` is 'Exists'"
                yield invalid(path, toleration.value, text)
        case "Lt" | "Gt":  # known, and behind a gate of Kubernetes' that is closed
            yield not_supported(path, toleration.operator, (*_OPERATORS, "Lt", "Gt"))
        case _:
            yield not_supported(path, toleration.operator, _OPERATORS)


def validate_taints(path: Path, taints: list[Taint]) -> Errors:
    seen: set[tuple[str, str]] = set()
    for i, taint in enumerate(taints):
        at = path.index(i)
        yield from qualified_name(at.child("key"), taint.key)
        problems = names.label_value(taint.value)
        if problems:
            yield invalid(at.child("value"), taint.value, ";".join(problems))
        if not taint.effect:
            yield required(at.child("effect"))
        elif taint.effect not in EFFECTS:
            yield not_supported(at.child("effect"), taint.effect, EFFECTS)
        if (taint.key, taint.effect) in seen:
            text = "taints must be unique by key and effect pair"
            yield FieldError(DUPLICATE, str(at), taint, text)
        seen.add((taint.key, taint.effect))


def validate_gates(path: Path, gates: list[PodSchedulingGate]) -> Errors:
    seen: set[str] = set()
    for i, gate in enumerate(gates):
        yield from qualified_name(path.index(i), gate.name)
        if gate.name in seen:
            yield duplicate(path.index(i), gate.name)
        seen.add(gate.name)


def validate_affinity(path: Path, affinity: Affinity | None) -> Errors:
    if affinity is None:
        return
    if affinity.node_affinity is not None:
        yield from _validate_node_affinity(path.child("nodeAffinity"), affinity.node_affinity)
    if affinity.pod_affinity is not None:
        yield from _validate_pod_affinity(path.child("podAffinity"), affinity.pod_affinity)
    if affinity.pod_anti_affinity is not None:
        yield from _validate_pod_affinity(path.child("podAntiAffinity"), affinity.pod_anti_affinity)


_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def _validate_node_affinity(path: Path, affinity: NodeAffinity) -> Errors:
    selector = affinity.required_during_scheduling_ignored_during_execution
    if selector is not None:
        yield from validate_node_selector(path.child(_REQUIRED), selector)
    for i, term in enumerate(affinity.preferred_during_scheduling_ignored_during_execution):
        at = path.child(_PREFERRED).index(i)
        yield from _validate_weight(at, term.weight)
        yield from _validate_term(at.child("preference"), term.preference, check_values=False)


def _validate_weight(path: Path, weight: int) -> Errors:
    if not 1 <= weight <= 100:
        yield invalid(path.child("weight"), weight, "must be in the range 1-100")


def validate_node_selector(path: Path, selector: NodeSelector) -> Errors:
    at = path.child("nodeSelectorTerms")
    if not selector.node_selector_terms:
        yield required(at, "must have at least one node selector term")
    for i, term in enumerate(selector.node_selector_terms):
        yield from _validate_term(at.index(i), term, check_values=True)


def _validate_term(path: Path, term: NodeSelectorTerm, *, check_values: bool) -> Errors:
    for i, requirement in enumerate(term.match_expressions):
        at = path.child("matchExpressions").index(i)
        yield from _validate_requirement(at, requirement)
        yield from qualified_name(at.child("key"), requirement.key)
        if check_values:
            for j, value in enumerate(requirement.values):
                problems = names.label_value(value)
                yield from invalid_each(at.child("values").index(j), value, problems)
    for i, requirement in enumerate(term.match_fields):
        yield from _validate_field(path.child("matchFields").index(i), requirement)


def _validate_requirement(path: Path, requirement: NodeSelectorRequirement) -> Errors:
    at, values = path.child("values"), requirement.values
    match requirement.operator:
        case "In" | "NotIn":
            if not values:
                yield required(at, "must be specified when `operator` is 'In' or 'NotIn'")
        case "Exists" | "DoesNotExist":
            if values:
                text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
                yield forbidden(at, text)
        case "Gt" | "Lt":
            if len(values) != 1:
                text = "must be specified single value when `operator` is 'Lt' or 'Gt'"
                yield required(at, text)
        case _:
            yield invalid(
                path.child("operator"), requirement.operator, "not a valid selector operator"
            )


def _validate_field(path: Path, requirement: NodeSelectorRequirement) -> Errors:
    if requirement.operator not in ("In", "NotIn"):
        text = "not a valid selector operator"
        yield invalid(path.child("operator"), requirement.operator, text)
    elif len(requirement.values) != 1:
        text = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        yield required(path.child("values"), text)
    if requirement.key != "metadata.name":
        yield invalid(path.child("key"), requirement.key, "not a valid field selector key")
        return
    for i, value in enumerate(requirement.values):
        yield from invalid_each(
            path.child("values").index(i), value, names.dns1123_subdomain(value)
        )


def _validate_pod_affinity(path: Path, affinity: PodAffinity | PodAntiAffinity) -> Errors:
    for i, term in enumerate(affinity.required_during_scheduling_ignored_during_execution):
        yield from _validate_pod_term(path.child(_REQUIRED).index(i), term)
    for i, weighted in enumerate(affinity.preferred_during_scheduling_ignored_during_execution):
        at = path.child(_PREFERRED).index(i)
        yield from _validate_weight(at, weighted.weight)
        yield from _validate_pod_term(at.child("podAffinityTerm"), weighted.pod_affinity_term)


def _validate_pod_term(path: Path, term: PodAffinityTerm) -> Errors:
    yield from validate_label_selector(path.child("labelSelector"), term.label_selector)
    yield from validate_label_selector(path.child("namespaceSelector"), term.namespace_selector)
    for name in term.namespaces:
        yield from invalid_each(path.child("namespace"), name, names.dns1123_label(name))
    yield from _validate_label_keys(
        path, term.match_label_keys, term.mismatch_label_keys, term.label_selector
    )
    if not term.topology_key:
        yield required(path.child("topologyKey"), "can not be empty")
    yield from qualified_name(path.child("topologyKey"), term.topology_key)


def _validate_label_keys(
    path: Path, match: list[str], mismatch: list[str], selector: LabelSelector | None
) -> Errors:
    """Check the keys whose values of the Pod itself are looked for, or avoided.

    The API server has added them to the selector by now; a key that stands there twice was the
    user's as well. That offence stands at the key's index below *path* itself, as upstream has it.
    """
    for name, keys in (("matchLabelKeys", match), ("mismatchLabelKeys", mismatch)):
        if keys and selector is None:
            text = "must not be specified when labelSelector is not set"
            yield forbidden(path.child(name), text)
            continue
        for i, key in enumerate(keys):
            yield from qualified_name(path.child(name).index(i), key)
    if selector is not None:
        places = {key: i for i, key in enumerate(match)}
        seen = set(selector.match_labels)
        for requirement in selector.match_expressions:
            key = requirement.key
            if key in places and key in seen:
                text = "exists in both matchLabelKeys and labelSelector"
                yield invalid(path.index(places[key]), key, text)
            seen.add(key)
    avoided = set(mismatch)
    for i, key in enumerate(match):
        if key in avoided:
            text = "exists in both matchLabelKeys and mismatchLabelKeys"
            yield invalid(path.child("matchLabelKeys").index(i), key, text)


def validate_label_selector(path: Path, selector: LabelSelector | None) -> Errors:
    if selector is None:
        return
    yield from labels(path.child("matchLabels"), selector.match_labels)
    for i, requirement in enumerate(selector.match_expressions):
        yield from validate_requirement(path.child("matchExpressions").index(i), requirement)


def validate_requirement(
    path: Path, requirement: LabelSelectorRequirement, *, any_operator: bool = False
) -> Errors:
    yield from validate_operands(path, requirement, any_operator=any_operator)
    yield from qualified_name(path.child("key"), requirement.key)
    for j, value in enumerate(requirement.values):
        yield from invalid_each(path.child("values").index(j), value, names.label_value(value))


def validate_operands(
    path: Path,
    requirement: LabelSelectorRequirement | FieldSelectorRequirement,
    *,
    any_operator: bool,
) -> Errors:
    match requirement.operator:
        case "In" | "NotIn":
            if not requirement.values:
                text = "must be specified when `operator` is 'In' or 'NotIn'"
                yield required(path.child("values"), text)
        case "Exists" | "DoesNotExist":
            if requirement.values:
                text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
                yield forbidden(path.child("values"), text)
        case _ if not any_operator:
            text = "not a valid selector operator"
            yield invalid(path.child("operator"), requirement.operator, text)


def validate_spread(path: Path, constraints: list[TopologySpreadConstraint]) -> Errors:
    actions = ("DoNotSchedule", "ScheduleAnyway")
    last = {(c.topology_key, c.when_unsatisfiable): i for i, c in enumerate(constraints)}
    for i, constraint in enumerate(constraints):
        at = path.index(i)
        if constraint.max_skew <= 0:
            yield invalid(at.child("maxSkew"), constraint.max_skew, "must be greater than zero")
        if not constraint.topology_key:
            yield required(at.child("topologyKey"), "can not be empty")
        if constraint.when_unsatisfiable not in actions:
            yield not_supported(
                at.child("whenUnsatisfiable"), constraint.when_unsatisfiable, actions
            )
        kind = (constraint.topology_key, constraint.when_unsatisfiable)
        if last[kind] > i:
            both = at.child("{topologyKey, whenUnsatisfiable}")
            yield duplicate(both, f"{{{kind[0]}, {kind[1]}}}")
        yield from _validate_spread_options(at, constraint)
        yield from validate_label_selector(at.child("labelSelector"), constraint.label_selector)


def _validate_spread_options(path: Path, constraint: TopologySpreadConstraint) -> Errors:
    least = constraint.min_domains
    if least is not None:
        at = path.child("minDomains")
        if least <= 0:
            yield invalid(at, least, "must be greater than zero")
        if constraint.when_unsatisfiable != "DoNotSchedule":
            text = (
                "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not "
                f"{constraint.when_unsatisfiable}"
            )
            yield invalid(at, least, text)
    policies: Collection[str] = ("Honor", "Ignore")
    for name, value in (
        ("nodeAffinityPolicy", constraint.node_affinity_policy),
        ("nodeTaintsPolicy", constraint.node_taints_policy),
    ):
        if value is not None and value not in policies:
            yield not_supported(path.child(name), value, policies)
    keys = constraint.match_label_keys
    yield from _validate_label_keys(path, keys, [], constraint.label_selector)
