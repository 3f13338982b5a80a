"""``podium up``: a whole cluster in the foreground."""

from __future__ import annotations

import argparse
import contextlib
import os
import time
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from podium.cluster import kubeconfig, neighbours
from podium.cluster.aside import Aside
from podium.cluster.cli import data_dir, reported
from podium.cluster.config import ClusterConfig, ConfigError, make
from podium.cluster.lock import Locked, held
from podium.cluster.supervisor import Component, Supervisor
from podium.kit import collector, logs

if TYPE_CHECKING:
    from podium.kubelet.config import KubeletConfiguration

_FLAGS = (
    "run_dir",
    "port",
    "bind",
    "node_name",
    "pod_cidr",
    "service_cidr",
    "kubelet_port",
    "kubelet_config",
    "registry_config",
    "token_auth_file",
    "log_level",
)
#: How long the children of a killed supervisor may take to end (seconds).
_ORPHANS_LEAVE_WITHIN = 20.0
_CERTIFICATE_CHECK_INTERVAL = 3600.0


def main(arguments: argparse.Namespace) -> int:
    config = prepare(arguments)
    logs.configure(config.log_level, "podium")
    if not config.data_dir.exists():
        refuse_conflicts(config)  # before anything is made
        neighbours.check(config)
    config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _only_one(config):
        refuse_conflicts(config)  # what a former process of this cluster held is free by now
        neighbours.claim(config)
        # To be passed, not looked into, by mapped users on the way to their own root directories.
        config.run_dir.mkdir(mode=0o711, parents=True, exist_ok=True)
        certificates = Aside(partial(_renew_certificates, config))
        with collector.paused():
            preload()
        if code := certificates.wait():
            return code
        code = _supervisor(config).run()
        if arguments.stop_pods:
            from podium.cluster.down import stop_pods

            stop_pods(config)
    return code


def prepare(arguments: argparse.Namespace) -> ClusterConfig:
    """Return the settings to run with. Raises ConfigError."""
    if os.geteuid() != 0:
        raise ConfigError("podium up needs root: it makes namespaces, mounts, cgroups and links")
    directory = data_dir(arguments)
    flags = {name: getattr(arguments, name, None) for name in _FLAGS}
    flags = {
        name: value.absolute() if isinstance(value, Path) else value
        for name, value in flags.items()
    }
    config = make(directory, flags)
    _check_files(config)
    return config


def _check_files(config: ClusterConfig) -> None:
    """Read the configuration files before anything starts. Raises ConfigError."""
    try:
        if config.kubelet_config:
            from podium.kubelet import config as kubelet_config

            kubelet_config.load(config.kubelet_config)
        if config.registry_config:
            from podium.runtime.images import registries

            registries.load(config.registry_config)
        if config.token_auth_file:
            from podium.apiserver.auth import static_tokens

            static_tokens.load(config.token_auth_file)
    except ValueError as exc:
        raise ConfigError(str(exc)) from exc


def _look_at_certificates(config: ClusterConfig) -> None:
    Aside(partial(_renew_certificates, config)).wait()


def _renew_certificates(config: ClusterConfig) -> int:
    from podium.cluster import certificates

    def renew() -> int:
        certificates.ensure(config, datetime.now(UTC))
        kubeconfig.write(config)
        return 0

    return reported(renew)


@contextlib.contextmanager
def _only_one(config: ClusterConfig) -> Iterator[None]:
    """Hold the cluster's lock; the last supervisor's children may need a moment to go."""
    deadline = time.monotonic() + _ORPHANS_LEAVE_WITHIN
    with contextlib.ExitStack() as stack:
        while True:
            try:
                stack.enter_context(held(config.lock_file))
                break
            except Locked as exc:
                if not exc.orphaned or time.monotonic() > deadline:
                    raise ConfigError(
                        f"a cluster is already running on {config.data_dir} (process {exc.pid}); "
                        "stop it with 'podium down', or choose another --data-dir"
                    ) from None
                _pause(0.05)
        yield


def _pause(seconds: float) -> None:
    import select

    select.select([], [], [], seconds)


def refuse_conflicts(config: ClusterConfig) -> None:
    """Refuse addresses that something else on this machine uses. Raises ConfigError."""
    import socket

    from podium.runtime.network.conflicts import conflicts

    with socket.socket(socket.AF_INET6 if ":" in config.bind else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((config.bind, config.port))
        except OSError as exc:
            raise ConfigError(
                f"cannot listen on {config.bind}:{config.port}: {exc.strerror}; "
                "choose another --port or --bind"
            ) from None
    for flag, cidr in (("--pod-cidr", config.pod_cidr), ("--service-cidr", config.service_cidr)):
        clash = conflicts(cidr, own_link=config.link_name)
        if clash:
            raise ConfigError(f"{flag} {cidr} overlaps {clash}; choose another one")


def preload() -> None:
    """Import what every component needs, once, before forking: the children share the pages.

    aiohttp reads the system's authorities when it is imported, a tenth of the whole start. Nothing
    here trusts them by way of aiohttp's own context (clusters have their own authority, registries
    get a context when one is pulled from), so it is shown an empty file for the moment.
    """
    authorities = os.environ.get("SSL_CERT_FILE")
    os.environ["SSL_CERT_FILE"] = os.devnull
    import aiohttp.web  # noqa: F401

    import podium.api.codec
    import podium.api.types.core_v1
    import podium.client.client
    import podium.client.informer
    import podium.kit.aio  # noqa: F401

    if authorities is None:
        del os.environ["SSL_CERT_FILE"]
    else:
        os.environ["SSL_CERT_FILE"] = authorities


def _supervisor(config: ClusterConfig) -> Supervisor:
    from podium.cluster import components

    settings = _kubelet_settings(config) if config.kubelet_config else None
    return Supervisor(
        [
            Component(
                "apiserver",
                partial(_run, config, "apiserver", components.control_plane),
                partial(
                    _say, f"API server ready at {config.server} (KUBECONFIG={config.kubeconfig})"
                ),
            ),
            Component(
                "kubelet",
                partial(_run_kubelet, config, settings),
                partial(_say, f"Node {config.node_name} is Ready"),
                stop_timeout=10.0 + (settings.shutdown_period if settings else 0.0),
            ),
        ],
        housekeeping=partial(_look_at_certificates, config),
        housekeeping_interval=_CERTIFICATE_CHECK_INTERVAL,
    )


def _run(
    config: ClusterConfig,
    name: str,
    component: Callable[[ClusterConfig, Callable[[], None]], Coroutine[Any, Any, None]],
    ready: Callable[[], None],
) -> int:
    from podium.kit.aio import run

    logs.configure(config.log_level, name)
    return run(component(config, ready))


def _run_kubelet(
    config: ClusterConfig, settings: KubeletConfiguration | None, ready: Callable[[], None]
) -> int:
    """Without a file, the *settings* are worked out here, where their modules are needed anyway."""
    with collector.paused():
        from podium.cluster import node
        from podium.kit.aio import GracefulStop, run

    logs.configure(config.log_level, "kubelet")
    stop = GracefulStop()
    return run(node.run(config, ready, settings or _kubelet_settings(config), stop), stop)


def _kubelet_settings(config: ClusterConfig) -> KubeletConfiguration:
    from podium.cluster import node_settings

    return node_settings.kubelet_settings(config, node_settings.UP_DEFAULTS)


def _say(line: str) -> None:
    """Print a line; a reader that has gone (`podium up | head`) does not end the cluster."""
    with contextlib.suppress(OSError):
        os.write(1, f"{line}\n".encode())
