from collections.abc import Iterator
from typing import Any

import pytest

from podium.api.errors import ApiError
from podium.api.scheme import CONFIGMAPS, LEASES, NODES, Resource
from podium.api.types.coordination_v1 import Lease
from podium.api.types.core_v1 import ConfigMap, Node, NodeSpec, Taint
from podium.api.types.meta_v1 import ObjectMeta
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


async def refusal(user: UserInfo, resource: Resource, obj: Any, old: Any = None) -> str:
    operation: Operation = "UPDATE" if old is not None else "CREATE"
    attributes = Attributes(resource, operation, "", "", user, NoObjects(), obj, old)
    try:
        await NodeRestriction().admit(attributes)
    except ApiError as error:
        return str(error)
    return ""


RESTRICTED = {"node-restriction.kubernetes.io_zone": "a"}


@pytest.mark.parametrize(
    ("user", "resource", "obj", "old"),
    [
        pytest.param(N1, NODES, node("n1"), None, id="itself"),
        pytest.param(N1, NODES, node("n1", tainted=True), None, id="taints-at-registration"),
        pytest.param(N1, NODES, node("n1", a="b"), node("n1"), id="other-labels"),
        pytest.param(N1, NODES, node("n1", **RESTRICTED), node("n1", **RESTRICTED), id="kept"),
        pytest.param(N1, LEASES, Lease(metadata=ObjectMeta(name="n1")), None, id="own-lease"),
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
            node("n1", **RESTRICTED),
            node("n1"),
            'nodes "n1" is forbidden: node "n1" is not allowed to modify the following labels: '
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
            LEASES,
            Lease(metadata=ObjectMeta(name="n2")),
            None,
            'leases.coordination.k8s.io "n2" is forbidden: '
            "can only access node lease with the same name as the requesting node",
            id="another-lease",
        ),
    ],
)
async def test_refused(resource: Resource, obj: Any, old: Any, message: str) -> None:
    assert await refusal(N1, resource, obj, old) == message
