"""After a power cut: what was in memory is gone, what was on disk is there, and Pods go on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

from podium.cluster.config import load
from podium.cluster.runtime import oci_options
from podium.runtime import linux
from podium.runtime.cgroups import Cgroups
from podium.runtime.mounts import unmount_below
from podium.runtime.oci import helpers
from support.cluster import Cluster, cluster, eventually, pod


def power_cut(own: Cluster) -> None:
    """Take away what a machine that is switched off loses: processes, mounts, links and rules."""
    config = load(own.data_dir)
    assert config is not None
    pids = own.processes().values()
    own.stop(signal.SIGKILL)
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    asyncio.run(helpers.kill(oci_options(config)))
    cgroups = Cgroups.detect()
    eventually(lambda: not cgroups.kill(config.cgroup_root), "the end of all containers")
    asyncio.run(cgroups.remove(config.cgroup_root))
    unmount_below(config.run_dir)
    for directory in config.run_dirs:
        linux.umount(str(directory))
    shutil.rmtree(config.run_dir)
    for command in (
        ["ip", "link", "delete", config.link_name],
        ["nft", "delete", "table", "ip", config.link_name],
    ):
        subprocess.run(command, check=True)


def container(own: Cluster, name: str) -> dict[str, Any]:
    (status,) = own.get("pod", name)["status"]["containerStatuses"]
    return dict(status)


def test_pods_go_on_after_a_power_cut(tmp_path: Path, demo_image: Path):
    with cluster(tmp_path) as own:
        own.podium("image", "load", str(demo_image))
        own.apply(pod("always"), pod("never", restartPolicy="Never"))
        own.wait_ready("always", "never")
        before = container(own, "always")
        power_cut(own)
        own.up()
        eventually(lambda: container(own, "always")["restartCount"] == 1, "a new run")
        own.wait_ready("always")
        after = container(own, "always")
        assert after["containerID"] != before["containerID"]
        lost = after["lastState"]["terminated"]
        assert (lost["exitCode"], lost["reason"]) == (255, "Unknown")
        assert lost["containerID"] == before["containerID"]
        eventually(lambda: "SandboxChanged" in told(own, "always"), "the event")
        assert told(own, "always")["SandboxChanged"] == (
            "Pod sandbox changed, it will be killed and re-created."
        )
        eventually(lambda: own.get("pod", "never")["status"]["phase"] == "Failed", "its end")
        assert container(own, "never")["restartCount"] == 0


def told(own: Cluster, name: str) -> dict[str, str]:
    """Messages of the events about a Pod, by reason."""
    items = own.get("events", "--field-selector", f"involvedObject.name={name}")["items"]
    return {item["reason"]: item["message"] for item in items}
