"""EndpointSlices."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from podium.api.defaults.networking import set_defaults_endpoint_slice
from podium.api.field import FieldError, Path
from podium.api.types.discovery_v1 import EndpointSlice
from podium.api.validation.endpoint_slices import (
    validate_endpoint_slice,
    validate_endpoint_slice_update,
)
from podium.registry.strategies.address_warnings import address_warnings
from podium.registry.strategies.base import Strategy
from podium.registry.strategies.table import AGE, NAME, UNSET, Cell, Column, age

_SHOWN = 3


class EndpointSliceStrategy(Strategy[EndpointSlice]):
    columns = (NAME, Column("AddressType"), Column("Ports"), Column("Endpoints"), AGE)

    def default(self, obj: EndpointSlice) -> None:
        set_defaults_endpoint_slice(obj)

    def prepare_for_create(self, obj: EndpointSlice, now: datetime) -> None:
        super().prepare_for_create(obj, now)
        obj.metadata.generation = 1

    def prepare_for_update(self, new: EndpointSlice, old: EndpointSlice, now: datetime) -> None:
        super().prepare_for_update(new, old, now)
        changed = (new.endpoints, new.ports, new.metadata.labels) != (
            old.endpoints,
            old.ports,
            old.metadata.labels,
        )
        new.metadata.generation = old.metadata.generation + changed

    def validate(self, obj: EndpointSlice) -> list[FieldError]:
        return self.validate_metadata(obj) + validate_endpoint_slice(obj)

    def validate_update(self, new: EndpointSlice, old: EndpointSlice) -> list[FieldError]:
        found = validate_endpoint_slice_update(new, old)
        return self.validate_metadata_update(new, old) + found

    def warnings_on_create(self, obj: EndpointSlice) -> list[str]:
        old = ["spec.addressType: FQDN endpoints are deprecated"] * (obj.address_type == "FQDN")
        return [*old, *_address_warnings(obj)]

    def warnings_on_update(self, new: EndpointSlice, old: EndpointSlice) -> list[str]:
        return [] if new.endpoints == old.endpoints else list(_address_warnings(new))

    def row(self, obj: EndpointSlice, now: datetime) -> list[Cell]:
        ports = ["*" if port.port is None else str(port.port) for port in obj.ports or ()]
        addresses = [address for endpoint in obj.endpoints or () for address in endpoint.addresses]
        return [
            obj.metadata.name,
            obj.address_type,
            _some(ports),
            _some(addresses),
            age(obj.metadata.creation_timestamp, now),
        ]


def _some(texts: list[str]) -> str:
    if not texts:
        return UNSET
    more = f" + {len(texts) - _SHOWN} more..." if len(texts) > _SHOWN else ""
    return ",".join(texts[:_SHOWN]) + more


def _address_warnings(obj: EndpointSlice) -> Iterator[str]:
    for i, endpoint in enumerate(obj.endpoints or ()):
        for j, text in enumerate(endpoint.addresses):
            at = Path("endpoints").index(i).child("addresses").index(j)
            yield from address_warnings(at, text)


STRATEGY = EndpointSliceStrategy
