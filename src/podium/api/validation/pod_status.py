"""What an update of a Pod's status may say."""

from __future__ import annotations

from podium.api import names
from podium.api.field import (
    FieldError,
    Path,
    duplicate,
    forbidden,
    invalid,
    not_found,
    not_supported,
    required,
)
from podium.api.resources import is_sidecar
from podium.api.types.core_v1 import Binding, ContainerStatus, Pod, PodSpec
from podium.api.validation.common import (
    Errors,
    families,
    immutable,
    invalid_each,
    ip_address,
    qualified_name,
)
from podium.api.validation.pod_annotations import validate_pod_annotations_update

STATUS = Path("status")
_SYSTEM_CONDITIONS = ("PodScheduled", "Ready", "Initialized")


def validate_pod_status_update(new: Pod, old: Pod) -> list[FieldError]:
    """Return the offences of the new status, beyond those of the metadata."""
    errors = validate_pod_annotations_update(Path("metadata.annotations"), new, old)
    errors.extend(_validate(new, old))
    return errors


def _validate(new: Pod, old: Pod) -> Errors:
    status, before = new.status, old.status
    for i, condition in enumerate(status.conditions):
        if condition.type not in _SYSTEM_CONDITIONS:
            at = Path("metadata.conditions").index(i).child("Type")
            yield from qualified_name(at, condition.type)
    if new.spec.node_name != old.spec.node_name:
        yield forbidden(STATUS.child("nodeName"), "may not be changed directly")
    node = status.nominated_node_name
    if node and node != before.nominated_node_name:
        at = STATUS.child("nominatedNodeName")
        yield from invalid_each(at, node, names.dns1123_subdomain(node))
    yield from immutable(STATUS.child("qosClass"), status.qos_class, before.qos_class)
    yield from _transitions("containerStatuses", new, old, new.spec.restart_policy)
    yield from _transitions("initContainerStatuses", new, old, new.spec.restart_policy)
    yield from _transitions("ephemeralContainerStatuses", new, old, "Never")
    yield from _addresses("podIPs", [address.ip for address in status.pod_ips])
    if status.host_ips and status.host_ip != status.host_ips[0].ip:
        at = STATUS.child("hostIPs").index(0).child("ip")
        yield invalid(at, status.host_ips[0].ip, "must be equal to `hostIP`")
    yield from _addresses("hostIPs", [address.ip for address in status.host_ips])
    claims = {claim.name for claim in new.spec.resource_claims}
    for i, claim in enumerate(status.resource_claim_statuses):
        if claim.name not in claims:
            at = STATUS.child("resourceClaimStatuses").index(i).child("name")
            yield not_found(at, claim.name)


_FIELDS = {
    "containerStatuses": "container_statuses",
    "initContainerStatuses": "init_container_statuses",
    "ephemeralContainerStatuses": "ephemeral_container_statuses",
}


def _transitions(name: str, new: Pod, old: Pod, policy: str) -> Errors:
    """A container that is over for good does not come back to life."""
    if policy == "Always":
        return
    now: dict[str, ContainerStatus] = {s.name: s for s in getattr(new.status, _FIELDS[name])}
    for i, was in enumerate(getattr(old.status, _FIELDS[name])):
        over = was.state.terminated
        if over is None or (over.exit_code != 0 and policy == "OnFailure"):
            continue
        if name != "ephemeralContainerStatuses" and _may_restart(was.name, new.spec):
            continue
        if was.name in now and now[was.name].state.terminated is None:
            at = STATUS.child(name).index(i).child("state")
            yield forbidden(at, "may not be transitioned to non-terminated state")


def _may_restart(name: str, spec: PodSpec) -> bool:
    """Whether the container has a restart policy or rules of its own that allow it."""
    for container in (*spec.containers, *spec.init_containers):
        if container.name == name:
            return (
                is_sidecar(container)
                or container.restart_policy == "OnFailure"
                or bool(container.restart_policy_rules)
            )
    return False


def _addresses(name: str, addresses: list[str]) -> Errors:
    path = STATUS.child(name)
    for i, address in enumerate(addresses):
        yield from ip_address(path.index(i), address)
    kinds = families(addresses)
    if len(kinds) > 2 or len(set(kinds)) < len(kinds):
        yield invalid(path, addresses, "may specify no more than one IP for each IP family")
    for i, address in enumerate(addresses):
        if address in addresses[:i]:
            yield duplicate(path.index(i), address)


def validate_binding(binding: Binding) -> list[FieldError]:
    """Return the offences of a Binding of a Pod to a node."""
    errors: list[FieldError] = []
    if binding.target.kind not in ("", "Node"):
        kinds = ("Node", "<empty>")
        errors.append(not_supported(Path("target.kind"), binding.target.kind, kinds))
    if not binding.target.name:
        errors.append(required(Path("target.name")))
    return errors
