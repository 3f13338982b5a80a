"""RoleBindings and ClusterRoleBindings."""

from __future__ import annotations

from datetime import datetime

from podium.api import meta
from podium.api.field import FieldError
from podium.api.names import path_segment_name
from podium.api.validation.rbac import (
    GROUP,
    GROUP_KIND,
    SERVICE_ACCOUNT,
    USER,
    AnyBinding,
    validate_binding,
    validate_binding_update,
)
from podium.registry.strategies.base import METADATA, Strategy
from podium.registry.strategies.table import AGE, NAME, Cell, Column, age


class RoleBindingStrategy(Strategy[AnyBinding]):
    allow_create_on_update = True
    columns = (
        NAME,
        Column("Role"),
        AGE,
        Column("Users", priority=1),
        Column("Groups", priority=1),
        Column("ServiceAccounts", priority=1),
    )

    def default(self, obj: AnyBinding) -> None:
        if not obj.role_ref.api_group:
            obj.role_ref.api_group = GROUP
        for subject in obj.subjects:
            if not subject.api_group and subject.kind in (USER, GROUP_KIND):
                subject.api_group = GROUP

    def validate_name(self, name: str, prefix: bool) -> list[str]:
        return path_segment_name(name, prefix)

    def validate(self, obj: AnyBinding) -> list[FieldError]:
        return self.validate_metadata(obj) + validate_binding(obj)

    def validate_update(self, new: AnyBinding, old: AnyBinding) -> list[FieldError]:
        """Each offence of the new binding twice, as upstream finds them twice."""
        found = meta.validate_object_meta_update(new.metadata, old.metadata, METADATA)
        offences = self.validate(new)
        return found + offences + offences + found + validate_binding_update(new, old)

    def row(self, obj: AnyBinding, now: datetime) -> list[Cell]:
        by_kind = {
            kind: ", ".join(_name(obj, i) for i, s in enumerate(obj.subjects) if s.kind == kind)
            for kind in (USER, GROUP_KIND, SERVICE_ACCOUNT)
        }
        role = f"{obj.role_ref.kind}/{obj.role_ref.name}"
        return [
            obj.metadata.name,
            role,
            age(obj.metadata.creation_timestamp, now),
            *by_kind.values(),
        ]


def _name(binding: AnyBinding, index: int) -> str:
    subject = binding.subjects[index]
    if subject.kind == SERVICE_ACCOUNT:
        return f"{subject.namespace}/{subject.name}"
    return subject.name


STRATEGY = RoleBindingStrategy
