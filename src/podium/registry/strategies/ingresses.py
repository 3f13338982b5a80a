"""Ingresses."""

from __future__ import annotations

from datetime import datetime

from podium.api.field import FieldError
from podium.api.types.networking_v1 import Ingress
from podium.api.validation.ingresses import (
    validate_ingress,
    validate_ingress_status,
    validate_ingress_update,
)
from podium.registry.strategies.base import Strategy
from podium.registry.strategies.table import AGE, NAME, NONE, Cell, Column, age

_CLASS = "kubernetes.io/ingress.class"
_SHOWN = 3


class IngressStrategy(Strategy[Ingress]):
    counts_generations = True
    columns = (NAME, Column("Class"), Column("Hosts"), Column("Address"), Column("Ports"), AGE)

    def validate(self, obj: Ingress) -> list[FieldError]:
        return self.validate_metadata(obj) + validate_ingress(obj)

    def validate_update(self, new: Ingress, old: Ingress) -> list[FieldError]:
        return self.validate_metadata_update(new, old) + validate_ingress_update(new)

    def validate_status_update(self, new: Ingress, old: Ingress) -> list[FieldError]:
        return [*self.validate_metadata_update(new, old), *validate_ingress_status(new)]

    def warnings_on_create(self, obj: Ingress) -> list[str]:
        if _CLASS not in obj.metadata.annotations or obj.spec.ingress_class_name is not None:
            return []
        text = f'annotation "{_CLASS}" is deprecated'
        return [f"{text}, please use 'spec.ingressClassName' instead"]

    def row(self, obj: Ingress, now: datetime) -> list[Cell]:
        name = obj.spec.ingress_class_name
        return [
            obj.metadata.name,
            NONE if name is None else name,
            _hosts(obj),
            ",".join(point.ip or point.hostname for point in obj.status.load_balancer.ingress),
            "80, 443" if obj.spec.tls else "80",
            age(obj.metadata.creation_timestamp, now),
        ]


def _hosts(obj: Ingress) -> str:
    hosts = [rule.host for rule in obj.spec.rules if rule.host]
    if not hosts:
        return "*"
    more = f" + {len(hosts) - _SHOWN} more..." if len(hosts) > _SHOWN else ""
    return ",".join(hosts[:_SHOWN]) + more


STRATEGY = IngressStrategy
