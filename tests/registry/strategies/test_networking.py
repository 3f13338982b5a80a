"""IPAddresses and ServiceCIDRs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from podium.api import codec
from podium.api.scheme import IPADDRESSES, SERVICECIDRS, Resource
from podium.registry.strategies import strategy_for

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PARENT = {"group": "", "resource": "services", "namespace": "default", "name": "web"}


def offences(resource: Resource, name: str, spec: dict[str, Any]) -> list[str]:
    return [str(error) for error in strategy_for(resource).validate(new(resource, name, spec))]


def new(resource: Resource, name: str, spec: dict[str, Any]) -> Any:
    metadata = {"name": name, "resourceVersion": "1"}
    return codec.from_plain(resource.type, {"metadata": metadata, "spec": spec})


@pytest.mark.parametrize("name", ["192.168.1.5", "2001:db8::1"])
def test_an_address_is_named_by_itself(name: str) -> None:
    assert offences(IPADDRESSES, name, {"parentRef": PARENT}) == []


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("web", "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"),
        ("2001:DB8::1", "must be a canonical format IP address"),
        ("::ffff:10.0.0.1", "must not be an IPv4-mapped IPv6 address"),
    ],
)
def test_in_its_canonical_form(name: str, why: str) -> None:
    found = offences(IPADDRESSES, name, {"parentRef": PARENT})
    assert found == [f'metadata.name: Invalid value: "{name}": {why}']


@pytest.mark.parametrize(
    ("parent", "found"),
    [
        pytest.param(None, ["spec.parentRef: Required value"], id="none"),
        pytest.param(
            {},
            ["spec.parentRef.resource: Required value", "spec.parentRef.name: Required value"],
            id="empty",
        ),
        pytest.param(
            {"group": "A", "resource": "a/b", "namespace": "..", "name": "%"},
            [
                'spec.parentRef.group: Invalid value: "A": a lowercase RFC 1123 subdomain',
                "spec.parentRef.resource: Invalid value: \"a/b\": may not contain '/'",
                "spec.parentRef.name: Invalid value: \"%\": may not contain '%'",
                "spec.parentRef.namespace: Invalid value: \"..\": may not be '..'",
            ],
            id="all-wrong",
        ),
    ],
)
def test_an_address_has_a_parent(parent: dict[str, str] | None, found: list[str]) -> None:
    spec = {} if parent is None else {"parentRef": parent}
    seen = offences(IPADDRESSES, "192.168.1.5", spec)
    assert len(seen) == len(found)
    assert all(map(str.startswith, seen, found))


def test_which_stays_its_own() -> None:
    old = new(IPADDRESSES, "192.168.1.5", {"parentRef": PARENT})
    moved = new(IPADDRESSES, "192.168.1.5", {"parentRef": {**PARENT, "name": "other"}})
    assert [str(error) for error in strategy_for(IPADDRESSES).validate_update(moved, old)] == [
        'spec.parentRef: Invalid value: networking.ParentReference{Group:"", '
        'Resource:"services", Namespace:"default", Name:"other"}: field is immutable'
    ]


def test_rows() -> None:
    address = new(IPADDRESSES, "192.168.1.5", {"parentRef": PARENT})
    assert strategy_for(IPADDRESSES).row(address, NOW) == ["192.168.1.5", "services/default/web"]
    cidr = new(SERVICECIDRS, "a", {"cidrs": ["10.0.0.0/24", "fd00::/64"]})
    assert strategy_for(SERVICECIDRS).row(cidr, NOW) == [
        "a",
        "10.0.0.0/24,fd00::/64",
        "<unknown>",
    ]


_TWICE = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"


@pytest.mark.parametrize(
    ("cidrs", "found"),
    [
        pytest.param(["10.0.0.0/24"], [], id="one"),
        pytest.param(["10.0.0.0/24", "fd00::/64"], [], id="one-of-each-family"),
        pytest.param([], ["spec.cidrs: Required value: at least one CIDR required"], id="none"),
        pytest.param(
            ["10.0.0.0/24", "10.0.1.0/24"],
            [
                "spec.cidrs: Invalid value: networking.ServiceCIDRSpec{CIDRs:[]string{"
                f'"10.0.0.0/24", "10.0.1.0/24"}}}}: {_TWICE}'
            ],
            id="two-of-one-family",
        ),
        pytest.param(
            ["10.0.0.0/24", "fd00::/64", "fd01::/64"],
            [
                "spec.cidrs: Invalid value: networking.ServiceCIDRSpec{CIDRs:[]string{"
                '"10.0.0.0/24", "fd00::/64", "fd01::/64"}}: may only hold up to 2 values'
            ],
            id="three",
        ),
        pytest.param(
            ["10.0.0.0"],
            [
                'spec.cidrs[0]: Invalid value: "10.0.0.0": must be a valid CIDR value, '
                "(e.g. 10.9.8.0/24 or 2001:db8::/64)"
            ],
            id="no-range",
        ),
    ],
)
def test_ranges(cidrs: list[str], found: list[str]) -> None:
    assert offences(SERVICECIDRS, "a", {"cidrs": cidrs}) == found


def test_a_range_stays_what_it_is() -> None:
    old = new(SERVICECIDRS, "a", {"cidrs": ["10.0.0.0/24"]})
    changed = new(SERVICECIDRS, "a", {"cidrs": ["10.0.1.0/24"]})
    assert [str(error) for error in strategy_for(SERVICECIDRS).validate_update(changed, old)] == [
        'spec.cidrs: Invalid value: []string{"10.0.1.0/24"}: field is immutable'
    ]
