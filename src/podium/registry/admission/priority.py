"""Priority: the number behind a Pod's priority class.

Follows ``plugin/pkg/admission/priority``. PriorityClass objects are not served; the two classes
of the system are known all the same.
"""

from __future__ import annotations

from podium.api import errors
from podium.api.scheme import PODS
from podium.api.types.core_v1 import Pod
from podium.registry.admission.base import Attributes

#: Value of the classes that every cluster has.
SYSTEM_CLASSES = {
    "system-cluster-critical": 2_000_000_000,
    "system-node-critical": 2_000_001_000,
}
DEFAULT_PRIORITY, DEFAULT_POLICY = 0, "PreemptLowerPriority"


class Priority:
    name = "Priority"

    async def admit(self, attributes: Attributes) -> None:
        """Compute priority and preemption policy; keep them on update.

        Raises ApiError (403) for an unknown class, and for numbers of a client's own.
        """
        if attributes.resource is not PODS or attributes.subresource:
            return
        pod: Pod = attributes.obj
        if attributes.operation == "CREATE":
            _compute(pod)
        elif attributes.operation == "UPDATE" and attributes.old is not None:
            # A client that does not know the fields leaves them out.
            if pod.spec.priority is None:
                pod.spec.priority = attributes.old.spec.priority
            if pod.spec.preemption_policy is None:
                pod.spec.preemption_policy = attributes.old.spec.preemption_policy

    async def validate(self, attributes: Attributes) -> None:
        """Nothing more than ``admit``."""


def _compute(pod: Pod) -> None:
    spec, name = pod.spec, pod.metadata.name
    value = DEFAULT_PRIORITY
    if spec.priority_class_name:
        known = SYSTEM_CLASSES.get(spec.priority_class_name)
        if known is None:
            text = f"no PriorityClass with name {spec.priority_class_name} was found"
            raise errors.forbidden(PODS, name, text)
        value = known
    if spec.priority is not None and spec.priority != value:
        text = (
            f"the integer value of priority ({spec.priority}) must not be provided in pod spec; "
            f"priority admission controller computed {value} from the given PriorityClass name"
        )
        raise errors.forbidden(PODS, name, text)
    if spec.preemption_policy not in (None, DEFAULT_POLICY):
        text = (
            f"the string value of PreemptionPolicy ({spec.preemption_policy}) must not be "
            f"provided in pod spec; priority admission controller computed {DEFAULT_POLICY} "
            "from the given PriorityClass name"
        )
        raise errors.forbidden(PODS, name, text)
    spec.priority, spec.preemption_policy = value, DEFAULT_POLICY
