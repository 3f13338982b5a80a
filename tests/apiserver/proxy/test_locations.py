"""Which address a name in a proxy's path leads to."""

from __future__ import annotations

import pytest

from podium.api.errors import ApiError
from podium.api.types.core_v1 import EndpointAddress, EndpointPort, Endpoints, EndpointSubset
from podium.apiserver.proxy import locations
from podium.apiserver.proxy.locations import Location, Target, target
from podium.domain.services.members import target_reference
from support.services import backend, service


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("web", Target("", "web", "")),
        ("web:80", Target("", "web", "80")),
        ("web:", Target("", "web", "")),
        ("https:web:main", Target("https", "web", "main")),
        ("http:web:", Target("http", "web", "")),
        (":web:8080", Target("", "web", "8080")),
    ],
)
def test_names(text: str, expected: Target) -> None:
    assert target("pod", text) == expected


@pytest.mark.parametrize("text", ["ftp:web:80", "a:b:c:d", ":80", "::", ""])
def test_names_that_are_refused(text: str) -> None:
    with pytest.raises(ApiError) as caught:
        target("service", text)
    assert caught.value.code == 400
    assert caught.value.status.message == f'invalid service request "{text}"'


def test_a_pods_first_declared_port() -> None:
    pod = backend("a", "10.1.0.1", ports={"http": 8080, "admin": 9090})
    assert locations.of_pod(pod, target("pod", "a")) == Location("http", "10.1.0.1", "8080")
    assert locations.of_pod(pod, target("pod", "https:a:9")) == Location("https", "10.1.0.1", "9")
    bare = backend("b", "10.1.0.2")
    assert locations.of_pod(bare, target("pod", "b")).authority == "10.1.0.2"


@pytest.mark.parametrize(
    "address",
    ["", "127.0.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1",
     "fe80::1", "::", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "nonsense"],
)  # fmt: skip
def test_addresses_of_a_machine_itself_are_refused(address: str) -> None:
    with pytest.raises(ApiError) as caught:
        locations.of_pod(backend("a", address), target("pod", "a:80"))
    assert (caught.value.code, caught.value.status.message) == (400, "address not allowed")


@pytest.mark.parametrize("address", ["10.0.0.1", "192.0.2.1", "fd00::1", "2001:db8::1"])
def test_addresses_that_may_be_a_pods(address: str) -> None:
    locations.check_address(address)


def test_ports_by_number_are_the_services() -> None:
    web = service({"name": "http", "port": 80, "targetPort": 8080})
    assert locations.port_name(web, "80") == "http"
    assert locations.port_name(web, "http") == "http"
    assert locations.port_name(web, "") == ""
    with pytest.raises(ApiError) as caught:
        locations.port_name(web, "81")
    assert caught.value.code == 503
    assert caught.value.status.message == 'no service port 81 found for service "web"'


def test_all_ready_addresses_have_their_turn() -> None:
    addresses = [EndpointAddress(ip=f"10.1.0.{i}") for i in (1, 2, 3)]
    endpoints = Endpoints(
        subsets=[
            EndpointSubset(
                addresses=addresses[:2],
                not_ready_addresses=addresses[2:],
                ports=[EndpointPort(name="http", port=8080), EndpointPort(name="x", port=1)],
            )
        ]
    )

    def order(first: int) -> list[tuple[str, int]]:
        return [(a.ip, port) for a, port in locations.candidates(endpoints, "http", first)]

    assert order(0) == [("10.1.0.1", 8080), ("10.1.0.2", 8080)]
    assert order(7) == [("10.1.0.2", 8080), ("10.1.0.1", 8080)]
    assert list(locations.candidates(endpoints, "other", 0)) == []


def test_an_address_counts_only_as_the_one_of_its_pod() -> None:
    pod = backend("a", "10.1.0.1")
    ref = target_reference(pod)
    right = EndpointAddress(ip="10.1.0.1", target_ref=ref)
    assert locations.is_pods_own(right, "default", pod)
    assert not locations.is_pods_own(right, "default", None)
    assert not locations.is_pods_own(right, "other", pod)
    forged = EndpointAddress(ip="10.96.0.1", target_ref=ref)
    assert not locations.is_pods_own(forged, "default", pod)
    assert not locations.is_pods_own(EndpointAddress(ip="10.1.0.1"), "default", pod)
