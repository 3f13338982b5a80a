"""The kubelet, killed after each side effect of a Pod's life in turn.

Nothing leaks, nothing that should run is killed, and the Pod ends where it should. A run tries some
of the moments; ``--every-side-effect`` tries all, which takes ten minutes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from podium.cluster.config import ClusterConfig, load
from podium.runtime.mounts import mount_points
from support.cluster import REPOSITORY, Cluster, cluster, eventually, pod
from support.dying import Countdown

SCRIPT = "cat /config/key /secret/key && echo kept >> /memory/kept && exec sleep 1000000"
#: The start of this Pod has 183 side effects, its end 179.
EVERY = range(1, 190)
#: So many there are on every machine, one with fewer cgroups too.
SURE = 100
SOME = (19, 36, 61, 86, 107, 138, 150, 171)


@dataclass
class Dying:
    """A cluster whose kubelet dies when ``countdown`` has run out."""

    cluster: Cluster
    countdown: Countdown
    config: ClusterConfig

    def end_of(self, name: str) -> str:
        """Stop counting; for messages: what the kubelet died of."""
        left = self.countdown.left
        self.countdown.start(0)
        return "" if left else f"{name}: killed before {self.countdown.last}"

    def pod(self, name: str) -> Any:
        code, answer = self.cluster.request("GET", f"/api/v1/namespaces/default/pods/{name}")
        return answer if code == 200 else None

    def ready(self, name: str) -> Any:
        """Return the Pod once it is Ready."""

        def probe() -> Any:
            found = self.pod(name)
            conditions = found["status"].get("conditions", ())
            return found if {"Ready": "True"}.items() <= _states(conditions).items() else None

        return eventually(probe, f"{name} Ready (after {self.countdown.last})")

    def said(self, name: str) -> str:
        """The Pod's log, as far as it goes and there is a kubelet to tell it."""
        return self.cluster.kubectl("logs", name, check=False).stdout

    def traces(self, uid: str) -> list[str]:
        """What the machine has of a Pod: directories of volumes, logs and cgroups; mounts."""
        roots = (self.config.kubelet_dir, self.config.run_dir / "kubelet", self.config.log_dir)
        places = [*(root / "pods" for root in roots), self.config.log_dir]
        found = [str(path) for place in places if place.is_dir() for path in place.iterdir()]
        found += [mount.path for mount in mount_points()]
        return [path for path in found if uid in path]


def _states(conditions: Any) -> dict[str, str]:
    return {each["type"]: each["status"] for each in conditions}


@pytest.fixture(scope="module")
def dying(tmp_path_factory: pytest.TempPathFactory, demo_image: Path) -> Iterator[Dying]:
    directory = tmp_path_factory.mktemp("dying")
    countdown = Countdown(directory / "countdown")
    with cluster(directory, start=False) as own:
        script = REPOSITORY / "tests/support/dying.py"
        own.program = (sys.executable, script, directory / "countdown")
        own.up()
        own.podium("image", "load", str(demo_image))
        config = load(own.data_dir)
        assert config is not None
        for kind in ("ConfigMap", "Secret"):
            data = {"key": kind} if kind == "ConfigMap" else {"key": "U2VjcmV0"}
            own.apply({"apiVersion": "v1", "kind": kind, "metadata": {"name": "x"}, "data": data})
        own.apply(pod("bystander", "sleep", "1000000"))
        own.wait_ready("bystander")
        yield Dying(own, countdown, config)


def manifest(name: str) -> Any:
    """A Pod with an init container, volumes in memory and on disk, and an address."""
    made = pod(name, "sh", "-c", SCRIPT, terminationGracePeriodSeconds=1)
    [main] = made["spec"]["containers"]
    main["volumeMounts"] = [
        {"name": volume, "mountPath": f"/{volume}"} for volume in ("config", "secret", "memory")
    ]
    made["spec"]["initContainers"] = [{**main, "name": "init", "command": ["true"]}]
    made["spec"]["volumes"] = [
        {"name": "config", "configMap": {"name": "x"}},
        {"name": "secret", "secret": {"secretName": "x"}},
        {"name": "memory", "emptyDir": {"medium": "Memory"}},
    ]
    return made


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "moment" in metafunc.fixturenames:
        every = metafunc.config.getoption("--every-side-effect")
        metafunc.parametrize("moment", EVERY if every else SOME)


def test_the_pod_ends_where_it_should(dying: Dying, moment: int):
    before = dying.ready("bystander")["status"]
    name = f"victim-{moment}"

    dying.countdown.start(moment)
    code, _ = dying.cluster.request("POST", "/api/v1/namespaces/default/pods", manifest(name))
    assert code == 201
    status = dying.ready(name)
    where = dying.end_of(name)
    assert where or moment > SURE, "the kubelet was never killed"
    [main] = status["status"]["containerStatuses"]
    [init] = status["status"]["initContainerStatuses"]
    assert (main["restartCount"], init["state"]["terminated"]["exitCode"]) == (0, 0), where
    eventually(lambda: dying.said(name) == "ConfigMapSecret", f"its words ({where})")

    uid = status["metadata"]["uid"]
    assert dying.traces(uid), "what is looked for at the end is there now"
    dying.countdown.start(moment)
    code, _ = dying.cluster.request("DELETE", f"/api/v1/namespaces/default/pods/{name}")
    assert code == 200
    eventually(lambda: dying.pod(name) is None, f"{name} is gone (after {dying.countdown.last})")
    eventually(lambda: not dying.traces(uid), f"nothing left (after {dying.countdown.last})")
    dying.end_of(name)

    after = dying.ready("bystander")["status"]
    assert after["containerStatuses"] == before["containerStatuses"]
    assert after["podIP"] == before["podIP"]
