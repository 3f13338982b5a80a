"""Secrets."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime

from podium.api.field import FieldError
from podium.api.types.core_v1 import Secret
from podium.api.validation.configs import validate_secret, validate_secret_update
from podium.registry.strategies.base import Strategy
from podium.registry.strategies.table import AGE, NAME, Cell, Column, age


class SecretStrategy(Strategy[Secret]):
    """``stringData`` is folded into ``data`` when a Secret is read in; it is never stored."""

    field_labels = frozenset({"type"})
    columns = (
        NAME,
        Column("Type"),
        Column("Data"),
        AGE,
    )

    def default(self, obj: Secret) -> None:
        obj.type = obj.type or "Opaque"
        if obj.string_data:
            folded = {
                key: base64.b64encode(value.encode()).decode()
                for key, value in obj.string_data.items()
            }
            obj.data = {**obj.data, **folded}
            obj.string_data = {}

    def validate(self, obj: Secret) -> list[FieldError]:
        return self.validate_metadata(obj) + validate_secret(obj)

    def prepare_for_update(self, new: Secret, old: Secret, now: datetime) -> None:
        super().prepare_for_update(new, old, now)
        if not new.type or (new.type == "Opaque" and not old.type):
            new.type = old.type

    def validate_update(self, new: Secret, old: Secret) -> list[FieldError]:
        return self.validate_metadata_update(new, old) + validate_secret_update(new, old)

    def fields(self, obj: Secret) -> Mapping[str, str]:
        return {**super().fields(obj), "type": obj.type}

    def row(self, obj: Secret, now: datetime) -> list[Cell]:
        return [
            obj.metadata.name,
            obj.type,
            len(obj.data),
            age(obj.metadata.creation_timestamp, now),
        ]


STRATEGY = SecretStrategy
