"""TaintNodesByCondition: a new node takes no Pods until somebody has seen it ready.

The node lifecycle controller removes the taint. Follows
``plugin/pkg/admission/nodetaint``.
"""

from __future__ import annotations

from podium.api.node_taints import NOT_READY
from podium.api.scheme import NODES
from podium.api.types.core_v1 import Node, Taint
from podium.registry.admission.base import AdmissionPlugin, Attributes


class TaintNodesByCondition(AdmissionPlugin):
    name = "TaintNodesByCondition"
    resources = (NODES,)

    async def admit(self, attributes: Attributes) -> None:
        if attributes.resource is not NODES or attributes.subresource:
            return
        if attributes.operation == "CREATE" and isinstance(attributes.obj, Node):
            spec = attributes.obj.spec
            if all((t.key, t.effect) != (NOT_READY, "NoSchedule") for t in spec.taints):
                spec.taints = [*spec.taints, Taint(key=NOT_READY, effect="NoSchedule")]
