"""Checks of ``storage.k8s.io``. Follows ``pkg/apis/storage/validation`` of Kubernetes."""

from __future__ import annotations

from collections.abc import Mapping

from podium.api import meta, names
from podium.api.field import (
    FieldError,
    Path,
    duplicate,
    forbidden,
    invalid,
    not_supported,
    required,
    too_long,
)
from podium.api.types.core_v1 import TopologySelectorTerm
from podium.api.types.storage_v1 import (
    CSIDriver,
    CSINode,
    CSINodeDriver,
    CSIStorageCapacity,
    StorageClass,
    TokenRequest,
    VolumeAttachment,
    VolumeAttributesClass,
    VolumeError,
)
from podium.api.validation.common import (
    Errors,
    dns1123_subdomain,
    immutable,
    invalid_each,
    non_negative,
    non_negative_quantity,
    qualified_name,
)
from podium.api.validation.scheduling import validate_label_selector

_RECLAIM = ("Delete", "Retain")
_BINDING = ("Immediate", "WaitForFirstConsumer")
_LIFECYCLES = ("Persistent", "Ephemeral")
_FS_GROUP = ("File", "None", "ReadWriteOnceWithFSType")
_ONE_SOURCE = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
_MAX_PARAMETERS, _MAX_PARAMETERS_BYTES = 512, 256 * 1024
_MAX_NODE_ID = 256
_MAX_ATTACHMENT_BYTES, _MAX_MESSAGE_BYTES = 256 * 1024, 1024
_SHORTEST_TOKEN, _LONGEST_TOKEN = 600, 1 << 32
_SHORTEST_PERIOD = 10


# ---------------------------------------------------------------------- classes


def validate_storage_class(obj: StorageClass) -> Errors:
    yield from _driver(Path("provisioner"), obj.provisioner)
    yield from _parameters(Path("parameters"), obj.parameters)
    if obj.reclaim_policy and obj.reclaim_policy not in _RECLAIM:
        yield not_supported(Path("reclaimPolicy"), obj.reclaim_policy, _RECLAIM)
    if obj.volume_binding_mode is None:
        yield required(Path("volumeBindingMode"))
    elif obj.volume_binding_mode not in _BINDING:
        yield not_supported(Path("volumeBindingMode"), obj.volume_binding_mode, _BINDING)
    yield from _topologies(Path("allowedTopologies"), obj.allowed_topologies)


def validate_storage_class_update(new: StorageClass, old: StorageClass) -> Errors:
    for name, before, now in (
        ("parameters", old.parameters, new.parameters),
        ("provisioner", old.provisioner, new.provisioner),
        ("reclaimPolicy", old.reclaim_policy, new.reclaim_policy),
    ):
        yield from _not_updated(name, now, before)
    mode = Path("volumeBindingMode")
    yield from immutable(mode, new.volume_binding_mode, old.volume_binding_mode)


def validate_volume_attributes_class(obj: VolumeAttributesClass) -> Errors:
    yield from _driver(Path("driverName"), obj.driver_name)
    yield from _parameters(Path("parameters"), obj.parameters)
    if not obj.parameters:
        yield required(Path("parameters"), "must contain at least one key/value pair")


def validate_volume_attributes_class_update(
    new: VolumeAttributesClass, old: VolumeAttributesClass
) -> Errors:
    yield from _not_updated("driverName", new.driver_name, old.driver_name)
    yield from _not_updated("parameters", new.parameters, old.parameters)
    yield from validate_volume_attributes_class(new)


def _not_updated(name: str, new: object, old: object) -> Errors:
    if new != old:
        yield forbidden(Path(name), f"updates to {name} are forbidden.")


def _driver(path: Path, name: str) -> Errors:
    if not name:
        yield required(path)
    else:
        yield from invalid_each(path, name.lower(), names.qualified_name(name.lower()))


def _parameters(path: Path, parameters: Mapping[str, str]) -> Errors:
    if len(parameters) > _MAX_PARAMETERS:
        yield too_long(path, _MAX_PARAMETERS)
        return
    if "" in parameters:
        yield invalid(path, "", "field can not be empty.")
    if _bytes(parameters) > _MAX_PARAMETERS_BYTES:
        yield too_long(path, _MAX_PARAMETERS_BYTES)


def _bytes(texts: Mapping[str, str]) -> int:
    return sum(len(key.encode()) + len(value.encode()) for key, value in texts.items())


def _topologies(path: Path, terms: list[TopologySelectorTerm]) -> Errors:
    # Upstream compares with as many empty terms as there are terms, before those it has seen.
    seen: list[dict[str, set[str]]] = [{} for _ in terms]
    for i, term in enumerate(terms):
        at, found = path.index(i).child("matchLabelExpressions"), dict[str, set[str]]()
        for j, requirement in enumerate(term.match_label_expressions):
            values_at, values = at.index(j).child("values"), set[str]()
            if not requirement.values:
                yield required(values_at)
            for k, value in enumerate(requirement.values):
                if value in values:
                    yield duplicate(values_at.index(k), value)
                values.add(value)
            yield from meta.validate_label_name(requirement.key, at.index(j).child("key"))
            if requirement.key in found:
                yield duplicate(at.index(j).child("key"), requirement.key)
            found[requirement.key] = values
        yield from (duplicate(at, "") for other in seen if other == found)
        seen.append(found)


# ---------------------------------------------------------------------- CSI


def validate_csi_driver(obj: CSIDriver) -> Errors:
    spec, at = obj.spec, Path("spec")
    if spec.fs_group_policy is not None and spec.fs_group_policy not in _FS_GROUP:
        yield not_supported(at.child("fsGroupPolicy"), spec.fs_group_policy, _FS_GROUP)
    yield from _token_requests(at.child("tokenRequests"), spec.token_requests)
    for mode in spec.volume_lifecycle_modes:
        if mode not in _LIFECYCLES:
            yield not_supported(at.child("volumeLifecycleModes"), mode, _LIFECYCLES)
    period = spec.node_allocatable_update_period_seconds
    if period is not None and period < _SHORTEST_PERIOD:
        text = f"must be greater than or equal to {_SHORTEST_PERIOD} seconds"
        yield invalid(at.child("nodeAllocatableUpdatePeriodSeconds"), period, text)


def validate_csi_driver_update(new: CSIDriver, old: CSIDriver) -> Errors:
    at, now, before = Path("spec"), new.spec, old.spec
    yield from validate_csi_driver(new)
    yield from immutable(at.child("attachedRequired"), now.attach_required, before.attach_required)
    modes = at.child("volumeLifecycleModes")
    yield from immutable(modes, now.volume_lifecycle_modes, before.volume_lifecycle_modes)


def _token_requests(path: Path, requests: list[TokenRequest]) -> Errors:
    audiences = set()
    for i, request in enumerate(requests):
        at, seconds = path.index(i), request.expiration_seconds
        if request.audience in audiences:
            yield duplicate(at.child("audience"), request.audience)
            continue
        audiences.add(request.audience)
        if seconds is None:
            continue
        if seconds < _SHORTEST_TOKEN:
            text = "may not specify a duration less than 10 minutes"
            yield invalid(at.child("expirationSeconds"), seconds, text)
        if seconds > _LONGEST_TOKEN:
            text = "may not specify a duration larger than 2^32 seconds"
            yield invalid(at.child("expirationSeconds"), seconds, text)


def validate_csi_node(obj: CSINode) -> Errors:
    at, seen = Path("spec").child("drivers"), set[str]()
    for i, driver in enumerate(obj.spec.drivers or ()):
        yield from _node_driver(at.index(i), driver, seen)


def validate_csi_node_update(new: CSINode, old: CSINode) -> Errors:
    """A driver may be added, removed, and count anew; all else of it stays."""
    yield from validate_csi_node(new)
    for before in old.spec.drivers or ():
        for now in new.spec.drivers or ():
            if now.name == before.name and _identity(now) != _identity(before):
                yield from immutable(Path("spec").child("drivers"), now, before)


def _identity(driver: CSINodeDriver) -> tuple[str, list[str]]:
    return driver.node_id, driver.topology_keys


def _node_driver(path: Path, driver: CSINodeDriver, seen: set[str]) -> Errors:
    yield from dns1123_subdomain(path.child("name"), driver.name)
    if not driver.node_id:
        yield required(path.child("nodeID"))
    if len(driver.node_id) > _MAX_NODE_ID:
        text = f"must be {_MAX_NODE_ID} characters or less"
        yield invalid(path.child("nodeID"), driver.node_id, text)
    if driver.allocatable is not None and driver.allocatable.count is not None:
        yield from non_negative(path.child("allocatable", "count"), driver.allocatable.count)
    if driver.name in seen:
        yield duplicate(path.child("name"), driver.name)
    seen.add(driver.name)
    keys = set()
    for key in driver.topology_keys:
        if not key:
            yield required(path)
        if key in keys:
            yield duplicate(path, key)
        keys.add(key)
        yield from qualified_name(path, key)


def validate_csi_storage_capacity(obj: CSIStorageCapacity) -> Errors:
    yield from validate_label_selector(Path("nodeTopology"), obj.node_topology)
    yield from dns1123_subdomain(Path("storageClassName"), obj.storage_class_name)
    if obj.capacity is not None:
        yield from non_negative_quantity(Path("capacity"), obj.capacity)


def validate_csi_storage_capacity_update(
    new: CSIStorageCapacity, old: CSIStorageCapacity
) -> Errors:
    yield from immutable(Path("nodeTopology"), new.node_topology, old.node_topology)
    yield from immutable(Path("storageClassName"), new.storage_class_name, old.storage_class_name)


# ---------------------------------------------------------------------- attachments


def validate_volume_attachment(obj: VolumeAttachment) -> Errors:
    at, spec, source = Path("spec"), obj.spec, obj.spec.source
    if not spec.attacher:
        yield required(at.child("attacher"))
    if source.inline_volume_spec is None and source.persistent_volume_name is None:
        yield required(at.child("source"), _ONE_SOURCE)
    elif source.inline_volume_spec is not None and source.persistent_volume_name is not None:
        yield forbidden(at.child("source"), _ONE_SOURCE)
    elif source.persistent_volume_name == "":
        text = "must specify non empty persistentVolumeName"
        yield required(at.child("source", "persistentVolumeName"), text)
    yield from dns1123_subdomain(at.child("nodeName"), spec.node_name)
    yield from _attachment_status(obj)


def validate_new_volume_attachment(obj: VolumeAttachment) -> Errors:
    at, name = Path("spec"), obj.spec.source.persistent_volume_name
    yield from validate_volume_attachment(obj)
    yield from dns1123_subdomain(at.child("attacher"), obj.spec.attacher)
    if name is not None:
        yield from dns1123_subdomain(at.child("source", "persistentVolumeName"), name)


def validate_volume_attachment_update(
    new: VolumeAttachment, old: VolumeAttachment
) -> list[FieldError]:
    return [*validate_volume_attachment(new), *immutable(Path("spec"), new.spec, old.spec)]


def _attachment_status(obj: VolumeAttachment) -> Errors:
    at, status = Path("status"), obj.status
    if _bytes(status.attachment_metadata) > _MAX_ATTACHMENT_BYTES:
        yield too_long(at.child("attachmentMetadata"), _MAX_ATTACHMENT_BYTES)
    yield from _volume_error(at.child("attachError"), status.attach_error)
    yield from _volume_error(at.child("detachError"), status.detach_error)


def _volume_error(path: Path, error: VolumeError | None) -> Errors:
    if error is None:
        return
    if len(error.message.encode()) > _MAX_MESSAGE_BYTES:
        yield too_long(path.child("message"), _MAX_ATTACHMENT_BYTES)
    if error.error_code is not None and error.error_code < 0:
        text = "must be between 0 and 2147483647, inclusive"
        yield invalid(path.child("errorCode"), error.error_code, text)
