"""When a node is short of something, and who has to go for it.

Follows ``pkg/kubelet/eviction``. A :class:`Threshold` is met while less than it says is available;
a soft one counts only after its grace period. One Pod goes at a time; critical ones are spared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

import msgspec
from msgspec.structs import replace

from podium.api import node_taints, quantity
from podium.api.quantity import Amount
from podium.api.resources import BEST_EFFORT, pod_requests, qos_class
from podium.api.types.core_v1 import Pod, Taint
from podium.domain.pods.shutdown import CRITICAL
from podium.domain.pods.static import is_mirror, is_static
from podium.domain.scheduling.taints import tolerates

MEMORY, NODE_DISK, NODE_INODES = "memory.available", "nodefs.available", "nodefs.inodesFree"
IMAGE_DISK, IMAGE_INODES, PIDS = "imagefs.available", "imagefs.inodesFree", "pid.available"
#: What all Pods together still get of what is not reserved.
PODS_MEMORY = "allocatableMemory.available"

MEMORY_PRESSURE, DISK_PRESSURE, PID_PRESSURE = "MemoryPressure", "DiskPressure", "PIDPressure"

#: What is reclaimed for each signal, and the node condition that stands for it.
RESOURCES = {
    MEMORY: "memory",
    PODS_MEMORY: "memory",
    NODE_DISK: "ephemeral-storage",
    NODE_INODES: "inodes",
    IMAGE_DISK: "ephemeral-storage",
    IMAGE_INODES: "inodes",
    PIDS: "pids",
}
CONDITIONS = {
    MEMORY: MEMORY_PRESSURE,
    PODS_MEMORY: MEMORY_PRESSURE,
    NODE_DISK: DISK_PRESSURE,
    NODE_INODES: DISK_PRESSURE,
    IMAGE_DISK: DISK_PRESSURE,
    IMAGE_INODES: DISK_PRESSURE,
    PIDS: PID_PRESSURE,
}
_COUNTED = (NODE_INODES, IMAGE_INODES, PIDS)  #: in pieces; the others are bytes

#: Seconds that Pods get which a hard threshold or a limit of their own ends.
AT_ONCE = 1.0


class Share(msgspec.Struct, frozen=True):
    """An amount, or a part of what there is in all."""

    amount: int = 0
    percent: float | None = None

    def of(self, capacity: int) -> int:
        return self.amount if self.percent is None else int(capacity * self.percent / 100)


class Threshold(msgspec.Struct, frozen=True):
    """*grace* is in seconds; a threshold without is hard."""

    signal: str
    share: Share
    grace: float = 0.0
    reclaim: Share = Share()

    @property
    def hard(self) -> bool:
        return not self.grace


class Observation(msgspec.Struct, frozen=True):
    available: int
    capacity: int


Observations = Mapping[str, Observation]


class State(msgspec.Struct, frozen=True):
    """What is remembered from one look to the next.

    ``since`` tells since when each threshold has been met, ``driving`` which of them have been for
    long enough and are not undone, ``seen`` when each condition was last true of what was observed.
    """

    since: Mapping[Threshold, datetime] = msgspec.field(
        default_factory=lambda: MappingProxyType({})
    )
    driving: Sequence[Threshold] = ()
    seen: Mapping[str, datetime] = msgspec.field(default_factory=lambda: MappingProxyType({}))


class Look(msgspec.Struct, frozen=True):
    """What follows from one look: the next state, the node's conditions, and what to reclaim for,
    the most urgent first."""

    state: State
    conditions: frozenset[str]
    due: Sequence[Threshold]


def look(
    thresholds: Sequence[Threshold],
    observed: Observations,
    before: State,
    now: datetime,
    transition: float,
) -> Look:
    """Decide. A condition stays for *transition* seconds after it was last seen."""
    met = [t for t in thresholds if _is_met(t, observed)]
    undone = [t for t in before.driving if _is_met(t, observed, reclaiming=True) and t not in met]
    met += undone
    since = {t: before.since.get(t, now) for t in met}
    seen = {**before.seen, **{CONDITIONS[t.signal]: now for t in met}}
    conditions = frozenset(
        kind
        for kind, moment in seen.items()
        if moment == now or (now - moment).total_seconds() < transition
    )
    driving = [t for t, begun in since.items() if (now - begun).total_seconds() >= t.grace]
    due = sorted(driving, key=lambda t: RESOURCES[t.signal] != "memory")
    return Look(State(since, driving, seen), conditions, due)


def _is_met(threshold: Threshold, observed: Observations, *, reclaiming: bool = False) -> bool:
    """With *reclaiming*, what is to be reclaimed beyond the threshold counts, too."""
    found = observed.get(threshold.signal)
    if found is None:
        return False
    least = threshold.share.of(found.capacity)
    if reclaiming:
        least += threshold.reclaim.of(found.capacity)
    return found.available < least


def satisfied(thresholds: Iterable[Threshold], observed: Observations) -> bool:
    """Whether nothing is short any more, with what is to be reclaimed beyond that."""
    return not any(_is_met(t, observed, reclaiming=True) for t in thresholds)


# -- who goes


class ContainerUse(msgspec.Struct, frozen=True):
    name: str
    memory: int = 0
    disk: int = 0  #: of its root and its logs


class PodUse(msgspec.Struct, frozen=True):
    """What a Pod takes. *disk* and *inodes* count what lies where there is too little."""

    memory: int = 0
    processes: int = 0
    disk: int = 0
    inodes: int = 0
    containers: Sequence[ContainerUse] = ()


def is_critical(pod: Pod) -> bool:
    """Whether the node depends on the Pod: it is never evicted, and always admitted."""
    return is_static(pod) or is_mirror(pod) or (pod.spec.priority or 0) >= CRITICAL


def ranked(signal: str, pods: Iterable[Pod], uses: Mapping[str, PodUse]) -> list[Pod]:
    """Return *pods*, the one that has to go first at the beginning. *uses* are by uid.

    First those that take more than they asked for, then by priority, then by how much more.
    Those of which nothing is known go first.
    """
    return sorted(pods, key=lambda pod: _rank(signal, pod, uses.get(pod.metadata.uid)))


def _rank(signal: str, pod: Pod, use: PodUse | None) -> tuple[object, ...]:
    priority = pod.spec.priority or 0
    if signal == PIDS:
        return (priority, use is not None, -(use.processes if use else 0))
    if use is None:
        return (False, False, priority, 0)
    kind = RESOURCES[signal]
    used = {"memory": use.memory, "inodes": use.inodes, "ephemeral-storage": use.disk}[kind]
    over = used - -(-pod_requests(pod).get(kind, 0) // 1000)
    return (True, over <= 0, priority, -over)


def eviction_message(
    pod: Pod,
    use: PodUse | None,
    resource: str,
    due: Sequence[Threshold],
    observed: Observations,
) -> str:
    """Return upstream's words for why *pod* has to go: *resource* is short."""
    text = f"The node was low on resource: {resource}. "
    for threshold in due:
        found = observed.get(threshold.signal)
        if RESOURCES[threshold.signal] == resource and found is not None:
            least = amount_text(threshold.signal, threshold.share.of(found.capacity))
            available = amount_text(threshold.signal, found.available)
            text += f"Threshold quantity: {least}, available: {available}. "
            break
    for name, used, request in _offenders(pod, use, resource):
        text += (
            f"Container {name} was using {used}, request is {request}, "
            f"has larger consumption of {resource}. "
        )
    return text


def eviction_annotations(pod: Pod, use: PodUse | None, resource: str) -> dict[str, str]:
    """Return what the event tells programs (the vertical autoscaler) of what the message says."""
    offenders = list(_offenders(pod, use, resource))
    return {
        "offending_containers": ",".join(name for name, _, _ in offenders),
        "offending_containers_usage": ",".join(used for _, used, _ in offenders),
        "starved_resource": resource,
    }


def _offenders(pod: Pod, use: PodUse | None, resource: str) -> Iterator[tuple[str, str, str]]:
    """(container, what it uses, what it requests) of those that use more than that."""
    containers = {c.name: c for c in (*pod.spec.init_containers, *pod.spec.containers)}
    for container in use.containers if use else ():
        used = {"memory": container.memory, "ephemeral-storage": container.disk}.get(resource)
        if used is None or container.name not in containers:
            continue
        request = containers[container.name].resources.requests.get(resource, "0")
        if used > quantity.to_int(request):
            yield container.name, str(Amount(used, 0, "BinarySI")), request


def amount_text(signal: str, amount: int) -> str:
    return str(Amount(amount, 0, "DecimalSI" if signal in _COUNTED else "BinarySI"))


# -- who is taken on


def refused_under(pod: Pod, conditions: frozenset[str]) -> str:
    """Return why a node under *conditions* does not take *pod* on; "" where it does."""
    if not conditions or is_critical(pod):
        return ""
    if conditions == {MEMORY_PRESSURE}:
        taint = Taint(key=node_taints.MEMORY_PRESSURE, effect="NoSchedule")
        tolerated = any(tolerates(toleration, taint) for toleration in pod.spec.tolerations)
        if qos_class(pod) != BEST_EFFORT or tolerated:
            return ""
    return f"The node had condition: [{' '.join(sorted(conditions))}]. "


# -- configuration


def parse_thresholds(
    hard: Mapping[str, str],
    soft: Mapping[str, str],
    graces: Mapping[str, float],
    reclaims: Mapping[str, str],
) -> tuple[Threshold, ...]:
    """Return the thresholds that these say, by signal. Raises ValueError in upstream's words.

    ``0%`` and ``100%`` say that there is none.
    """
    found = [Threshold(s, share) for s, text in hard.items() if (share := _share(s, text))]
    for signal, text in soft.items():
        share = _share(signal, text)
        if share is None:
            continue
        if signal not in graces:
            raise ValueError(
                f"grace period must be specified for the soft eviction threshold {signal}"
            )
        found.append(Threshold(signal, share, graces[signal]))
    least = {signal: _reclaim(signal, text) for signal, text in reclaims.items()}
    return tuple(replace(t, reclaim=least.get(t.signal, Share())) for t in found)


def with_pods_memory(thresholds: Sequence[Threshold]) -> tuple[Threshold, ...]:
    """Return *thresholds*, and what is to be left of the node's memory for what Pods may have."""
    of_node = [t for t in thresholds if t.signal == MEMORY and t.hard]
    return (*thresholds, *(replace(t, signal=PODS_MEMORY) for t in of_node))


def _share(signal: str, text: str) -> Share | None:
    if signal not in RESOURCES:
        raise ValueError(f"unsupported eviction signal {signal}")
    if text.endswith("%"):
        percent = _percent(text)
        if percent in (0, 100):
            return None
        if not 0 <= percent <= 100:
            raise ValueError(f"eviction percentage threshold {signal} must be 0% to 100%: {text}")
        return Share(percent=percent)
    amount = int(quantity.parse(text))
    if amount <= 0:
        raise ValueError(f"eviction threshold {signal} must be positive: {text}")
    return Share(amount)


def _reclaim(signal: str, text: str) -> Share:
    if signal not in RESOURCES:
        raise ValueError(f"unsupported eviction signal {signal}")
    if text.endswith("%"):
        percent = _percent(text)
        if percent <= 0:
            raise ValueError(
                f"eviction percentage minimum reclaim {signal} must be positive: {text}"
            )
        return Share(percent=percent)
    amount = int(quantity.parse(text))
    if amount < 0:
        raise ValueError(f"negative eviction minimum reclaim specified for {signal}")
    return Share(amount)


def _percent(text: str) -> float:
    return float(text.removesuffix("%"))
