"""Labels of nodes that have newer names, wherever an object names them.

Follows ``pkg/api/node/util.go``.
"""

from __future__ import annotations

from collections.abc import Iterator

from podium.api.field import Path
from podium.api.types.core_v1 import NodeSelectorTerm
from podium.api.types.meta_v1 import LabelSelector

OLD = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": (
        'deprecated since v1.17; use "topology.kubernetes.io/region" instead'
    ),
    "failure-domain.beta.kubernetes.io/zone": (
        'deprecated since v1.17; use "topology.kubernetes.io/zone" instead'
    ),
    "beta.kubernetes.io/instance-type": (
        'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead'
    ),
    "app.kubernetes.io/created-by": "deprecated since v1.9",
    "scheduler.alpha.kubernetes.io/preferAvoidPods": (
        "deprecated since v1.22; use Taints and Tolerations instead"
    ),
    "node-role.kubernetes.io/master": 'use "node-role.kubernetes.io/control-plane" instead',
}


def term_labels(path: Path, term: NodeSelectorTerm) -> Iterator[str]:
    """Those in a term that selects nodes."""
    return _expressions(path, [requirement.key for requirement in term.match_expressions])


def selector_labels(path: Path, selector: LabelSelector) -> Iterator[str]:
    """Those in a selector of nodes' labels."""
    yield from _expressions(path, [requirement.key for requirement in selector.match_expressions])
    for key in sorted(selector.match_labels):
        if key in OLD:
            yield f"{path.child('matchLabels', key)}: {OLD[key]}"


def _expressions(path: Path, keys: list[str]) -> Iterator[str]:
    for i, key in enumerate(keys):
        if key in OLD:
            yield f"{path.child('matchExpressions').index(i).child('key')}: {key} is {OLD[key]}"
