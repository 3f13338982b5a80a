import pytest

from podium.api.errors import ApiError
from podium.api.user import ANONYMOUS, UserInfo
from podium.apiserver.auth.authorizer import Authorizer
from podium.apiserver.auth.node_graph import NodeGraph
from podium.apiserver.auth.rbac.defaults import default_objects
from podium.apiserver.auth.rbac.policy import Policy
from podium.apiserver.paths import parse, split_target

AUTHENTICATED = "system:authenticated"
ADMIN = UserInfo("admin", ("system:masters", AUTHENTICATED))
JANE = UserInfo("jane", (AUTHENTICATED,))
SCHEDULER = UserInfo("system:kube-scheduler", (AUTHENTICATED,))
CONTROLLERS = UserInfo("system:kube-controller-manager", (AUTHENTICATED,))
NAMESPACES = UserInfo("system:serviceaccount:kube-system:namespace-controller", (AUTHENTICATED,))
NOT_A_NODE = UserInfo("system:node:n1", (AUTHENTICATED,))


def default_policy() -> Policy:
    policy = Policy()
    policy.assume(default_objects())
    return policy


POLICY = default_policy()


async def ask(user: UserInfo, request_line: str) -> str:
    """Return "" where *user* may, otherwise the refusal."""
    method, target = request_line.split(" ")
    path, query = split_target(target)
    try:
        Authorizer(POLICY, NodeGraph()).authorize(user, parse(method, path, query), query)
    except ApiError as error:
        return str(error) if error.code == 403 else f"{error.code}: {error}"
    return ""


MAY = [
    (ADMIN, "DELETE /api/v1/namespaces/d/secrets"),
    (ADMIN, "GET /metrics"),
    (JANE, "GET /api"),
    (JANE, "GET /apis/apps/v1"),
    (JANE, "GET /openapi/v2"),
    (JANE, "GET /openapi/v3/api/v1"),
    (JANE, "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews"),
    (ANONYMOUS, "GET /version"),
    (SCHEDULER, "POST /api/v1/namespaces/d/pods/a/binding"),
    (SCHEDULER, "GET /api/v1/nodes?watch=1"),
    (SCHEDULER, "PATCH /api/v1/namespaces/d/pods/a/status"),
    (SCHEDULER, "POST /api/v1/namespaces/d/events"),
    (CONTROLLERS, "GET /api/v1/secrets?watch=1"),
    (CONTROLLERS, "POST /api/v1/namespaces/d/serviceaccounts"),
    (CONTROLLERS, "POST /api/v1/namespaces/d/serviceaccounts/a/token"),
    (NAMESPACES, "PUT /api/v1/namespaces/d/finalize"),
    (NAMESPACES, "DELETE /api/v1/namespaces/d/secrets"),
]


@pytest.mark.parametrize(("user", "request_line"), MAY, ids=[f"{u.name} {r}" for u, r in MAY])
async def test_allowed(user: UserInfo, request_line: str) -> None:
    assert await ask(user, request_line) == ""


MAY_NOT = [
    (
        CONTROLLERS,
        "DELETE /api/v1/namespaces/d/secrets",
        'secrets is forbidden: User "system:kube-controller-manager" cannot deletecollection '
        'resource "secrets" in API group "" in the namespace "d"',
    ),
    (
        JANE,
        "GET /api/v1/namespaces/d/pods",
        'pods is forbidden: User "jane" cannot list resource "pods" in API group "" '
        'in the namespace "d"',
    ),
    (
        JANE,
        "GET /api/v1/nodes/x",
        'nodes "x" is forbidden: User "jane" cannot get resource "nodes" in API group "" '
        "at the cluster scope",
    ),
    (
        JANE,
        "GET /api/v1/namespaces/d",
        'namespaces "d" is forbidden: User "jane" cannot get resource "namespaces" in API group '
        '"" in the namespace "d"',
    ),
    (
        JANE,
        "GET /apis/nothing.example/v1/things",
        'things.nothing.example is forbidden: User "jane" cannot list resource "things" in API '
        'group "nothing.example" at the cluster scope',
    ),
    (
        JANE,
        "GET /api/v1/namespaces/d/pods/x/log",
        'pods "x" is forbidden: User "jane" cannot get resource "pods/log" in API group "" '
        'in the namespace "d"',
    ),
    (JANE, "GET /metrics", 'forbidden: User "jane" cannot get path "/metrics"'),
    (JANE, "POST /api", 'forbidden: User "jane" cannot post path "/api"'),
    (JANE, "GET /<a>%22", 'forbidden: User "jane" cannot get path "/&lt;a&gt;\\""'),
    (
        SCHEDULER,
        "GET /api/v1/namespaces/d/secrets/s",
        'secrets "s" is forbidden: User "system:kube-scheduler" cannot get resource "secrets" '
        'in API group "" in the namespace "d"',
    ),
]


@pytest.mark.parametrize(
    ("user", "request_line", "message"), MAY_NOT, ids=[f"{u.name} {r}" for u, r, _ in MAY_NOT]
)
async def test_refused_in_upstreams_words(user: UserInfo, request_line: str, message: str) -> None:
    assert await ask(user, request_line) == message


async def test_the_name_of_a_node_without_its_group_is_nobody() -> None:
    assert await ask(NOT_A_NODE, "GET /api/v1/nodes/n1")
