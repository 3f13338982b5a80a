"""Roles and ClusterRoles."""

from __future__ import annotations

from datetime import datetime

from podium.api import meta
from podium.api.field import FieldError
from podium.api.go_time import format_time
from podium.api.names import path_segment_name
from podium.api.validation.rbac import AnyRole, validate_role
from podium.registry.strategies.base import METADATA, Strategy
from podium.registry.strategies.table import NAME, Cell, Column

CREATED_AT = Column("Created At", type="date")


class RoleStrategy(Strategy[AnyRole]):
    allow_create_on_update = True
    columns = (NAME, CREATED_AT)

    def validate_name(self, name: str, prefix: bool) -> list[str]:
        return path_segment_name(name, prefix)

    def default(self, obj: AnyRole) -> None:
        obj.rules = obj.rules or None

    def validate(self, obj: AnyRole) -> list[FieldError]:
        return self.validate_metadata(obj) + validate_role(obj)

    def validate_update(self, new: AnyRole, old: AnyRole) -> list[FieldError]:
        """Each offence of the new role twice, as upstream finds them twice."""
        found = meta.validate_object_meta_update(new.metadata, old.metadata, METADATA)
        offences = self.validate(new)
        return found + offences + offences + found

    def row(self, obj: AnyRole, now: datetime) -> list[Cell]:
        created = obj.metadata.creation_timestamp
        return [obj.metadata.name, format_time(created) if created else None]


STRATEGY = RoleStrategy
