"""What a Pod says about the labels of its node: ``nodeSelector`` and ``affinity.nodeAffinity``."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from podium.api.types.core_v1 import (
    Node,
    NodeSelector,
    NodeSelectorRequirement,
    NodeSelectorTerm,
    Pod,
)
from podium.kit.numbers import number

_LARGEST = 2**63 - 1


def required_matches(pod: Pod, node: Node) -> bool:
    """Whether *node* has what *pod* insists on."""
    labels = node.metadata.labels
    if any(labels.get(key) != value for key, value in pod.spec.node_selector.items()):
        return False
    affinity = pod.spec.affinity.node_affinity if pod.spec.affinity else None
    required = affinity.required_during_scheduling_ignored_during_execution if affinity else None
    if required is None:
        return True
    return selector_matches(required, node)


def selector_matches(selector: NodeSelector, node: Node) -> bool:
    """Whether one of *selector*'s terms holds of *node*."""
    return any(_term_matches(term, node) for term in selector.node_selector_terms)


def preferred_weight(pod: Pod, node: Node) -> int:
    """Return the sum of the weights of *pod*'s preferences that *node* meets."""
    affinity = pod.spec.affinity.node_affinity if pod.spec.affinity else None
    if affinity is None:
        return 0
    return sum(
        term.weight
        for term in affinity.preferred_during_scheduling_ignored_during_execution
        if _term_matches(term.preference, node)
    )


def _term_matches(term: NodeSelectorTerm, node: Node) -> bool:
    """Whether all of *term*'s requirements hold; a term without any matches nothing."""
    if not term.match_expressions and not term.match_fields:
        return False
    fields = {"metadata.name": node.metadata.name}
    return all(_holds(r, node.metadata.labels) for r in term.match_expressions) and all(
        _holds(r, fields) for r in term.match_fields
    )


def _holds(requirement: NodeSelectorRequirement, values: Mapping[str, str]) -> bool:
    test = _OPERATORS.get(requirement.operator)
    return test is not None and test(values.get(requirement.key), requirement.values)


def _compare(value: str | None, wanted: list[str], sign: int) -> bool:
    if value is None or len(wanted) != 1:
        return False
    mine, limit = _integer(value), _integer(wanted[0])
    return mine is not None and limit is not None and (mine - limit) * sign > 0


def _integer(text: str) -> int | None:
    """Read a whole number of 64 bits, as Go does; None for what is none."""
    negative = text.startswith("-")
    found = number(text[1:] if text[:1] in ("+", "-") else text, _LARGEST + negative)
    return -found if found is not None and negative else found


_OPERATORS: Mapping[str, Callable[[str | None, list[str]], bool]] = {
    "In": lambda value, wanted: value in wanted,
    "NotIn": lambda value, wanted: value not in wanted,
    "Exists": lambda value, _: value is not None,
    "DoesNotExist": lambda value, _: value is None,
    "Gt": lambda value, wanted: _compare(value, wanted, 1),
    "Lt": lambda value, wanted: _compare(value, wanted, -1),
}
