"""Nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from podium.api.defaults.resources import rounded
from podium.api.field import FieldError, Path
from podium.api.types.core_v1 import Node, NodeSpec
from podium.api.validation.nodes import validate_node, validate_node_update
from podium.registry.strategies.address_warnings import range_warnings
from podium.registry.strategies.base import Strategy
from podium.registry.strategies.table import AGE, NAME, NONE, UNKNOWN, Cell, Column, age

_ROLE_PREFIX, _ROLE = "node-role.kubernetes.io/", "kubernetes.io/role"


class NodeStrategy(Strategy[Node]):
    """A kubelet registers its Node together with a first status: create keeps it."""

    field_labels = frozenset({"spec.unschedulable"})
    columns = (
        NAME,
        Column("Status"),
        Column("Roles"),
        AGE,
        Column("Version"),
        Column("Internal-IP", priority=1),
        Column("External-IP", priority=1),
        Column("OS-Image", priority=1),
        Column("Kernel-Version", priority=1),
        Column("Container-Runtime", priority=1),
    )

    def default(self, obj: Node) -> None:
        _agree_on_cidrs(obj.spec)
        obj.status.capacity = rounded(obj.status.capacity)
        obj.status.allocatable = rounded(obj.status.allocatable)
        if not obj.status.allocatable:
            obj.status.allocatable = dict(obj.status.capacity)

    def prepare_for_create(self, obj: Node, now: datetime) -> None:
        status = obj.status
        super().prepare_for_create(obj, now)
        obj.status = status

    def warnings(self, obj: Node) -> Iterator[str]:
        if obj.spec.config_source is not None:
            yield "spec.configSource: the feature is removed"
        if obj.spec.external_id:
            yield "spec.externalID: this field is deprecated, and is unused by Kubernetes"
        for i, text in enumerate(obj.spec.pod_cidrs):
            yield from range_warnings(Path("spec.podCIDRs").index(i), text)

    def validate(self, obj: Node) -> list[FieldError]:
        return self.validate_metadata(obj) + validate_node(obj)

    def validate_update(self, new: Node, old: Node) -> list[FieldError]:
        return self.validate_metadata_update(new, old) + validate_node_update(new, old)

    def validate_status_update(self, new: Node, old: Node) -> list[FieldError]:
        return self.validate_update(new, old)

    def fields(self, obj: Node) -> Mapping[str, str]:
        unschedulable = "true" if obj.spec.unschedulable else "false"
        return {"metadata.name": obj.metadata.name, "spec.unschedulable": unschedulable}

    def row(self, obj: Node, now: datetime) -> list[Cell]:
        info = obj.status.node_info
        return [
            obj.metadata.name,
            _status(obj),
            ",".join(_roles(obj)) or NONE,
            age(obj.metadata.creation_timestamp, now),
            info.kubelet_version,
            _address(obj, "InternalIP"),
            _address(obj, "ExternalIP"),
            info.os_image or UNKNOWN,
            info.kernel_version or UNKNOWN,
            info.container_runtime_version or UNKNOWN,
        ]


def _agree_on_cidrs(spec: NodeSpec) -> None:
    """``podCIDR`` is the first of ``podCIDRs``; where they disagree, ``podCIDR`` is right."""
    if spec.pod_cidr and (not spec.pod_cidrs or spec.pod_cidrs[0] != spec.pod_cidr):
        spec.pod_cidrs = [spec.pod_cidr]
    elif spec.pod_cidrs:
        spec.pod_cidr = spec.pod_cidrs[0]


def _status(node: Node) -> str:
    ready = next((c.status for c in node.status.conditions if c.type == "Ready"), None)
    words = ["Unknown" if ready is None else "Ready" if ready == "True" else "NotReady"]
    if node.spec.unschedulable:
        words.append("SchedulingDisabled")
    return ",".join(words)


def _roles(node: Node) -> list[str]:
    roles: set[str] = set()
    for key, value in node.metadata.labels.items():
        role = key.removeprefix(_ROLE_PREFIX) if key.startswith(_ROLE_PREFIX) else ""
        if key == _ROLE:
            role = value
        if role:
            roles.add(role)
    return sorted(roles)


def _address(node: Node, kind: str) -> str:
    return next((a.address for a in node.status.addresses if a.type == kind), NONE)


STRATEGY = NodeStrategy
