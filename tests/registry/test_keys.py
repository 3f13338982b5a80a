"""Objects lie where an upstream API server looks for them in etcd."""

from __future__ import annotations

import pytest

from podium.api.scheme import (
    ENDPOINTS,
    LEASES,
    NAMESPACES,
    NODES,
    PODS,
    RESOURCES,
    SERVICES,
    Resource,
)
from podium.registry import keys


@pytest.mark.parametrize(
    ("resource", "namespace", "name", "key"),
    [
        pytest.param(PODS, "ns", "a", "/registry/pods/ns/a", id="pod"),
        pytest.param(NODES, "", "a", "/registry/minions/a", id="node"),
        pytest.param(NAMESPACES, "", "a", "/registry/namespaces/a", id="namespace"),
        pytest.param(SERVICES, "ns", "a", "/registry/services/specs/ns/a", id="service"),
        pytest.param(ENDPOINTS, "ns", "a", "/registry/services/endpoints/ns/a", id="endpoints"),
        pytest.param(LEASES, "ns", "a", "/registry/leases/ns/a", id="lease"),
    ],
)
def test_key(resource: Resource, namespace: str, name: str, key: str) -> None:
    assert keys.key(resource, namespace, name) == key
    assert key.startswith(keys.prefix(resource))
    assert key.startswith(keys.prefix(resource, namespace))


def test_no_resource_lies_within_another() -> None:
    prefixes = [keys.prefix(resource) for resource in RESOURCES if not resource.view_of]
    for one in prefixes:
        assert [other for other in prefixes if other.startswith(one)] == [one]
