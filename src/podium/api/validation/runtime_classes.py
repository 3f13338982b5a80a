"""Checks of RuntimeClasses. Follows ``pkg/apis/node/validation`` of Kubernetes."""

from __future__ import annotations

from podium.api.field import FieldError, Path
from podium.api.types.node_v1 import RuntimeClass
from podium.api.validation.common import dns1123_label, immutable, labels
from podium.api.validation.resources import validate_amount


def validate_runtime_class(obj: RuntimeClass) -> list[FieldError]:
    errors = list(dns1123_label(Path("handler"), obj.handler))
    if obj.overhead is not None:
        at = Path("overhead").child("podFixed")
        for name, amount in obj.overhead.pod_fixed.items():
            errors.extend(validate_amount(at.key(name), name, amount))
    if obj.scheduling is not None:
        at = Path("scheduling").child("nodeSelector")
        errors.extend(labels(at, obj.scheduling.node_selector))
    return errors


def validate_runtime_class_update(new: RuntimeClass, old: RuntimeClass) -> list[FieldError]:
    return list(immutable(Path("handler"), new.handler, old.handler))
