"""What an update of a Pod's status may say."""

from __future__ import annotations

from podium.api.field import (
    FieldError,
    Path,
    duplicate,
    forbidden,
    invalid,
    not_supported,
    required,
)
from podium.api.types.core_v1 import (
    Binding,
    Pod,
    PodCondition,
    PodExtendedResourceClaimStatus,
    PodSpec,
)
from podium.api.validation.common import (
    Errors,
    dns1123_label,
    dns1123_subdomain,
    families,
    immutable,
    ip_address,
    qualified_name,
)
from podium.api.validation.container_statuses import (
    forbid_device_health,
    validate_container_statuses,
    validate_device_health,
    validate_users,
    validate_volume_statuses,
)
from podium.api.validation.pod_annotations import validate_pod_annotations_update

STATUS = Path("status")
_SYSTEM_CONDITIONS = ("PodScheduled", "Ready", "Initialized")
_NOT_NEGATIVE = "must be a non-negative integer"


def validate_pod_status_update(new: Pod, old: Pod) -> list[FieldError]:
    """Return the offences of the new status, beyond those of the metadata."""
    errors = validate_pod_annotations_update(Path("metadata.annotations"), new, old)
    errors.extend(_validate(new, old))
    return errors


def _validate(new: Pod, old: Pod) -> Errors:
    status, before = new.status, old.status
    yield from _conditions(status.conditions)
    if new.spec.node_name != old.spec.node_name:
        yield forbidden(STATUS.child("nodeName"), "may not be changed directly")
    node = status.nominated_node_name
    if node and node != before.nominated_node_name:
        yield from dns1123_subdomain(STATUS.child("nominatedNodeName"), node)
    if status.observed_generation < 0:
        at = STATUS.child("observedGeneration")
        yield invalid(at, status.observed_generation, _NOT_NEGATIVE)
    yield from immutable(STATUS.child("qosClass"), status.qos_class, before.qos_class)
    yield from validate_container_statuses(STATUS, new, old)
    yield from _claims(new)
    at = STATUS.child("extendedResourceClaimStatus")
    yield from _extended_claim(at, status.extended_resource_claim_status, new.spec)
    yield from _addresses("podIPs", [a.ip for a in status.pod_ips], {a.ip for a in before.pod_ips})
    if status.host_ips and status.host_ip != status.host_ips[0].ip:
        at = STATUS.child("hostIPs").index(0).child("ip")
        yield invalid(at, status.host_ips[0].ip, "must be equal to `hostIP`")
    yield from _addresses(
        "hostIPs", [a.ip for a in status.host_ips], {a.ip for a in before.host_ips}
    )
    yield from _container_details(new)


def _conditions(conditions: list[PodCondition]) -> Errors:
    """A path that begins with ``metadata`` is upstream's own slip, as recorded."""
    for i, condition in enumerate(conditions):
        at = Path("metadata.conditions").index(i)
        if condition.observed_generation < 0:
            at = at.child("observedGeneration")
            yield invalid(at, condition.observed_generation, _NOT_NEGATIVE)
        if condition.type not in _SYSTEM_CONDITIONS:
            at = Path("metadata.conditions").index(i).child("Type")
            yield from qualified_name(at, condition.type)


def _claims(pod: Pod) -> Errors:
    known = {claim.name for claim in pod.spec.resource_claims}
    seen: set[str] = set()
    for i, claim in enumerate(pod.status.resource_claim_statuses):
        at = STATUS.child("resourceClaimStatuses").index(i)
        if claim.name not in known:
            text = "must match the name of an entry in `spec.resourceClaims`"
            yield invalid(at.child("name"), claim.name, text)
        if claim.name in seen:
            yield duplicate(at.child("name"), claim.name)
        seen.add(claim.name)
        if claim.resource_claim_name is not None:
            yield from dns1123_subdomain(at.child("resourceClaimName"), claim.resource_claim_name)


def _extended_claim(
    path: Path, status: PodExtendedResourceClaimStatus | None, spec: PodSpec
) -> Errors:
    if status is None:
        return
    containers = {c.name: c for c in (*spec.init_containers, *spec.containers)}
    at = path.child("requestMappings")
    if not status.request_mappings:
        yield required(at, "at least one request mapping is required")
    seen: set[tuple[str, str, str]] = set()
    for i, mapping in enumerate(status.request_mappings):
        here, container = at.index(i), containers.get(mapping.container_name)
        parts = (mapping.container_name, mapping.resource_name, mapping.request_name)
        if container is None:
            text = "must match the name of an entry in spec.initContainers.name or "
            text += "spec.containers.name"
            yield invalid(here.child("containerName"), mapping.container_name, text)
        elif mapping.resource_name not in container.resources.requests:
            text = "must match the extended resource name of an entry in "
            text += "spec.initContainers.resources.requests or spec.containers.resources.requests"
            yield invalid(here.child("resourceName"), mapping.resource_name, text)
        yield from dns1123_label(path.child("requestName"), mapping.request_name)
        if parts in seen:
            for name, value in zip(_MAPPING, parts, strict=True):
                yield duplicate(here.child(name), value)
        seen.add(parts)
    name = status.resource_claim_name
    if not name:
        yield required(path.child("resourceClaimName"))
    else:
        yield from dns1123_subdomain(path.child("resourceClaimName"), name)


_MAPPING = ("containerName", "resourceName", "requestName")


def _container_details(pod: Pod) -> Errors:
    """Who runs the containers, how their devices are, what their volumes hold."""
    status, spec = pod.status, pod.spec
    system = spec.os.name if spec.os is not None else "linux"
    regular, init = STATUS.child("containerStatuses"), STATUS.child("initContainerStatuses")
    ephemeral = STATUS.child("ephemeralContainerStatuses")
    kinds = (
        (regular, status.container_statuses),
        (init, status.init_container_statuses),
        (ephemeral, status.ephemeral_container_statuses),
    )
    for path, statuses in kinds:
        yield from validate_users(path, statuses, system)
    yield from validate_device_health(regular, status.container_statuses, spec.containers)
    yield from validate_device_health(init, status.init_container_statuses, spec.init_containers)
    yield from forbid_device_health(ephemeral, status.ephemeral_container_statuses)
    for path, statuses in kinds:
        yield from validate_volume_statuses(path, statuses)


def _addresses(name: str, addresses: list[str], known: set[str]) -> Errors:
    """*known* are those that were there before, however they are written."""
    path = STATUS.child(name)
    for i, address in enumerate(addresses):
        if address not in known:
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
