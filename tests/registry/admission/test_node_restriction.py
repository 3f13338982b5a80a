from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from podium.api.errors import ApiError
from podium.api.scheme import CONFIGMAPS, CSINODES, LEASES, NODES, Resource
from podium.api.types.coordination_v1 import Lease
from podium.api.types.core_v1 import ConfigMap, Node, NodeSpec, Taint
from podium.api.types.meta_v1 import ObjectMeta, OwnerReference
from podium.api.types.storage_v1 import CSINode
from podium.api.user import UserInfo
from podium.registry.admission.base import Attributes, Operation
from podium.registry.admission.node_restriction import NodeRestriction

N1 = UserInfo("system:node:n1", ("system:nodes", "system:authenticated"))
ADMIN = UserInfo("admin", ("system:masters",))


class NoObjects:
    def known(self, resource: Resource, namespace: str) -> Iterator[Any]:
        return iter(())

    async def write_status(self, resource: Resource, obj: Any) -> Any:
        raise AssertionError("nothing here has a status to write")

    async def read(self, resource: Resource, namespace: str, name: str) -> Any | None:
        return None


def node(name: str, *, tainted: bool = False, **labels: str) -> Node:
    taints = [Taint(key="k", effect="NoSchedule")] if tainted else []
    named = {key.replace("_", "/"): value for key, value in labels.items()}
    return Node(metadata=ObjectMeta(name=name, labels=named), spec=NodeSpec(taints=taints))


def owned(of: Node) -> Node:
    owner = OwnerReference(api_version="v1", kind="Pod", name="gone", uid="u")
    return replace(of, metadata=replace(of.metadata, owner_references=[owner]))


def lease(name: str, namespace: str = "kube-node-lease") -> Lease:
    return Lease(metadata=ObjectMeta(name=name, namespace=namespace))


async def refusal(user: UserInfo, resource: Resource, obj: Any, old: Any = None) -> str:
    operation: Operation = "UPDATE" if old is not None else "CREATE"
    namespace = obj.metadata.namespace
    attributes = Attributes(resource, operation, namespace, "", user, NoObjects(), obj, old)
    try:
        await NodeRestriction().admit(attributes)
    except ApiError as error:
        return str(error)
    return ""


OWN = {
    "kubernetes.io_hostname": "n1",
    "kubernetes.io_os": "linux",
    "topology.kubernetes.io_zone": "z",
    "node.kubernetes.io_instance-type": "x",
    "kubelet.kubernetes.io_anything": "y",
    "x.node.kubernetes.io_anything": "y",
}
RESTRICTED = {"node-restriction.kubernetes.io_zone": "a"}


@pytest.mark.parametrize(
    ("user", "resource", "obj", "old"),
    [
        pytest.param(N1, NODES, node("n1"), None, id="itself"),
        pytest.param(N1, NODES, node("n1", tainted=True), None, id="taints-at-registration"),
        pytest.param(N1, NODES, node("n1", a="b"), node("n1"), id="other-labels"),
        pytest.param(N1, NODES, node("n1", **RESTRICTED), node("n1", **RESTRICTED), id="kept"),
        pytest.param(N1, LEASES, lease("n1"), None, id="own-lease"),
        pytest.param(N1, CSINODES, CSINode(metadata=ObjectMeta(name="n1")), None, id="own-csi"),
        pytest.param(N1, NODES, node("n1", **OWN), None, id="labels-that-are-a-nodes-own"),
        pytest.param(N1, CONFIGMAPS, ConfigMap(metadata=ObjectMeta(name="x")), None, id="others"),
        pytest.param(ADMIN, NODES, node("n2", **RESTRICTED), None, id="an-administrator"),
    ],
)
async def test_allowed(user: UserInfo, resource: Resource, obj: Any, old: Any) -> None:
    assert await refusal(user, resource, obj, old) == ""


@pytest.mark.parametrize(
    ("resource", "obj", "old", "message"),
    [
        pytest.param(
            NODES,
            node("n2"),
            None,
            'nodes "n2" is forbidden: node "n1" is not allowed to modify node "n2"',
            id="another-node",
        ),
        pytest.param(
            NODES,
            node("n1", tainted=True),
            node("n1"),
            'nodes "n1" is forbidden: node "n1" is not allowed to modify taints',
            id="taints",
        ),
        pytest.param(
            NODES,
            owned(node("n1")),
            node("n1"),
            'nodes "n1" is forbidden: node "n1" is not allowed to modify ownerReferences',
            id="an-owner-that-takes-it-along",
        ),
        pytest.param(
            NODES,
            node("n1", **RESTRICTED),
            node("n1"),
            'nodes "n1" is forbidden: is not allowed to modify labels: '
            "node-restriction.kubernetes.io/zone",
            id="restricted-label",
        ),
        pytest.param(
            NODES,
            node("n1", **RESTRICTED),
            None,
            'nodes "n1" is forbidden: node "n1" is not allowed to set the following labels: '
            "node-restriction.kubernetes.io/zone",
            id="restricted-label-at-registration",
        ),
        pytest.param(
            NODES,
            node("n1", **{"a.kubernetes.io_x": "1", "k8s.io_role": "2", "own": "3"}),
            node("n1"),
            'nodes "n1" is forbidden: is not allowed to modify labels: '
            "a.kubernetes.io/x, k8s.io/role",
            id="labels-of-kubernetes-own",
        ),
        pytest.param(
            NODES,
            node("n1", **{"x.node-restriction.kubernetes.io_y": "1"}),
            None,
            'nodes "n1" is forbidden: node "n1" is not allowed to set the following labels: '
            "x.node-restriction.kubernetes.io/y",
            id="restricted-label-of-a-part",
        ),
        pytest.param(
            LEASES,
            lease("n1", "default"),
            None,
            'leases.coordination.k8s.io "n1" is forbidden: '
            'can only access leases in the "kube-node-lease" system namespace',
            id="a-lease-elsewhere",
        ),
        pytest.param(
            CSINODES,
            CSINode(metadata=ObjectMeta(name="n2")),
            None,
            'csinodes.storage.k8s.io "n2" is forbidden: '
            "can only access CSINode with the same name as the requesting node",
            id="another-csinode",
        ),
        pytest.param(
            LEASES,
            lease("n2"),
            None,
            'leases.coordination.k8s.io "n2" is forbidden: '
            "can only access node lease with the same name as the requesting node",
            id="another-lease",
        ),
    ],
)
async def test_refused(resource: Resource, obj: Any, old: Any, message: str) -> None:
    assert await refusal(N1, resource, obj, old) == message
