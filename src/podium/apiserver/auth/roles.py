"""Who may do what before anybody has granted anything: fixed tables after the bootstrap roles.

Follows ``k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac/bootstrappolicy``, restricted to what
is served. What a node may do further depends on the Pods bound to it: ``node_authorizer``.
"""

from __future__ import annotations

from podium.api.user import UserInfo
from podium.apiserver.auth.rules import ALL, PolicyRule

CORE = ("",)
EVENT_GROUPS = ("", "events.k8s.io")
LEASE_GROUPS = ("coordination.k8s.io",)
READ = ("get", "list", "watch")

CLUSTER_ADMIN = (
    PolicyRule((ALL,), (ALL,), (ALL,)),
    PolicyRule((ALL,), non_resource_urls=(ALL,)),
)
DISCOVERY = (
    PolicyRule(
        ("get",),
        non_resource_urls=(
            "/api",
            "/api/*",
            "/apis",
            "/apis/*",
            "/healthz",
            "/livez",
            "/openapi",
            "/openapi/*",
            "/readyz",
            "/version",
            "/version/",
        ),
    ),
)
PUBLIC_INFO_VIEWER = (
    PolicyRule(
        ("get",), non_resource_urls=("/healthz", "/livez", "/readyz", "/version", "/version/")
    ),
)
BASIC_USER = (
    PolicyRule(
        ("create",),
        ("authorization.k8s.io",),
        ("selfsubjectaccessreviews", "selfsubjectrulesreviews"),
    ),
    PolicyRule(("create",), ("authentication.k8s.io",), ("selfsubjectreviews",)),
)
SERVICE_ACCOUNT_ISSUER_DISCOVERY = (
    PolicyRule(
        ("get",),
        non_resource_urls=(
            "/.well-known/openid-configuration",
            "/.well-known/openid-configuration/",
            "/openid/v1/jwks",
            "/openid/v1/jwks/",
        ),
    ),
)
MONITORING = (
    PolicyRule(
        ("get",),
        non_resource_urls=(
            "/healthz",
            "/healthz/*",
            "/livez",
            "/livez/*",
            "/metrics",
            "/readyz",
            "/readyz/*",
        ),
    ),
)
_EVENTS = PolicyRule(("create", "patch", "update"), EVENT_GROUPS, ("events",))

KUBE_SCHEDULER = (
    _EVENTS,
    PolicyRule(("create", "list", "watch"), LEASE_GROUPS, ("leases",)),
    PolicyRule(("get", "update"), LEASE_GROUPS, ("leases",), ("kube-scheduler",)),
    PolicyRule(READ, CORE, ("nodes", "namespaces", "services")),
    PolicyRule(("delete", *READ), CORE, ("pods",)),
    PolicyRule(("create",), CORE, ("bindings", "pods/binding")),
    PolicyRule(("patch", "update"), CORE, ("pods/status",)),
)
#: The controller manager and, since all run under its name, its controllers together. What it may
#: do to every resource comes from the garbage collector and the namespace controller.
KUBE_CONTROLLER_MANAGER = (
    _EVENTS,
    PolicyRule(
        ("delete", "deletecollection", "get", "list", "patch", "update", "watch"), (ALL,), (ALL,)
    ),
    PolicyRule(("create",), LEASE_GROUPS, ("leases",)),
    PolicyRule(("create",), CORE, ("configmaps", "endpoints", "serviceaccounts")),
)
#: Of these the node authorizer takes away what is not the node's own.
NODE = (
    _EVENTS,
    PolicyRule(("create", "patch", "update", *READ), CORE, ("nodes",)),
    PolicyRule(("patch", "update"), CORE, ("nodes/status",)),
    PolicyRule(("create", "delete", *READ), CORE, ("pods",)),
    PolicyRule(("patch", "update"), CORE, ("pods/status",)),
    PolicyRule(("create",), CORE, ("pods/eviction",)),
    PolicyRule(READ, CORE, ("configmaps", "secrets", "services")),
    PolicyRule(("get",), CORE, ("serviceaccounts",)),
    PolicyRule(("create",), CORE, ("serviceaccounts/token",)),
    PolicyRule(("create", "delete", "get", "patch", "update"), LEASE_GROUPS, ("leases",)),
)

_BY_USER = {
    "system:kube-scheduler": KUBE_SCHEDULER,
    "system:kube-controller-manager": KUBE_CONTROLLER_MANAGER,
}
_BY_GROUP = {
    "system:masters": CLUSTER_ADMIN,
    "system:monitoring": MONITORING,
    "system:authenticated": DISCOVERY + BASIC_USER + PUBLIC_INFO_VIEWER,
    "system:unauthenticated": PUBLIC_INFO_VIEWER,
    "system:serviceaccounts": SERVICE_ACCOUNT_ISSUER_DISCOVERY,
}


def rules_for(user: UserInfo) -> tuple[PolicyRule, ...]:
    """Return all rules that hold for *user*, the nodes' aside."""
    rules = _BY_USER.get(user.name, ())
    for group in user.groups:
        rules += _BY_GROUP.get(group, ())
    return rules
