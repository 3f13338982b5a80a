from collections.abc import Sequence

import pytest

from podium.api.errors import ApiError
from podium.api.types.core_v1 import (
    Container,
    EnvFromSource,
    EnvVar,
    EnvVarSource,
    LocalObjectReference,
    PersistentVolumeClaimVolumeSource,
    Pod,
    PodSpec,
    ProjectedVolumeSource,
    SecretEnvSource,
    SecretKeySelector,
    SecretProjection,
    SecretVolumeSource,
    Volume,
    VolumeProjection,
)
from podium.api.types.meta_v1 import ObjectMeta
from podium.api.user import ANONYMOUS, UserInfo
from podium.apiserver.auth.authorizer import Authorizer
from podium.apiserver.auth.node_authorizer import secret_names
from podium.apiserver.auth.rbac.defaults import default_objects
from podium.apiserver.auth.rbac.policy import Policy
from podium.apiserver.paths import parse, split_target

AUTHENTICATED = "system:authenticated"
ADMIN = UserInfo("admin", ("system:masters", AUTHENTICATED))
JANE = UserInfo("jane", (AUTHENTICATED,))
SCHEDULER = UserInfo("system:kube-scheduler", (AUTHENTICATED,))
CONTROLLERS = UserInfo("system:kube-controller-manager", (AUTHENTICATED,))
NAMESPACES = UserInfo("system:serviceaccount:kube-system:namespace-controller", (AUTHENTICATED,))
NODE = UserInfo("system:node:n1", ("system:nodes", AUTHENTICATED))
NOT_A_NODE = UserInfo("system:node:n1", (AUTHENTICATED,))


def pod(name: str, node: str) -> Pod:
    variable = EnvVar(
        name="V",
        value_from=EnvVarSource(secret_key_ref=SecretKeySelector(name="by-variable", key="k")),
    )
    container = Container(
        name="c",
        env=[variable],
        env_from=[EnvFromSource(secret_ref=SecretEnvSource(name="by-environment"))],
    )
    projected = ProjectedVolumeSource(
        sources=[VolumeProjection(secret=SecretProjection(name="by-projection"))]
    )
    spec = PodSpec(
        node_name=node,
        service_account_name="default",
        image_pull_secrets=[LocalObjectReference(name="by-pull")],
        containers=[container],
        volumes=[
            Volume(name="a", secret=SecretVolumeSource(secret_name="by-volume")),
            Volume(name="b", projected=projected),
            Volume(
                name="e",
                persistent_volume_claim=PersistentVolumeClaimVolumeSource(claim_name="claimed"),
            ),
        ],
    )
    return Pod(metadata=ObjectMeta(name=name, namespace="d"), spec=spec)


class Pods:
    """Two Pods in namespace d: ``mine`` on n1, ``theirs`` on n2."""

    found = (pod("mine", "n1"), pod("theirs", "n2"))

    async def pod(self, namespace: str, name: str) -> Pod | None:
        return next((p for p in self.found if (namespace, name) == ("d", p.metadata.name)), None)

    async def pods_on(self, node: str, namespace: str) -> Sequence[Pod]:
        return [p for p in self.found if p.spec.node_name == node and namespace == "d"]

    async def claim_of(self, volume: str) -> tuple[str, str] | None:
        return {"bound": ("d", "claimed"), "elsewhere": ("d", "other")}.get(volume)


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
        await Authorizer(POLICY, Pods()).authorize(user, parse(method, path, query), query)
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
    (NODE, "POST /api/v1/nodes"),
    (NODE, "GET /api/v1/nodes/n1"),
    (NODE, "GET /api/v1/nodes?fieldSelector=metadata.name%3Dn1&watch=1"),
    (NODE, "PATCH /api/v1/nodes/n1/status"),
    (NODE, "PUT /apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n1"),
    (NODE, "GET /api/v1/pods?fieldSelector=spec.nodeName%3Dn1&watch=1"),
    (NODE, "PATCH /api/v1/namespaces/d/pods/mine/status"),
    (NODE, "DELETE /api/v1/namespaces/d/pods/mine"),
    (NODE, "DELETE /api/v1/namespaces/d/pods/gone"),
    (NODE, "GET /api/v1/namespaces/d/secrets/by-volume"),
    (NODE, "GET /api/v1/namespaces/d/secrets?fieldSelector=metadata.name%3Dby-pull&watch=1"),
    (NODE, "POST /api/v1/namespaces/d/serviceaccounts/default/token"),
    (NODE, "GET /api/v1/services?watch=1"),
    (NODE, "GET /api/v1/namespaces/d/persistentvolumeclaims/claimed"),
    (NODE, "GET /api/v1/persistentvolumes/bound"),
    (NODE, "PUT /apis/storage.k8s.io/v1/csinodes/n1"),
    (NODE, "POST /api/v1/namespaces/d/events"),
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
    (
        NODE,
        "PATCH /api/v1/nodes/n2/status",
        'nodes "n2" is forbidden: User "system:node:n1" cannot patch resource "nodes/status" in '
        'API group "" at the cluster scope: '
        "node 'n1' cannot modify 'n2', only its own Node object",
    ),
    (
        NODE,
        "GET /api/v1/namespaces/d/secrets/other",
        'secrets "other" is forbidden: User "system:node:n1" cannot get resource "secrets" in '
        'API group "" in the namespace "d": '
        "no relationship found between node 'n1' and this object",
    ),
]


@pytest.mark.parametrize(
    ("user", "request_line", "message"), MAY_NOT, ids=[f"{u.name} {r}" for u, r, _ in MAY_NOT]
)
async def test_refused_in_upstreams_words(user: UserInfo, request_line: str, message: str) -> None:
    assert await ask(user, request_line) == message


@pytest.mark.parametrize(
    "request_line",
    [
        "GET /api/v1/nodes",
        "DELETE /api/v1/nodes/n1",
        "GET /api/v1/pods",
        "GET /api/v1/pods?fieldSelector=spec.nodeName%3Dn2",
        "GET /api/v1/pods?fieldSelector=spec.nodeName!%3Dn1",
        "GET /api/v1/namespaces/d/pods/theirs",
        "PATCH /api/v1/namespaces/d/pods/theirs/status",
        "POST /api/v1/namespaces/d/pods",
        "GET /api/v1/namespaces/d/secrets",
        "GET /api/v1/secrets",
        "GET /api/v1/namespaces/other/secrets/by-volume",
        "PUT /api/v1/namespaces/d/secrets/by-volume",
        "POST /api/v1/namespaces/d/serviceaccounts/admin/token",
        "PUT /apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n2",
        "PUT /apis/coordination.k8s.io/v1/namespaces/kube-system/leases/n1",
        "PATCH /api/v1/namespaces/d/pods/mine",
        "GET /api/v1/namespaces/d/persistentvolumeclaims/other",
        "GET /api/v1/persistentvolumes/elsewhere",
        "GET /api/v1/persistentvolumes/free",
        "PUT /apis/storage.k8s.io/v1/csinodes/n2",
        "GET /apis/storage.k8s.io/v1/volumeattachments/a",
    ],
)
async def test_a_node_may_not(request_line: str) -> None:
    assert await ask(NODE, request_line)


async def test_the_name_of_a_node_without_its_group_is_nobody() -> None:
    assert await ask(NOT_A_NODE, "GET /api/v1/nodes/n1")


def test_every_way_to_refer_to_a_secret() -> None:
    assert set(secret_names(pod("a", "n"))) == {
        "by-pull",
        "by-environment",
        "by-variable",
        "by-volume",
        "by-projection",
    }
