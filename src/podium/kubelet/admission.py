"""Whether the node takes a Pod on that was bound to it."""

from __future__ import annotations

from podium.api.types.core_v1 import Node, Pod
from podium.domain.pods import unsupported
from podium.domain.pods.status import Verdict
from podium.domain.scheduling.admission import fits


def refusal(pod: Pod, node: Node, others: list[Pod]) -> Verdict | None:
    """Return why the Pod is refused, None when it is welcome.

    *others* are the Pods that the node has admitted and that are not over.
    """
    if pod.spec.os is not None and pod.spec.os.name not in ("", "linux"):
        return Verdict(
            "PodOSNotSupported", "Failed to admit pod as the OS field doesn't match node OS"
        )
    fields = unsupported.unsupported_fields(pod)
    if fields:
        return Verdict(unsupported.REASON, unsupported.unsupported_message(fields))
    refusals = fits(pod, node, others)
    if refusals:
        return Verdict(refusals[0].reason, refusals[0].message)
    return None
