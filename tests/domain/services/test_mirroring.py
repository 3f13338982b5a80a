"""EndpointSlices as mirrors of Endpoints that somebody has written."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from podium.api.types.core_v1 import Endpoints
from podium.domain.services.mirroring import is_mirrored, reconcile
from support.services import service


def endpoints(*subsets: dict[str, Any], **metadata: Any) -> Endpoints:
    document = {
        "metadata": {"name": "web", "namespace": "default", "uid": "uid-ep", **metadata},
        "subsets": list(subsets),
    }
    return msgspec.convert(document, Endpoints)


SUBSET = {
    "addresses": [{"ip": "192.0.2.1", "hostname": "a"}, {"ip": "2001:db8::1"}],
    "notReadyAddresses": [{"ip": "192.0.2.2", "nodeName": "n1"}],
    "ports": [{"name": "http", "port": 80, "protocol": "TCP", "appProtocol": "http"}],
}


def test_each_family_and_each_set_of_ports_has_a_slice() -> None:
    other = {"addresses": [{"ip": "192.0.2.1"}], "ports": [{"name": "dns", "port": 53}]}
    made = reconcile(endpoints(SUBSET, other), ()).create
    found = {
        (each.address_type, (each.ports or [])[0].name): [
            (e.addresses, e.conditions.ready) for e in each.endpoints or ()
        ]
        for each in made
    }
    assert found == {
        ("IPv4", "http"): [(["192.0.2.1"], True), (["192.0.2.2"], False)],
        ("IPv4", "dns"): [(["192.0.2.1"], True)],
        ("IPv6", "http"): [(["2001:db8::1"], True)],
    }


def test_a_mirror_tells_what_it_is_of() -> None:
    annotations = {"mine": "1", "kubectl.kubernetes.io/last-applied-configuration": "{}"}
    source = endpoints(SUBSET, labels={"team": "a"}, annotations=annotations)
    made = reconcile(source, ()).create[0]
    assert made.metadata.labels == {
        "team": "a",
        "kubernetes.io/service-name": "web",
        "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
    }
    assert made.metadata.annotations == {"mine": "1"}
    [owner] = made.metadata.owner_references
    assert (owner.kind, owner.uid, owner.controller) == ("Endpoints", "uid-ep", True)
    first = (made.endpoints or [])[0]
    assert (first.hostname, first.node_name) == ("a", None)


def test_what_is_there_stays_and_what_is_not_wanted_goes() -> None:
    source = endpoints(SUBSET)
    there = reconcile(source, ()).create
    assert not reconcile(source, there)
    assert reconcile(endpoints(), there).delete == there
    fewer = endpoints({**SUBSET, "notReadyAddresses": []})
    changes = reconcile(fewer, there)
    assert (len(changes.create), len(changes.update), len(changes.delete)) == (0, 1, 0)


@pytest.mark.parametrize(
    ("source", "svc", "expected"),
    [
        pytest.param(endpoints(), service(80, selector={}), True, id="without-selector"),
        pytest.param(endpoints(), service(80), False, id="with-a-selector"),
        pytest.param(endpoints(), None, False, id="without-service"),
        pytest.param(None, service(80, selector={}), False, id="none"),
        pytest.param(
            endpoints(labels={"endpointslice.kubernetes.io/skip-mirror": "true"}),
            service(80, selector={}),
            False,
            id="not-wanted",
        ),
        pytest.param(
            endpoints(annotations={"control-plane.alpha.kubernetes.io/leader": "x"}),
            service(80, selector={}),
            False,
            id="a-lock",
        ),
    ],
)
def test_which_are_mirrored(source: Any, svc: Any, expected: bool) -> None:
    assert is_mirrored(source, svc) is expected
