"""Priority: the number behind a Pod's priority class.

Follows ``plugin/pkg/admission/priority``. The two classes of the system are known even before
their objects are there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podium.api.priorities import SYSTEM_CLASSES
from podium.api.scheme import PODS, PRIORITYCLASSES
from podium.api.types.core_v1 import Pod
from podium.registry.admission.base import AdmissionPlugin, Attributes, Reader

if TYPE_CHECKING:
    from podium.api.types.scheduling_v1 import PriorityClass

DEFAULT_PRIORITY, DEFAULT_POLICY = 0, "PreemptLowerPriority"


class Priority(AdmissionPlugin):
    name = "Priority"
    resources = (PODS, PRIORITYCLASSES)

    async def admit(self, attributes: Attributes) -> None:
        """Compute priority and preemption policy; keep them on update.

        Raises ApiError (403) for an unknown class, and for numbers of a client's own.
        """
        if attributes.resource is not PODS or attributes.subresource:
            return
        pod: Pod = attributes.obj
        if attributes.operation == "CREATE":
            await _compute(attributes, pod)
        elif attributes.operation == "UPDATE" and attributes.old is not None:
            # A client that does not know the fields leaves them out.
            if pod.spec.priority is None:
                pod.spec.priority = attributes.old.spec.priority
            if pod.spec.preemption_policy is None:
                pod.spec.preemption_policy = attributes.old.spec.preemption_policy

    async def validate(self, attributes: Attributes) -> None:
        """Raises ApiError (403) for a second class that is to be the default."""
        if attributes.resource is PRIORITYCLASSES and not attributes.subresource:
            _one_default(attributes)


async def _compute(attributes: Attributes, pod: Pod) -> None:
    spec = pod.spec
    value, policy = DEFAULT_PRIORITY, DEFAULT_POLICY
    if spec.priority_class_name:
        value, policy = await _named(attributes, spec.priority_class_name)
    elif (default := _default_class(attributes.reader)) is not None:
        spec.priority_class_name = default.metadata.name
        value, policy = default.value, default.preemption_policy or DEFAULT_POLICY
    if spec.priority is not None and spec.priority != value:
        text = (
            f"the integer value of priority ({spec.priority}) must not be provided in pod spec; "
            f"priority admission controller computed {value} from the given PriorityClass name"
        )
        raise attributes.forbidden(text)
    if spec.preemption_policy not in (None, policy):
        text = (
            f"the string value of PreemptionPolicy ({spec.preemption_policy}) must not be "
            f"provided in pod spec; priority admission controller computed {policy} "
            "from the given PriorityClass name"
        )
        raise attributes.forbidden(text)
    spec.priority, spec.preemption_policy = value, policy


async def _named(attributes: Attributes, name: str) -> tuple[int, str]:
    """Return value and preemption policy of a class. Raises ApiError (403)."""
    known = SYSTEM_CLASSES.get(name)
    if known is not None:
        return known, DEFAULT_POLICY
    found = await attributes.reader.read(PRIORITYCLASSES, "", name)
    if found is None:
        raise attributes.forbidden(f"no PriorityClass with name {name} was found")
    return found.value, found.preemption_policy or DEFAULT_POLICY


def _default_class(reader: Reader) -> PriorityClass | None:
    """Return the class for Pods that name none: of several, that of the lowest value."""
    defaults = [c for c in reader.known(PRIORITYCLASSES, "") if c.global_default]
    return min(defaults, key=lambda found: found.value, default=None)


def _one_default(attributes: Attributes) -> None:
    if attributes.operation not in ("CREATE", "UPDATE") or not attributes.obj.global_default:
        return
    default = _default_class(attributes.reader)
    if default is None:
        return
    name = default.metadata.name
    if attributes.operation == "CREATE" or name != attributes.obj.metadata.name:
        text = f"PriorityClass {name} is already marked as default. Only one default can exist"
        raise attributes.forbidden(text)
