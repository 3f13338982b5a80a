"""Namespaces."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from podium.api import names
from podium.api.field import FieldError
from podium.api.types.core_v1 import Namespace, NamespaceStatus
from podium.api.validation.namespaces import (
    validate_namespace,
    validate_namespace_finalize,
    validate_namespace_status,
)
from podium.registry.strategies.base import (
    Strategy,
    UpdateRules,
    copy_field,
    keep_system_metadata,
)
from podium.registry.strategies.table import AGE, NAME, Cell, Column, age

#: Who has to finish before a namespace may go: the controller that empties it.
FINALIZER = "kubernetes"
NAME_LABEL = "kubernetes.io/metadata.name"


class NamespaceStrategy(Strategy[Namespace]):
    """A deleted namespace is Terminating until ``spec.finalizers`` is empty, which the
    ``finalize`` subresource alone can bring about."""

    field_labels = frozenset({"status.phase"})
    columns = (NAME, Column("Status"), AGE)

    def default(self, obj: Namespace) -> None:
        if obj.metadata.name:
            obj.metadata.labels = {**obj.metadata.labels, NAME_LABEL: obj.metadata.name}

    def prepare_for_create(self, obj: Namespace, now: datetime) -> None:
        super().prepare_for_create(obj, now)
        obj.status = NamespaceStatus(phase="Active")
        if FINALIZER not in obj.spec.finalizers:
            obj.spec.finalizers = [*obj.spec.finalizers, FINALIZER]
        self.default(obj)  # once more: a generated name is known by now

    def validate_name(self, name: str, prefix: bool) -> list[str]:
        return names.name_is_dns_label(name, prefix)

    def validate(self, obj: Namespace) -> list[FieldError]:
        return self.validate_metadata(obj) + validate_namespace(obj)

    def prepare_for_update(self, new: Namespace, old: Namespace, now: datetime) -> None:
        super().prepare_for_update(new, old, now)
        new.spec.finalizers = old.spec.finalizers

    def validate_status_update(self, new: Namespace, old: Namespace) -> list[FieldError]:
        return self.validate_metadata_update(new, old) + validate_namespace_status(new)

    def rules(self, subresource: str = "") -> UpdateRules[Namespace]:
        if subresource == "finalize":
            return UpdateRules(self.prepare_for_finalize, self.validate_finalize)
        return super().rules(subresource)

    def prepare_for_finalize(self, new: Namespace, old: Namespace, now: datetime) -> None:
        """Take ``spec`` from *new* and nothing else that counts."""
        keep_system_metadata(new, old)
        copy_field(new, old, "status")

    def validate_finalize(self, new: Namespace, old: Namespace) -> list[FieldError]:
        return self.validate_metadata_update(new, old) + validate_namespace_finalize(new)

    def must_finalize(self, obj: Namespace) -> bool:
        return bool(obj.spec.finalizers) or super().must_finalize(obj)

    def mark_deleting(self, obj: Namespace, now: datetime, grace: int) -> None:
        if obj.metadata.deletion_timestamp is None:
            obj.metadata.deletion_timestamp = now.replace(microsecond=0)
        if obj.status.phase != "Terminating":
            obj.status = NamespaceStatus(phase="Terminating", conditions=obj.status.conditions)

    def fields(self, obj: Namespace) -> Mapping[str, str]:
        return {"metadata.name": obj.metadata.name, "status.phase": obj.status.phase}

    def row(self, obj: Namespace, now: datetime) -> list[Cell]:
        return [
            obj.metadata.name,
            obj.status.phase,
            age(obj.metadata.creation_timestamp, now),
        ]


STRATEGY = NamespaceStrategy
