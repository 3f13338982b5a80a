"""The Node object, computed: pure functions of what the machine and the runtime said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from podium.api import quantity
from podium.api.types.core_v1 import (
    ContainerImage,
    DaemonEndpoint,
    Node,
    NodeAddress,
    NodeCondition,
    NodeDaemonEndpoints,
    NodeFeatures,
    NodeRuntimeHandler,
    NodeRuntimeHandlerFeatures,
    NodeStatus,
    NodeSystemInfo,
    Taint,
)
from podium.domain.pods import eviction
from podium.domain.pods.eviction import Share, Threshold
from podium.domain.scheduling.admission import is_extended
from podium.kubelet.config_readers import NodeTaint
from podium.kubelet.node.machine import Machine
from podium.runtime.image_port import Image
from podium.runtime.port import RuntimeCondition, RuntimeHandler, VersionResponse

KUBERNETES_VERSION = "v1.37.0"
MAX_IMAGES = 50
MAX_IMAGE_NAMES = 5


class NodeFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the status follows from."""

    machine: Machine
    pressures: frozenset[str] = frozenset()  #: conditions that tell of pressure
    thresholds: Sequence[Threshold] = ()  #: what eviction keeps free
    version: VersionResponse
    conditions: Sequence[RuntimeCondition]
    images: Sequence[Image]
    address: str
    hostname: str
    port: int
    max_pods: int
    reserved: Mapping[str, str] = msgspec.field(default_factory=dict)  #: canonical quantities
    handlers: Sequence[RuntimeHandler] = ()
    closing: bool = False  #: the node is shutting down


def node_labels(hostname: str, machine: Machine, own: Mapping[str, str]) -> dict[str, str]:
    return {
        "beta.kubernetes.io/arch": machine.architecture,
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": machine.architecture,
        "kubernetes.io/hostname": hostname,
        "kubernetes.io/os": "linux",
        **own,
    }


def node_status(facts: NodeFacts, previous: NodeStatus, now: datetime) -> NodeStatus:
    """Return the whole status; transition times of *previous* are kept where nothing changed."""
    capacity = {**_extended(previous.capacity), **_capacity(facts)}
    return NodeStatus(
        capacity=capacity,
        allocatable=_allocatable(capacity, facts.reserved, facts.thresholds),
        addresses=[
            NodeAddress(type="InternalIP", address=facts.address),
            NodeAddress(type="Hostname", address=facts.hostname),
        ],
        conditions=_conditions(facts, previous, now),
        daemon_endpoints=NodeDaemonEndpoints(kubelet_endpoint=DaemonEndpoint(port=facts.port)),
        node_info=_system_info(facts),
        images=_images(facts.images),
        runtime_handlers=[_handler(handler) for handler in facts.handlers],
        features=NodeFeatures(supplemental_groups_policy=True),
    )


def same_but_heartbeat(one: NodeStatus, other: NodeStatus) -> bool:
    """Whether two statuses differ in nothing but when their conditions were last confirmed."""
    return _without_heartbeat(one) == _without_heartbeat(other)


def _without_heartbeat(status: NodeStatus) -> tuple[object, ...]:
    conditions = [(c.type, c.status, c.reason, c.message) for c in status.conditions]
    return (
        conditions, status.capacity, status.allocatable, status.addresses, status.node_info,
        status.images, status.daemon_endpoints, status.runtime_handlers, status.features,
    )  # fmt: skip


def _handler(handler: RuntimeHandler) -> NodeRuntimeHandler:
    return NodeRuntimeHandler(
        name=handler.name,
        features=NodeRuntimeHandlerFeatures(
            user_namespaces=handler.user_namespaces,
            recursive_read_only_mounts=handler.recursive_read_only_mounts,
        ),
    )


def _capacity(facts: NodeFacts) -> dict[str, str]:
    machine = facts.machine
    capacity = {
        "cpu": str(machine.cpus),
        "ephemeral-storage": f"{machine.disk // 1024}Ki",
        "memory": f"{machine.memory // 1024}Ki",
        "pods": str(facts.max_pods),
    }
    for size, count in machine.hugepages.items():
        capacity[f"hugepages-{quantity.format_bytes(size)}"] = quantity.format_bytes(size * count)
    return {name: quantity.canonical(amount) for name, amount in sorted(capacity.items())}


def _extended(capacity: Mapping[str, str]) -> dict[str, str]:
    """What others have given the node: ``example.com/dongle``."""
    return {name: amount for name, amount in capacity.items() if is_extended(name)}


def _allocatable(
    capacity: Mapping[str, str], reserved: Mapping[str, str], thresholds: Sequence[Threshold]
) -> dict[str, str]:
    """Capacity less what is reserved, and less what hard eviction keeps free."""
    allocatable = dict(capacity)
    free = {t.signal: t.share for t in thresholds if t.hard}
    disk = quantity.to_int(capacity["ephemeral-storage"])
    memory = quantity.to_int(capacity["memory"])
    disk_left = disk - free.get(eviction.NODE_DISK, Share()).of(disk)
    disk_left -= quantity.to_int(reserved.get("ephemeral-storage", "0"))
    memory -= free.get(eviction.MEMORY, Share()).of(memory)
    memory -= quantity.to_int(reserved.get("memory", "0"))
    cpu = quantity.to_milli(capacity["cpu"]) - quantity.to_milli(reserved.get("cpu", "0"))
    allocatable["ephemeral-storage"] = str(max(disk_left, 0))
    allocatable["memory"] = quantity.canonical(f"{max(memory, 0) // 1024}Ki")
    allocatable["cpu"] = quantity.canonical(f"{max(cpu, 0)}m")
    return allocatable


def _system_info(facts: NodeFacts) -> NodeSystemInfo:
    machine = facts.machine
    return NodeSystemInfo(
        machine_id=machine.machine_id,
        system_uuid=machine.system_uuid,
        boot_id=machine.boot_id,
        kernel_version=machine.kernel_version,
        os_image=machine.os_image,
        operating_system="linux",
        architecture=machine.architecture,
        container_runtime_version=f"{facts.version.runtime_name}://{facts.version.runtime_version}",
        kubelet_version=KUBERNETES_VERSION,
    )


def _images(images: Sequence[Image]) -> list[ContainerImage]:
    """The largest images, with their digests and tags."""
    by_size = sorted(images, key=lambda image: image.size, reverse=True)[:MAX_IMAGES]
    return [
        ContainerImage(
            names=[*image.repo_digests, *image.repo_tags][:MAX_IMAGE_NAMES], size_bytes=image.size
        )
        for image in by_size
    ]


def _conditions(facts: NodeFacts, previous: NodeStatus, now: datetime) -> list[NodeCondition]:
    now = now.replace(microsecond=0)
    found = [
        _pressure(kind, words, holds=kind in facts.pressures) for kind, words in _PRESSURES.items()
    ]
    found.append(_ready(facts.conditions, closing=facts.closing))
    before = {condition.type: condition for condition in previous.conditions}
    for condition in found:
        old = before.get(condition.type)
        same = old is not None and old.status == condition.status
        condition.last_transition_time = old.last_transition_time if old and same else now
        condition.last_heartbeat_time = now
    others = [c for c in previous.conditions if c.type not in {f.type for f in found}]
    return others + found


class _Words(msgspec.Struct, frozen=True):
    """Reason and message of a condition that tells of pressure: where it holds, and where not."""

    short: tuple[str, str]
    plenty: tuple[str, str]


#: Upstream's own, unevenness included.
_PRESSURES = {
    eviction.MEMORY_PRESSURE: _Words(
        ("KubeletHasInsufficientMemory", "kubelet has insufficient memory available"),
        ("KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ),
    eviction.DISK_PRESSURE: _Words(
        ("KubeletHasDiskPressure", "kubelet has disk pressure"),
        ("KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ),
    eviction.PID_PRESSURE: _Words(
        ("KubeletHasInsufficientPID", "kubelet has insufficient PID available"),
        ("KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ),
}


def _pressure(kind: str, words: _Words, *, holds: bool) -> NodeCondition:
    reason, message = words.short if holds else words.plenty
    return NodeCondition(
        type=kind, status="True" if holds else "False", reason=reason, message=message
    )


def _ready(conditions: Sequence[RuntimeCondition], *, closing: bool) -> NodeCondition:
    texts = [
        f"container runtime {_WORDS.get(c.type, c.type)}: {c.message or c.reason}"
        for c in conditions
        if not c.status
    ]
    if closing:
        texts.append("node is shutting down")
    if texts:
        return NodeCondition(
            type="Ready", status="False", reason="KubeletNotReady", message=", ".join(texts)
        )
    return NodeCondition(
        type="Ready",
        status="True",
        reason="KubeletReady",
        message="kubelet is posting ready status",
    )


_WORDS = {"RuntimeReady": "is not ready", "NetworkReady": "network not ready"}


def new_node(
    name: str, labels: Mapping[str, str], pod_cidr: str, taints: Sequence[NodeTaint] = ()
) -> Node:
    """The object that a node registers itself with."""
    node = Node()
    node.metadata.name = name
    node.metadata.labels = dict(labels)
    node.spec.taints = [Taint(key=t.key, value=t.value, effect=t.effect) for t in taints]
    if pod_cidr:
        node.spec.pod_cidr = pod_cidr
        node.spec.pod_cidrs = [pod_cidr]
    return node
