"""What a Pod says about the Pods around it: required terms of affinity and anti-affinity."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from podium.api.selectors import LabelSelector, from_struct
from podium.api.types.core_v1 import Pod, PodAffinityTerm


class Term(msgspec.Struct, frozen=True):
    """Pods of some *namespaces* (None: of all) on nodes with the same value of the label *key*."""

    key: str
    selector: LabelSelector
    namespaces: frozenset[str] | None

    def matches(self, pod: Pod) -> bool:
        """Whether the term is about *pod*."""
        of_them = self.namespaces is None or pod.metadata.namespace in self.namespaces
        return of_them and self.selector.matches(pod.metadata.labels)


def required_affinity(pod: Pod) -> Sequence[Term]:
    affinity = pod.spec.affinity.pod_affinity if pod.spec.affinity else None
    if affinity is None:
        return ()
    return _terms(pod, affinity.required_during_scheduling_ignored_during_execution)


def required_anti_affinity(pod: Pod) -> Sequence[Term]:
    affinity = pod.spec.affinity.pod_anti_affinity if pod.spec.affinity else None
    if affinity is None:
        return ()
    return _terms(pod, affinity.required_during_scheduling_ignored_during_execution)


def _terms(pod: Pod, terms: Iterable[PodAffinityTerm]) -> Sequence[Term]:
    """``matchLabelKeys`` are in the selectors already: the API server has put them there."""
    return tuple(
        Term(term.topology_key, from_struct(term.label_selector), _namespaces(pod, term))
        for term in terms
    )


def _namespaces(pod: Pod, term: PodAffinityTerm) -> frozenset[str] | None:
    if term.namespace_selector is not None and from_struct(term.namespace_selector).empty:
        return None
    return frozenset(term.namespaces or (pod.metadata.namespace,))
