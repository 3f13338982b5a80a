"""VolumeAttributesClasses."""

from __future__ import annotations

from datetime import datetime

from podium.api.field import FieldError
from podium.api.types.storage_v1 import VolumeAttributesClass
from podium.api.validation.storage import (
    validate_volume_attributes_class,
    validate_volume_attributes_class_update,
)
from podium.registry.strategies.base import Strategy
from podium.registry.strategies.table import AGE, NAME, Cell, Column, age


class VolumeAttributesClassStrategy(Strategy[VolumeAttributesClass]):
    columns = (NAME, Column("DriverName"), AGE)

    def validate(self, obj: VolumeAttributesClass) -> list[FieldError]:
        return [*self.validate_metadata(obj), *validate_volume_attributes_class(obj)]

    def validate_update(
        self, new: VolumeAttributesClass, old: VolumeAttributesClass
    ) -> list[FieldError]:
        found = validate_volume_attributes_class_update(new, old)
        return [*self.validate_metadata_update(new, old), *found]

    def row(self, obj: VolumeAttributesClass, now: datetime) -> list[Cell]:
        created = obj.metadata.creation_timestamp
        return [obj.metadata.name, obj.driver_name, age(created, now)]


STRATEGY = VolumeAttributesClassStrategy
