"""Roles and bindings. Follows ``pkg/apis/rbac/validation``. Metadata is the strategies' part."""

from __future__ import annotations

from collections.abc import Iterator

from podium.api import field
from podium.api.field import FieldError, Path
from podium.api.go_text import Verbatim, quote
from podium.api.names import name_is_dns_subdomain, path_segment
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

GROUP = "rbac.authorization.k8s.io"
USER, GROUP_KIND, SERVICE_ACCOUNT = "User", "Group", "ServiceAccount"

AnyRole = Role | ClusterRole
AnyBinding = RoleBinding | ClusterRoleBinding


def validate_role(role: AnyRole) -> list[FieldError]:
    namespaced = isinstance(role, Role)
    found = [
        error
        for index, rule in enumerate(role.rules or ())
        for error in _rule(rule, namespaced, Path("rules").index(index))
    ]
    if isinstance(role, ClusterRole) and role.aggregation_rule is not None:
        found += _aggregation_rule(role.aggregation_rule)
    return found


def _aggregation_rule(rule: AggregationRule) -> Iterator[FieldError]:
    from podium.api.validation.scheduling import validate_label_selector

    path = Path("aggregationRule").child("clusterRoleSelectors")
    if not rule.cluster_role_selectors:
        why = "at least one clusterRoleSelector required if aggregationRule is non-nil"
        yield field.required(path, why)
    for index, selector in enumerate(rule.cluster_role_selectors):
        yield from validate_label_selector(path.index(index), selector)


def _rule(rule: PolicyRule, namespaced: bool, path: Path) -> Iterator[FieldError]:
    if not rule.verbs:
        yield field.required(path.child("verbs"), "verbs must contain at least one value")
    if rule.non_resource_urls:
        urls = path.child("nonResourceURLs")
        if namespaced:
            why = "namespaced rules cannot apply to non-resource URLs"
            yield field.invalid(urls, rule.non_resource_urls, why)
        if rule.api_groups or rule.resources or rule.resource_names:
            why = "rules cannot apply to both regular resources and non-resource URLs"
            yield field.invalid(urls, rule.non_resource_urls, why)
        return
    if not rule.api_groups:
        why = "resource rules must supply at least one api group"
        yield field.required(path.child("apiGroups"), why)
    if not rule.resources:
        why = "resource rules must supply at least one resource"
        yield field.required(path.child("resources"), why)


def validate_binding(binding: AnyBinding) -> list[FieldError]:
    namespaced = isinstance(binding, RoleBinding)
    found = list(_role_ref(binding.role_ref, namespaced))
    for index, subject in enumerate(binding.subjects):
        found += _subject(subject, namespaced, Path("subjects").index(index))
    return found


def validate_binding_update(new: AnyBinding, old: AnyBinding) -> list[FieldError]:
    """A binding stays with its role; what else an update has to hold is as for a new one."""
    if new.role_ref == old.role_ref:
        return []
    ref = new.role_ref
    shown = (
        f"rbac.RoleRef{{APIGroup:{quote(ref.api_group)}, Kind:{quote(ref.kind)}, "
        f"Name:{quote(ref.name)}}}"
    )
    return [field.invalid(Path("roleRef"), Verbatim(shown), "cannot change roleRef")]


def _role_ref(ref: RoleRef, namespaced: bool) -> Iterator[FieldError]:
    path = Path("roleRef")
    if ref.api_group != GROUP:
        yield field.not_supported(path.child("apiGroup"), ref.api_group, [GROUP])
    kinds = ["Role", "ClusterRole"] if namespaced else ["ClusterRole"]
    if ref.kind not in kinds:
        yield field.not_supported(path.child("kind"), ref.kind, kinds)
    if not ref.name:
        yield field.required(path.child("name"))
    for text in path_segment(ref.name) if ref.name else ():
        yield field.invalid(path.child("name"), ref.name, text)


def _subject(subject: Subject, namespaced: bool, path: Path) -> Iterator[FieldError]:
    name, group = path.child("name"), path.child("apiGroup")
    if not subject.name:
        yield field.required(name)
    if subject.kind == SERVICE_ACCOUNT:
        for text in name_is_dns_subdomain(subject.name, False) if subject.name else ():
            yield field.invalid(name, subject.name, text)
        if subject.api_group:
            yield field.not_supported(group, subject.api_group, [""])
        if not namespaced and not subject.namespace:
            yield field.required(path.child("namespace"))
    elif subject.kind in (USER, GROUP_KIND):
        if not subject.name:
            what = subject.kind.lower()
            yield field.invalid(name, subject.name, f"{what} name cannot be empty")
        if subject.api_group != GROUP:
            yield field.not_supported(group, subject.api_group, [GROUP])
    else:
        kinds = [SERVICE_ACCOUNT, USER, GROUP_KIND]
        yield field.not_supported(path.child("kind"), subject.kind, kinds)
