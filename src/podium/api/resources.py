"""What a Pod asks for, added up, and the QoS class that follows from it.

Amounts are whole thousandths (``500m`` of CPU is 500, a byte is 1000), rounded up, so that sums
and comparisons are exact on plain integers.

Follows ``k8s.io/component-helpers/resource`` and ``pkg/apis/core/helper/qos``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from msgspec.structs import replace

from podium.api.quantity import Amount, Format, parse, to_milli
from podium.api.types.core_v1 import Container, ContainerStatus, Pod, ResourceRequirements

GUARANTEED, BURSTABLE, BEST_EFFORT = "Guaranteed", "Burstable", "BestEffort"

Amounts = dict[str, int]


def is_sidecar(container: Container) -> bool:
    """Whether an init container keeps running beside the regular ones (restartPolicy Always)."""
    return container.restart_policy == "Always"


def pod_requests(pod: Pod, *, with_overhead: bool = True) -> Amounts:
    """Return what the scheduler sets aside for *pod*, overhead included."""
    total = container_requests(pod)
    if pod.spec.resources is not None:
        total.update(_pod_level(pod.spec.resources.requests))
    if with_overhead:
        _add(total, _milli(pod.spec.overhead))
    return total


def pod_limits(pod: Pod, *, with_overhead: bool = True) -> Amounts:
    """Return the most that *pod* may use; a resource that some container may use freely is absent
    or counts those that are limited. Overhead is added to what is limited at all."""
    total = container_limits(pod)
    if pod.spec.resources is not None:
        total.update(_pod_level(pod.spec.resources.limits))
    overhead = _milli(pod.spec.overhead) if with_overhead else {}
    _add(total, {name: overhead[name] for name in overhead if total.get(name)})
    return total


def requests_in_use(pod: Pod) -> Amounts:
    """Return what *pod* takes of its node: like :func:`pod_requests`, but for resizes.

    While one is not done, that is the larger of what is asked for and what the containers have;
    what they have alone, where the node cannot do it.
    """
    reported = {
        status.name: status
        for status in (*pod.status.init_container_statuses, *pod.status.container_statuses)
    }
    settled = replace(
        pod.spec,
        containers=[_in_use(c, reported.get(c.name), pod) for c in pod.spec.containers],
        init_containers=[_in_use(c, reported.get(c.name), pod) for c in pod.spec.init_containers],
    )
    if settled == pod.spec:
        return pod_requests(pod)
    return pod_requests(replace(pod, spec=settled))


def _in_use(container: Container, status: ContainerStatus | None, pod: Pod) -> Container:
    asked = container.resources.requests
    if status is None or status.resources is None:
        return container
    stated = [status.resources.requests, status.allocated_resources]
    if stated == [asked, asked]:
        return container
    if not _infeasible(pod):
        stated.append(asked)
    largest: dict[str, str] = {}
    for quantities in stated:
        for name, quantity in quantities.items():
            if to_milli(quantity) >= to_milli(largest.get(name, "0")):
                largest[name] = quantity
    return replace(container, resources=replace(container.resources, requests=largest))


def _infeasible(pod: Pod) -> bool:
    return any(
        condition.type == "PodResizePending" and condition.reason == "Infeasible"
        for condition in pod.status.conditions
    )


def container_requests(pod: Pod) -> Amounts:
    """Return the sum that the containers request, without overhead and Pod-level resources."""
    return _aggregate(pod, lambda container: container.resources.requests)


def container_limits(pod: Pod) -> Amounts:
    """Return the sum of the containers' limits, without overhead and Pod-level resources."""
    return _aggregate(pod, lambda container: container.resources.limits)


def is_huge_page(name: str) -> bool:
    return name.startswith("hugepages-")


def as_written(pod: Pod, totals: Amounts) -> dict[str, Amount]:
    """Return *totals* of a Pod in the notation that it uses itself for each resource."""
    formats: dict[str, Format] = {}
    parts = [c.resources for c in (*pod.spec.containers, *pod.spec.init_containers)]
    if pod.spec.resources is not None:
        parts.insert(0, pod.spec.resources)
    for part in parts:
        for stated in (part.requests, part.limits):
            for name, quantity in stated.items():
                if name not in formats and (amount := parse(quantity)):
                    formats[name] = amount.format
    return {
        name: Amount(milli, -3, formats.get(name, "DecimalSI")) for name, milli in totals.items()
    }


def supports_pod_level(name: str) -> bool:
    """Whether ``spec.resources`` may name the resource."""
    return name in ("cpu", "memory") or is_huge_page(name)


def qos_class(pod: Pod) -> str:
    """Return ``Guaranteed``, ``Burstable`` or ``BestEffort``, by what CPU and memory are asked."""
    parts: Iterable[ResourceRequirements]
    if pod.spec.resources is not None:
        parts = (pod.spec.resources,)
    else:
        parts = tuple(c.resources for c in (*pod.spec.containers, *pod.spec.init_containers))

    requests: Amounts = {}
    limits: Amounts = {}
    all_limited = True
    for part in parts:
        _add(requests, _compute(part.requests))
        limited = _compute(part.limits)
        _add(limits, limited)
        all_limited = all_limited and len(limited) == 2
    if not requests and not limits:
        return BEST_EFFORT
    return GUARANTEED if all_limited and requests == limits else BURSTABLE


def _aggregate(pod: Pod, part: Callable[[Container], Mapping[str, str]]) -> Amounts:
    """Add up regular containers and sidecars, or take the init container that needs most."""
    total: Amounts = {}
    for container in pod.spec.containers:
        _add(total, _milli(part(container)))
    sidecars: Amounts = {}
    starting: Amounts = {}
    for container in pod.spec.init_containers:
        wanted = _milli(part(container))
        if is_sidecar(container):
            _add(total, wanted)
            _add(sidecars, wanted)
            _raise(starting, sidecars)
        else:
            _add(wanted, sidecars)
            _raise(starting, wanted)
    _raise(total, starting)
    return total


def _pod_level(quantities: Mapping[str, str]) -> Amounts:
    return {name: to_milli(q) for name, q in quantities.items() if supports_pod_level(name)}


def _compute(quantities: Mapping[str, str]) -> Amounts:
    amounts = {name: to_milli(quantities[name]) for name in ("cpu", "memory") if name in quantities}
    return {name: amount for name, amount in amounts.items() if amount > 0}


def _milli(quantities: Mapping[str, str]) -> Amounts:
    return {name: to_milli(quantity) for name, quantity in quantities.items()}


def _add(total: Amounts, more: Mapping[str, int]) -> None:
    for name, amount in more.items():
        total[name] = total.get(name, 0) + amount


def _raise(total: Amounts, least: Mapping[str, int]) -> None:
    for name, amount in least.items():
        total[name] = max(total.get(name, 0), amount)
