"""ConfigMaps."""

from __future__ import annotations

from datetime import datetime

from podium.api.field import FieldError
from podium.api.types.core_v1 import ConfigMap
from podium.api.validation.configs import validate_config_map, validate_config_map_update
from podium.registry.strategies.base import Strategy
from podium.registry.strategies.table import AGE, NAME, Cell, Column, age


class ConfigMapStrategy(Strategy[ConfigMap]):
    columns = (NAME, Column("Data"), AGE)

    def validate(self, obj: ConfigMap) -> list[FieldError]:
        return self.validate_metadata(obj) + validate_config_map(obj)

    def validate_update(self, new: ConfigMap, old: ConfigMap) -> list[FieldError]:
        return self.validate_metadata_update(new, old) + validate_config_map_update(new, old)

    def row(self, obj: ConfigMap, now: datetime) -> list[Cell]:
        count = len(obj.data) + len(obj.binary_data)
        return [obj.metadata.name, count, age(obj.metadata.creation_timestamp, now)]


STRATEGY = ConfigMapStrategy
