"""The default roles and bindings as objects, and what to make of those that are there. Pure.

Follows ``bootstrappolicy`` and ``pkg/registry/rbac/reconciliation``: what an administrator has
added to a default role stays, what is missing comes back, and ``autoupdate: "false"`` on an object
keeps it as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from podium.api.scheme import (
    CLUSTERROLEBINDINGS,
    CLUSTERROLES,
    ROLEBINDINGS,
    ROLES,
    Resource,
)
from podium.api.types.meta_v1 import LabelSelector, ObjectMeta
from podium.api.types.rbac_v1 import (
    AggregationRule,
    ClusterRole,
    ClusterRoleBinding,
    PolicyRule,
    Role,
    RoleBinding,
    RoleRef,
    Subject,
)
from podium.api.validation.rbac import GROUP, SERVICE_ACCOUNT, AnyBinding
from podium.apiserver.auth.rbac.controller_roles import (
    NAMESPACED_BINDINGS,
    PREFIX,
    controller_roles,
    namespaced_roles,
)
from podium.apiserver.auth.rbac.default_roles import (
    AGGREGATED,
    BINDINGS,
    PARTS,
    cluster_roles,
)
from podium.apiserver.auth.rbac.rules import missing

AUTO_UPDATE = "rbac.authorization.kubernetes.io/autoupdate"
LABEL, LABEL_VALUE = "kubernetes.io/bootstrapping", "rbac-defaults"


def default_objects() -> list[tuple[Resource, Any]]:
    """Return everything, roles first: no binding is there without its role."""
    return [*_cluster_roles(), *_roles(), *_cluster_bindings(), *_bindings()]


def _cluster_roles() -> Iterator[tuple[Resource, ClusterRole]]:
    for name, part_of in AGGREGATED.items():
        selector = LabelSelector(match_labels={_aggregate(name): "true"})
        rule = AggregationRule(cluster_role_selectors=[selector])
        yield CLUSTERROLES, ClusterRole(metadata=_metadata(name, part_of), aggregation_rule=rule)
    for name, rules in cluster_roles().items():
        yield CLUSTERROLES, _role(name, rules, PARTS.get(name, ""))
    for name, rules in controller_roles().items():
        yield CLUSTERROLES, _role(f"{PREFIX}{name}", rules)


def _roles() -> Iterator[tuple[Resource, Role]]:
    for (namespace, name), rules in namespaced_roles().items():
        yield ROLES, Role(metadata=_metadata(name, namespace=namespace), rules=rules)


def _cluster_bindings() -> Iterator[tuple[Resource, ClusterRoleBinding]]:
    subjects = dict(BINDINGS)
    subjects |= {f"{PREFIX}{name}": (f"ServiceAccount:{name}",) for name in controller_roles()}
    for name, texts in subjects.items():
        yield (
            CLUSTERROLEBINDINGS,
            ClusterRoleBinding(
                metadata=_metadata(name),
                role_ref=RoleRef(api_group=GROUP, kind="ClusterRole", name=name),
                subjects=[_subject(text) for text in texts],
            ),
        )


def _bindings() -> Iterator[tuple[Resource, RoleBinding]]:
    for (namespace, name), (role, texts) in NAMESPACED_BINDINGS.items():
        yield (
            ROLEBINDINGS,
            RoleBinding(
                metadata=_metadata(name, namespace=namespace),
                role_ref=RoleRef(api_group=GROUP, kind="Role", name=role),
                subjects=[_subject(text) for text in texts],
            ),
        )


def _role(name: str, rules: list[PolicyRule], part_of: str = "") -> ClusterRole:
    return ClusterRole(metadata=_metadata(name, part_of), rules=rules)


def _metadata(name: str, part_of: str = "", namespace: str = "") -> ObjectMeta:
    labels = {LABEL: LABEL_VALUE}
    if part_of:
        labels[_aggregate(part_of)] = "true"
    annotations = {AUTO_UPDATE: "true"}
    return ObjectMeta(name=name, namespace=namespace, labels=labels, annotations=annotations)


def _aggregate(name: str) -> str:
    return f"{GROUP}/aggregate-to-{name}"


def _subject(text: str) -> Subject:
    kind, _, name = text.partition(":")
    if kind == SERVICE_ACCOUNT:
        return Subject(kind=kind, name=name, namespace="kube-system")
    return Subject(kind=kind, api_group=GROUP, name=name)


# ---------------------------------------------------------------------- reconciling


def reconciled(there: Any, default: Any) -> Any | None:
    """Return *there* with what it lacks of *default*, None when it lacks nothing or is its
    owner's. Neither is changed."""
    if there.metadata.annotations.get(AUTO_UPDATE) == "false":
        return None
    wanted = msgspec.structs.replace(there, metadata=_completed(there.metadata, default.metadata))
    if isinstance(default, ClusterRoleBinding | RoleBinding):
        wanted.subjects = _united(there.subjects, default.subjects)
    else:
        rule = getattr(default, "aggregation_rule", None)
        if rule is not None:
            wanted.aggregation_rule = _aggregated(there.aggregation_rule, rule)
        elif lacking := missing(there.rules or (), default.rules):
            wanted.rules = [*(there.rules or ()), *lacking]
    return None if wanted == there else wanted


def has_other_role(there: AnyBinding, default: AnyBinding) -> bool:
    """Whether a default binding is of another role than it ought to be: it is made anew then."""
    protected = there.metadata.annotations.get(AUTO_UPDATE) == "false"
    return not protected and there.role_ref != default.role_ref


def _completed(there: ObjectMeta, default: ObjectMeta) -> ObjectMeta:
    return msgspec.structs.replace(
        there,
        labels={**default.labels, **there.labels},
        annotations={**default.annotations, **there.annotations},
    )


def _united(there: Sequence[Subject], default: Sequence[Subject]) -> list[Subject]:
    return [*there, *(subject for subject in default if subject not in there)]


def _aggregated(there: AggregationRule | None, default: AggregationRule) -> AggregationRule:
    found = there.cluster_role_selectors if there else []
    lacking = [s for s in default.cluster_role_selectors if s not in found]
    return AggregationRule(cluster_role_selectors=[*found, *lacking])
