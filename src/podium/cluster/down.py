"""``podium down``: stop a cluster and take away what it has made on this machine."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import select
import signal
import sys
from pathlib import Path

from podium.cluster import neighbours
from podium.cluster.cli import data_dir
from podium.cluster.config import ClusterConfig, ConfigError, load
from podium.cluster.lock import has_open, holder
from podium.kit import logs
from podium.kit.trees import remove_tree

#: How long a running `podium up` may take to end (seconds).
_PATIENCE = 60.0
#: What a Pod gets that names no grace period (seconds).
_DEFAULT_GRACE = 30.0


def main(arguments: argparse.Namespace) -> int:
    if os.geteuid() != 0:
        raise ConfigError("podium down needs root")
    directory = data_dir(arguments)
    config = load(directory)
    if config is None:
        print(f"no cluster in {directory}", file=sys.stderr)
        return 0
    logs.configure(config.log_level, "podium")
    stop_supervisor(config)
    remove_all(config)
    if arguments.purge:
        purge(config)
    return 0


def stop_supervisor(config: ClusterConfig) -> None:
    """End a running `podium up` and wait until it, and its children, are gone.

    Raises ConfigError when they do not go.
    """
    pid = holder(config.lock_file)
    if not pid:
        return
    with contextlib.suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        try:
            if has_open(pid, config.lock_file):
                _end(pid, descriptor, _PATIENCE + _shutdown_period(config))
        finally:
            os.close(descriptor)
    _wait_for_orphans(config)


def _end(pid: int, descriptor: int, patience: float) -> None:
    signal.pidfd_send_signal(descriptor, signal.SIGTERM)
    ended, _, _ = select.select([descriptor], [], [], patience)
    if not ended:
        raise ConfigError(f"podium up (process {pid}) does not end; see its log")


def _shutdown_period(config: ClusterConfig) -> float:
    """How long the kubelet may take to end its Pods first, in seconds."""
    if config.kubelet_config is None:
        return 0.0
    from podium.kubelet import config as kubelet_config

    try:
        settings = kubelet_config.load(config.kubelet_config)
    except kubelet_config.ConfigError:
        return 0.0  # it has changed since: nothing to go by
    return settings.shutdown_period


def _wait_for_orphans(config: ClusterConfig) -> None:
    """Wait for the children of a supervisor that was killed: they hold its lock to the end."""
    for _ in range(int(_PATIENCE / 0.05)):
        if not holder(config.lock_file):
            return
        select.select([], [], [], 0.05)
    raise ConfigError(f"processes of a former podium up still hold {config.lock_file}")


def remove_all(config: ClusterConfig) -> None:
    """Remove containers, namespaces, mounts, cgroups, links, rules and the run directory."""
    from podium.cluster.runtime import image_service, network, oci_options
    from podium.runtime import linux
    from podium.runtime.mounts import unmount_below
    from podium.runtime.oci.cleanup import cleanup

    images = image_service(config)
    asyncio.run(cleanup(oci_options(config), network(config), release=images.release))
    for directory in (*config.run_dirs, config.kubelet_dir):
        unmount_below(directory)
        linux.umount(str(directory))
    for directory in (*config.run_dirs, config.kubelet_dir / "pods", config.log_dir):
        with contextlib.suppress(OSError):  # what is mounted there still is not to be emptied
            remove_tree(directory)
    _remove_if_empty(config.run_dir)
    neighbours.release(config)


def purge(config: ClusterConfig) -> None:
    """Remove objects, images and all else that is the cluster's own; nothing that somebody put
    beside it."""
    for path in config.own_files:
        if path.is_dir():
            remove_tree(path)
        else:
            path.unlink(missing_ok=True)
    _remove_if_empty(config.data_dir)


def _remove_if_empty(directory: Path) -> None:
    with contextlib.suppress(OSError):
        directory.rmdir()


def stop_pods(config: ClusterConfig) -> None:
    """End every container by its stop signal, and after its Pod's grace period by force."""
    asyncio.run(_stop_pods(config))


async def _stop_pods(config: ClusterConfig) -> None:
    from podium.cluster.runtime import image_service, network, oci_options
    from podium.domain.pods.identity import GRACE_PERIOD
    from podium.runtime.oci.runtime import OciRuntime

    images = image_service(config)
    async with OciRuntime(oci_options(config), images, network(config)) as runtime:
        async with asyncio.TaskGroup() as group:
            for container in await runtime.list_containers():
                grace = float(container.annotations.get(GRACE_PERIOD, _DEFAULT_GRACE))
                group.create_task(runtime.stop_container(container.id, grace))
        for sandbox in await runtime.list_pod_sandbox():
            await runtime.stop_pod_sandbox(sandbox.id)
