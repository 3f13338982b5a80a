"""NodeRestriction: what a node writes is about itself, whatever the body says.

The authorizer has looked at the path already; here are the names that only the body tells, and the
parts of a Node that decide which Pods come to it. Follows ``plugin/pkg/admission/noderestriction``.
"""

from __future__ import annotations

from podium.api import errors
from podium.api.errors import ApiError
from podium.api.meta import metadata
from podium.api.scheme import LEASES, NODES
from podium.api.types.core_v1 import Node
from podium.api.user import node_name
from podium.registry.admission.base import Attributes

#: Labels that administrators mark nodes with for isolation, out of the nodes' own reach.
RESTRICTED_PREFIX = "node-restriction.kubernetes.io/"


class NodeRestriction:
    name = "NodeRestriction"

    async def admit(self, attributes: Attributes) -> None:
        node = node_name(attributes.user)
        if not node or attributes.obj is None:
            return
        name = attributes.name or metadata(attributes.obj).name
        if attributes.resource is NODES:
            _check_node(attributes, node, name)
        elif attributes.resource is LEASES and name != node:
            raise _refused(
                attributes,
                name,
                "can only access node lease with the same name as the requesting node",
            )

    async def validate(self, attributes: Attributes) -> None:
        """Nothing beyond what was refused on arrival."""


def _check_node(attributes: Attributes, node: str, name: str) -> None:
    if name != node:
        why = f'node "{node}" is not allowed to modify node "{name}"'
        raise _refused(attributes, name, why)
    new, old = attributes.obj, attributes.old
    if not isinstance(new, Node):
        return
    if isinstance(old, Node) and new.spec.taints != old.spec.taints:
        raise _refused(attributes, name, f'node "{node}" is not allowed to modify taints')
    before = old.metadata.labels if isinstance(old, Node) else {}
    changed = {key for key, _ in before.items() ^ new.metadata.labels.items()}
    restricted = sorted(key for key in changed if key.startswith(RESTRICTED_PREFIX))
    if restricted:
        verb = "modify" if isinstance(old, Node) else "set"
        why = f"is not allowed to {verb} the following labels: {', '.join(restricted)}"
        raise _refused(attributes, name, f'node "{node}" {why}')


def _refused(attributes: Attributes, name: str, why: str) -> ApiError:
    return errors.forbidden(attributes.resource, name, why)
