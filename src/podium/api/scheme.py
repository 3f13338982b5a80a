"""The kinds that are served, one entry each; nothing else lists kinds.

An entry holds facts only. What may be done with objects of a kind (defaults, validation, what an
update may change, table columns) is its strategy, ``podium.registry.strategies.<strategy>``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from podium.api.types import (
    authentication_v1,
    authorization_v1,
    coordination_v1,
    core_v1,
    rbac_v1,
)

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True)
class Subresource:
    """``/status``, ``/log``, …: a second door to an object, perhaps with a kind of its own."""

    name: str
    verbs: tuple[str, ...] = ("get", "patch", "update")
    #: GVK and type of the body where it is not the parent's own.
    group: str = ""
    version: str = ""
    kind: str = ""
    type: type[Struct] | None = None


STATUS = Subresource("status")


@dataclass(frozen=True, slots=True, eq=False)
class Resource:
    """One served kind. ``type`` is its struct; ``list_kind`` names its list."""

    group: str
    version: str
    kind: str
    plural: str
    singular: str
    type: type[Any]
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[Subresource, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    #: Module under ``podium.registry.strategies``.
    strategy: str = "generic"
    #: Whether objects are kept. Reviews are not: a POST is answered, and that is all.
    stored: bool = True

    @property
    def list_kind(self) -> str:
        return f"{self.kind}List"

    @property
    def api_version(self) -> str:
        """``v1``, ``coordination.k8s.io/v1``: what ``apiVersion`` says."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """``pods``, ``leases.coordination.k8s.io``: how errors name the resource."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def subresource(self, name: str) -> Subresource | None:
        return next((sub for sub in self.subresources if sub.name == name), None)

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """Return the URL path of a collection, or of an object when *name* is given."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        parts = [root]
        if self.namespaced and namespace:
            parts.append(f"namespaces/{namespace}")
        parts.append(self.plural)
        parts.extend(filter(None, (name, subresource)))
        return "/".join(parts)


NAMESPACES = Resource(
    "", "v1", "Namespace", "namespaces", "namespace", core_v1.Namespace, namespaced=False,
    short_names=("ns",), strategy="namespaces",
    verbs=("create", "delete", "get", "list", "patch", "update", "watch"),
    subresources=(Subresource("finalize", ("update",)), STATUS),
)  # fmt: skip
PODS = Resource(
    "", "v1", "Pod", "pods", "pod", core_v1.Pod, short_names=("po",), categories=("all",),
    strategy="pods",
    subresources=(
        Subresource("binding", ("create",), version="v1", kind="Binding", type=core_v1.Binding),
        Subresource("ephemeralcontainers"),
        Subresource("log", ("get",)),
        STATUS,
    ),
)  # fmt: skip
NODES = Resource(
    "", "v1", "Node", "nodes", "node", core_v1.Node, namespaced=False, short_names=("no",),
    strategy="nodes", subresources=(STATUS,),
)  # fmt: skip
EVENTS = Resource(
    "", "v1", "Event", "events", "event", core_v1.Event, short_names=("ev",), strategy="events"
)
CONFIGMAPS = Resource(
    "", "v1", "ConfigMap", "configmaps", "configmap", core_v1.ConfigMap, short_names=("cm",),
    strategy="configmaps",
)  # fmt: skip
SECRETS = Resource("", "v1", "Secret", "secrets", "secret", core_v1.Secret, strategy="secrets")
SERVICES = Resource(
    "", "v1", "Service", "services", "service", core_v1.Service, short_names=("svc",),
    categories=("all",), strategy="services", subresources=(STATUS,),
)  # fmt: skip
ENDPOINTS = Resource(
    "", "v1", "Endpoints", "endpoints", "endpoints", core_v1.Endpoints, short_names=("ep",),
    strategy="endpoints",
)  # fmt: skip
SERVICEACCOUNTS = Resource(
    "", "v1", "ServiceAccount", "serviceaccounts", "serviceaccount", core_v1.ServiceAccount,
    short_names=("sa",), strategy="serviceaccounts",
    subresources=(
        Subresource(
            "token", ("create",), group="authentication.k8s.io", version="v1",
            kind="TokenRequest", type=authentication_v1.TokenRequest,
        ),
    ),
)  # fmt: skip
LEASES = Resource(
    "coordination.k8s.io", "v1", "Lease", "leases", "lease", coordination_v1.Lease,
    strategy="leases",
)  # fmt: skip

_RBAC = "rbac.authorization.k8s.io"
ROLES = Resource(_RBAC, "v1", "Role", "roles", "role", rbac_v1.Role, strategy="roles")
ROLEBINDINGS = Resource(
    _RBAC, "v1", "RoleBinding", "rolebindings", "rolebinding", rbac_v1.RoleBinding,
    strategy="rolebindings",
)  # fmt: skip
CLUSTERROLES = Resource(
    _RBAC, "v1", "ClusterRole", "clusterroles", "clusterrole", rbac_v1.ClusterRole,
    namespaced=False, strategy="roles",
)  # fmt: skip
CLUSTERROLEBINDINGS = Resource(
    _RBAC, "v1", "ClusterRoleBinding", "clusterrolebindings", "clusterrolebinding",
    rbac_v1.ClusterRoleBinding, namespaced=False, strategy="rolebindings",
)  # fmt: skip


def _review(group: str, type_: type[Struct], *, namespaced: bool = False) -> Resource:
    singular = type_.__name__.lower()
    return Resource(
        group, "v1", type_.__name__, f"{singular}s", singular, type_, namespaced=namespaced,
        verbs=("create",), stored=False,
    )  # fmt: skip


SUBJECTACCESSREVIEWS = _review("authorization.k8s.io", authorization_v1.SubjectAccessReview)
SELFSUBJECTACCESSREVIEWS = _review("authorization.k8s.io", authorization_v1.SelfSubjectAccessReview)
LOCALSUBJECTACCESSREVIEWS = _review(
    "authorization.k8s.io", authorization_v1.LocalSubjectAccessReview, namespaced=True
)
SELFSUBJECTRULESREVIEWS = _review("authorization.k8s.io", authorization_v1.SelfSubjectRulesReview)
TOKENREVIEWS = _review("authentication.k8s.io", authentication_v1.TokenReview)
SELFSUBJECTREVIEWS = _review("authentication.k8s.io", authentication_v1.SelfSubjectReview)

RESOURCES: tuple[Resource, ...] = (
    CONFIGMAPS,
    ENDPOINTS,
    EVENTS,
    NAMESPACES,
    NODES,
    PODS,
    SECRETS,
    SERVICEACCOUNTS,
    SERVICES,
    LEASES,
    CLUSTERROLEBINDINGS,
    CLUSTERROLES,
    ROLEBINDINGS,
    ROLES,
    LOCALSUBJECTACCESSREVIEWS,
    SELFSUBJECTACCESSREVIEWS,
    SELFSUBJECTREVIEWS,
    SELFSUBJECTRULESREVIEWS,
    SUBJECTACCESSREVIEWS,
    TOKENREVIEWS,
)


def find(group: str, version: str, plural: str) -> Resource | None:
    """Return the entry behind ``/apis/<group>/<version>/<plural>``."""
    return _BY_PATH.get((group, version, plural))


def find_kind(group: str, version: str, kind: str) -> Resource | None:
    return _BY_KIND.get((group, version, kind))


_BY_PATH = {(r.group, r.version, r.plural): r for r in RESOURCES}
_BY_KIND = {(r.group, r.version, r.kind): r for r in RESOURCES}
