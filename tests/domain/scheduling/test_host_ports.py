from __future__ import annotations

import pytest

from podium.domain.scheduling.host_ports import HostPort, any_conflict, host_ports

EVERY = "0.0.0.0"


@pytest.mark.parametrize(
    ("wanted", "used", "conflict"),
    [
        pytest.param((EVERY, "TCP", 80), (EVERY, "TCP", 80), True, id="same"),
        pytest.param(("10.0.0.1", "TCP", 80), (EVERY, "TCP", 80), True, id="one-of-all"),
        pytest.param((EVERY, "TCP", 80), ("10.0.0.1", "TCP", 80), True, id="all-and-one"),
        pytest.param(("10.0.0.1", "TCP", 80), ("10.0.0.2", "TCP", 80), False, id="other-address"),
        pytest.param((EVERY, "UDP", 80), (EVERY, "TCP", 80), False, id="other-protocol"),
        pytest.param((EVERY, "TCP", 81), (EVERY, "TCP", 80), False, id="other-port"),
    ],
)
def test_conflicts(wanted, used, conflict):
    assert any_conflict([HostPort(*wanted)], [HostPort(*used)]) is conflict


def test_what_a_pod_occupies(pod):
    ports = [
        {"containerPort": 8080},
        {"containerPort": 8081, "hostPort": 81, "protocol": "UDP", "hostIP": "127.0.0.1"},
        {"containerPort": 8082, "hostPort": 82},
    ]
    sidecar = {"name": "s", "restartPolicy": "Always", "ports": [{"hostPort": 83}]}
    once = {"name": "i", "ports": [{"hostPort": 84}]}
    wanted = pod(containers=[{"name": "c", "ports": ports}], initContainers=[sidecar, once])
    assert host_ports(wanted) == [
        HostPort("127.0.0.1", "UDP", 81),
        HostPort(EVERY, "TCP", 82),
        HostPort(EVERY, "TCP", 83),
    ]
