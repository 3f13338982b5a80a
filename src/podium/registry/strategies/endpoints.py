"""Endpoints."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from podium.api.defaults.services import set_defaults_endpoints
from podium.api.field import FieldError, Path
from podium.api.types.core_v1 import Endpoints
from podium.api.validation.endpoints import validate_endpoints
from podium.registry.strategies.address_warnings import address_warnings
from podium.registry.strategies.base import Strategy
from podium.registry.strategies.table import AGE, NAME, NONE, Cell, Column, age

_MOST = 3  # addresses shown


class EndpointsStrategy(Strategy[Endpoints]):
    allow_create_on_update = True
    columns = (NAME, Column("Endpoints"), AGE)

    def default(self, obj: Endpoints) -> None:
        set_defaults_endpoints(obj)

    def validate(self, obj: Endpoints) -> list[FieldError]:
        return self.validate_metadata(obj) + validate_endpoints(obj)

    def validate_update(self, new: Endpoints, old: Endpoints) -> list[FieldError]:
        return self.validate_metadata_update(new, old) + validate_endpoints(new)

    def warnings(self, obj: Endpoints) -> Iterator[str]:
        """Upstream's, but that Endpoints are deprecated."""
        for i, subset in enumerate(obj.subsets):
            at = Path("subsets").index(i)
            for name, addresses in (
                ("addresses", subset.addresses),
                ("notReadyAddresses", subset.not_ready_addresses),
            ):
                for j, address in enumerate(addresses):
                    yield from address_warnings(at.child(name).index(j).child("ip"), address.ip)

    def row(self, obj: Endpoints, now: datetime) -> list[Cell]:
        return [
            obj.metadata.name,
            format_endpoints(obj),
            age(obj.metadata.creation_timestamp, now),
        ]


def format_endpoints(endpoints: Endpoints) -> str:
    """Return ``10.0.0.1:80,10.0.0.2:80 + 1 more...``: what is ready, at most three of it."""
    shown: list[str] = []
    for subset in endpoints.subsets:
        if not subset.ports:
            shown.extend(_host(address.ip) for address in subset.addresses)
        for port in subset.ports:
            shown.extend(f"{_host(address.ip)}:{port.port}" for address in subset.addresses)
    if not shown:
        return NONE
    text = ",".join(shown[:_MOST])
    return f"{text} + {len(shown) - _MOST} more..." if len(shown) > _MOST else text


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address


STRATEGY = EndpointsStrategy
