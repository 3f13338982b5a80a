"""Checks of RuntimeClasses. Follows ``pkg/apis/node/validation`` of Kubernetes."""

from __future__ import annotations

from podium.api.field import FieldError, Path
from podium.api.types.core_v1 import ResourceRequirements
from podium.api.types.node_v1 import RuntimeClass
from podium.api.validation.common import dns1123_label, immutable, labels
from podium.api.validation.resources import validate_container_resources
from podium.api.validation.scheduling import validate_tolerations


def validate_runtime_class(obj: RuntimeClass) -> list[FieldError]:
    errors = list(dns1123_label(Path("handler"), obj.handler))
    if obj.overhead is not None:
        needs = ResourceRequirements(limits=obj.overhead.pod_fixed)  # as upstream looks at it
        errors.extend(validate_container_resources(Path("overhead").child("podFixed"), needs, ()))
    if obj.scheduling is not None:
        at = Path("scheduling")
        errors.extend(labels(at.child("nodeSelector"), obj.scheduling.node_selector))
        errors.extend(validate_tolerations(at.child("tolerations"), obj.scheduling.tolerations))
    return errors


def validate_runtime_class_update(new: RuntimeClass, old: RuntimeClass) -> list[FieldError]:
    return list(immutable(Path("handler"), new.handler, old.handler))
