"""RuntimeClass: a Pod gets the overhead and the scheduling of the class that it names.

Follows ``plugin/pkg/admission/runtimeclass``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from podium.api.quantity import parse
from podium.api.scheme import PODS, RUNTIMECLASSES
from podium.api.types.core_v1 import Pod
from podium.domain.scheduling import tolerations
from podium.registry.admission.base import AdmissionPlugin, Attributes

if TYPE_CHECKING:
    from podium.api.types.node_v1 import RuntimeClass

_WITHOUT = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"
_DIFFERENT = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"


class RuntimeClassAdmission(AdmissionPlugin):
    name = "RuntimeClass"
    resources = (PODS,)

    async def admit(self, attributes: Attributes) -> None:
        """Raises ApiError (403) for a class that is not there, or that the Pod contradicts."""
        if not _concerns(attributes):
            return
        pod: Pod = attributes.obj
        found = await _class_of(attributes, pod)
        if found is not None:
            _take_overhead(attributes, pod, found)
            _take_scheduling(attributes, pod, found)

    async def validate(self, attributes: Attributes) -> None:
        """Raises ApiError (403) for another overhead than the class has."""
        if not _concerns(attributes):
            return
        pod: Pod = attributes.obj
        found = await _class_of(attributes, pod)
        if found is not None and found.overhead is not None:
            if not _same(pod.spec.overhead, found.overhead.pod_fixed):
                raise attributes.forbidden(_DIFFERENT)
        elif pod.spec.overhead:
            raise attributes.forbidden(_WITHOUT)


def _concerns(attributes: Attributes) -> bool:
    new = attributes.operation == "CREATE" and not attributes.subresource
    return new and attributes.resource is PODS


async def _class_of(attributes: Attributes, pod: Pod) -> RuntimeClass | None:
    """Raises ApiError (403)."""
    name = pod.spec.runtime_class_name
    if not name:
        return None
    found: RuntimeClass | None = await attributes.reader.read(RUNTIMECLASSES, "", name)
    if found is None:
        raise attributes.forbidden(f'pod rejected: RuntimeClass "{name}" not found')
    return found


def _take_overhead(attributes: Attributes, pod: Pod, found: RuntimeClass) -> None:
    if found.overhead is None:
        return
    if pod.spec.overhead and not _same(pod.spec.overhead, found.overhead.pod_fixed):
        raise attributes.forbidden(_DIFFERENT)
    pod.spec.overhead = dict(found.overhead.pod_fixed)


def _same(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether the amounts are the same, however they are written."""
    return one.keys() == other.keys() and all(
        parse(one[name]) == parse(other[name]) for name in one
    )


def _take_scheduling(attributes: Attributes, pod: Pod, found: RuntimeClass) -> None:
    if found.scheduling is None:
        return
    for key, value in found.scheduling.node_selector.items():
        if pod.spec.node_selector.get(key, value) != value:
            raise attributes.forbidden(
                f"conflict: runtimeClass.scheduling.nodeSelector[{key}] = {value}; "
                f"pod.spec.nodeSelector[{key}] = {pod.spec.node_selector[key]}"
            )
    pod.spec.node_selector = {**pod.spec.node_selector, **found.scheduling.node_selector}
    pod.spec.tolerations = tolerations.merged(pod.spec.tolerations, found.scheduling.tolerations)
