"""Nobody grants what he does not hold: a look at every role and binding before it is written.

Follows ``k8s.io/kubernetes/pkg/registry/rbac`` (``policybased``, ``ConfirmNoEscalation``). The
verbs ``escalate`` on a role and ``bind`` on the role of a binding lift the rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from podium.api import errors
from podium.api.errors import ApiError
from podium.api.go_text import quote
from podium.api.scheme import CLUSTERROLEBINDINGS, CLUSTERROLES, ROLEBINDINGS, ROLES
from podium.api.types.rbac_v1 import ClusterRole, PolicyRule
from podium.api.validation.rbac import GROUP, AnyBinding, AnyRole
from podium.apiserver.auth.authorizer import PRIVILEGED_GROUP
from podium.apiserver.auth.rbac.policy import Policy, RoleNotFound
from podium.apiserver.auth.rbac.rules import describe, missing, quoted
from podium.apiserver.paths import RequestInfo
from podium.registry.admission.base import AdmissionPlugin, Attributes

_EVERYTHING = (
    PolicyRule(verbs=["*"], api_groups=["*"], resources=["*"]),
    PolicyRule(verbs=["*"], non_resource_urls=["*"]),
)


class EscalationCheck(AdmissionPlugin):
    """The last admission plugin: what it sees is what will be stored."""

    name = "RBAC"
    resources = (ROLES, CLUSTERROLES, ROLEBINDINGS, CLUSTERROLEBINDINGS)

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    async def admit(self, attributes: Attributes) -> None:
        """Raises ApiError (403, or 404 where the role of a binding is not there)."""
        resource = attributes.resource
        if resource.group != GROUP or attributes.obj is None:
            return
        if PRIVILEGED_GROUP in attributes.user.groups or _changes_nothing(attributes):
            return
        if resource in (ROLES, CLUSTERROLES):
            self._check_role(attributes, attributes.obj)
        elif resource in (ROLEBINDINGS, CLUSTERROLEBINDINGS):
            self._check_binding(attributes, attributes.obj)

    def _check_role(self, attributes: Attributes, role: AnyRole) -> None:
        name = role.metadata.name
        if self._may(attributes, "escalate", attributes.resource.plural, name):
            return
        self._check_rules(attributes, name, role.rules or ())
        if not (_aggregates(role) or _aggregates(attributes.old)):
            return
        if missing(self._owned(attributes), _EVERYTHING):
            why = "must have cluster-admin privileges to use the aggregationRule"
            raise errors.forbidden(attributes.resource, name, why)

    def _check_binding(self, attributes: Attributes, binding: AnyBinding) -> None:
        ref = binding.role_ref
        plural = {"Role": ROLES.plural, "ClusterRole": CLUSTERROLES.plural}.get(ref.kind, "")
        if not plural:
            return  # refused by validation
        if self._may(attributes, "bind", plural, ref.name):
            return
        try:
            rules = self._policy.role_rules(ref, attributes.namespace)
        except RoleNotFound as error:
            raise errors.not_found(error.resource, error.name) from error
        self._check_rules(attributes, binding.metadata.name, rules)

    def _check_rules(self, attributes: Attributes, name: str, rules: Sequence[PolicyRule]) -> None:
        lacking = missing(self._owned(attributes), rules)
        if lacking:
            raise self._refused(attributes, name, lacking)

    def _refused(
        self, attributes: Attributes, name: str, lacking: Sequence[PolicyRule]
    ) -> ApiError:
        user = attributes.user
        why = (
            f"user {quote(user.name)} (groups={quoted(user.groups)}) is attempting to grant RBAC "
            f"permissions not currently held:\n{describe(lacking)}"
        )
        trouble = self._policy.grants(user, attributes.namespace).trouble
        if trouble:
            why = f"{why}; resolution errors: [{trouble}]"
        return errors.forbidden(attributes.resource, name, why)

    def _owned(self, attributes: Attributes) -> list[PolicyRule]:
        return self._policy.grants(attributes.user, attributes.namespace).rules()

    def _may(self, attributes: Attributes, verb: str, plural: str, name: str) -> bool:
        info = RequestInfo(
            "", "", verb, True, GROUP, "v1", attributes.namespace, plural, "", name
        )  # fmt: skip
        return self._policy.decide(attributes.user, info).allowed


def _aggregates(role: Any) -> bool:
    return isinstance(role, ClusterRole) and bool(
        role.aggregation_rule and role.aggregation_rule.cluster_role_selectors
    )


def _changes_nothing(attributes: Attributes) -> bool:
    """Whether an update is about owners and finalizers only: the garbage collector's business."""
    new, old = attributes.obj, attributes.old
    if old is None:
        return False
    metadata = msgspec.structs.replace(
        new.metadata,
        owner_references=old.metadata.owner_references,
        finalizers=old.metadata.finalizers,
        managed_fields=old.metadata.managed_fields,
        resource_version=old.metadata.resource_version,
    )
    return bool(msgspec.structs.replace(new, metadata=metadata) == old)
