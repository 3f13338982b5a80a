"""RuntimeClass: a Pod gets the overhead and the scheduling of the class that it names.

Follows ``plugin/pkg/admission/runtimeclass``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podium.api import errors
from podium.api.scheme import PODS, RUNTIMECLASSES
from podium.api.types.core_v1 import Pod
from podium.registry.admission.base import Attributes

if TYPE_CHECKING:
    from podium.api.types.node_v1 import RuntimeClass

_WITHOUT = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"


class RuntimeClassAdmission:
    name = "RuntimeClass"

    async def admit(self, attributes: Attributes) -> None:
        """Raises ApiError (403) for a class that is not there, or that the Pod contradicts."""
        if attributes.resource is not PODS or attributes.subresource:
            return
        if attributes.operation != "CREATE":
            return
        pod: Pod = attributes.obj
        if not pod.spec.runtime_class_name:
            return
        found = await attributes.reader.read(RUNTIMECLASSES, "", pod.spec.runtime_class_name)
        if found is None:
            why = f'pod rejected: RuntimeClass "{pod.spec.runtime_class_name}" not found'
            raise errors.forbidden(PODS, attributes.name, why)
        _take_overhead(attributes, pod, found)
        _take_scheduling(attributes, pod, found)

    async def validate(self, attributes: Attributes) -> None:
        """Raises ApiError (403) for an overhead without a class that has one."""
        if attributes.resource is not PODS or attributes.subresource:
            return
        if attributes.operation != "CREATE":
            return
        pod: Pod = attributes.obj
        if pod.spec.overhead and not pod.spec.runtime_class_name:
            raise errors.forbidden(PODS, attributes.name, _WITHOUT)


def _take_overhead(attributes: Attributes, pod: Pod, found: RuntimeClass) -> None:
    overhead = dict(found.overhead.pod_fixed) if found.overhead is not None else {}
    if pod.spec.overhead and pod.spec.overhead != overhead:
        why = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"
        raise errors.forbidden(PODS, attributes.name, why)
    pod.spec.overhead = overhead


def _take_scheduling(attributes: Attributes, pod: Pod, found: RuntimeClass) -> None:
    if found.scheduling is None:
        return
    for key, value in found.scheduling.node_selector.items():
        if pod.spec.node_selector.get(key, value) != value:
            why = (
                f"conflict: runtimeClass.scheduling.nodeSelector[{key}] = {value}; "
                f"pod.spec.nodeSelector[{key}] = {pod.spec.node_selector[key]}"
            )
            raise errors.forbidden(PODS, attributes.name, why)
    pod.spec.node_selector = {**pod.spec.node_selector, **found.scheduling.node_selector}
    more = [t for t in found.scheduling.tolerations if t not in pod.spec.tolerations]
    pod.spec.tolerations = [*pod.spec.tolerations, *more]
