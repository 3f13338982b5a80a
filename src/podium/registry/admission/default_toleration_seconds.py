"""DefaultTolerationSeconds: a Pod stays on a lost node for five minutes, unless it says otherwise.

Follows ``plugin/pkg/admission/defaulttolerationseconds``.
"""

from __future__ import annotations

from podium.api.node_taints import NOT_READY, UNREACHABLE
from podium.api.scheme import PODS
from podium.api.types.core_v1 import Pod, Toleration
from podium.registry.admission.base import AdmissionPlugin, Attributes

SECONDS = 300


class DefaultTolerationSeconds(AdmissionPlugin):
    name = "DefaultTolerationSeconds"
    resources = (PODS,)

    async def admit(self, attributes: Attributes) -> None:
        """Add what is missing; on updates, too, where a client left the two out."""
        if attributes.resource is not PODS or attributes.subresource:
            return
        if attributes.operation in ("CREATE", "UPDATE") and isinstance(attributes.obj, Pod):
            add_default_tolerations(attributes.obj)


def add_default_tolerations(pod: Pod) -> None:
    present = pod.spec.tolerations
    missing = [
        Toleration(key=key, operator="Exists", effect="NoExecute", toleration_seconds=SECONDS)
        for key in (NOT_READY, UNREACHABLE)
        if not any(_tolerates(toleration, key) for toleration in present)
    ]
    if missing:
        pod.spec.tolerations = [*present, *missing]


def _tolerates(toleration: Toleration, key: str) -> bool:
    return toleration.key in ("", key) and toleration.effect in ("", "NoExecute")
