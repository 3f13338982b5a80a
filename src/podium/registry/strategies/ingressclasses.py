"""IngressClasses."""

from __future__ import annotations

from datetime import datetime

from podium.api.defaults.networking import set_defaults_ingress_class
from podium.api.field import FieldError
from podium.api.types.networking_v1 import IngressClass
from podium.api.validation.ingresses import validate_ingress_class, validate_ingress_class_update
from podium.registry.strategies.base import Strategy
from podium.registry.strategies.table import AGE, NAME, NONE, Cell, Column, age


class IngressClassStrategy(Strategy[IngressClass]):
    counts_generations = True
    columns = (NAME, Column("Controller"), Column("Parameters"), AGE)

    def default(self, obj: IngressClass) -> None:
        set_defaults_ingress_class(obj)

    def validate(self, obj: IngressClass) -> list[FieldError]:
        return self.validate_metadata(obj) + validate_ingress_class(obj)

    def validate_update(self, new: IngressClass, old: IngressClass) -> list[FieldError]:
        found = validate_ingress_class_update(new, old)
        return self.validate_metadata_update(new, old) + found

    def row(self, obj: IngressClass, now: datetime) -> list[Cell]:
        parameters, text = obj.spec.parameters, NONE
        if parameters is not None:
            group = f".{parameters.api_group}" if parameters.api_group else ""
            text = f"{parameters.kind}{group}/{parameters.name}"
        created = obj.metadata.creation_timestamp
        return [obj.metadata.name, obj.spec.controller, text, age(created, now)]


STRATEGY = IngressClassStrategy
