"""``podium apiserver``, ``scheduler``, ``controller-manager``, ``kubelet``: one component alone."""

from __future__ import annotations

import argparse
from collections.abc import Coroutine
from typing import Any

import msgspec

from podium.cluster import components
from podium.cluster.cli import data_dir
from podium.cluster.config import ClusterConfig, ConfigError, load
from podium.kit import logs
from podium.kit.aio import GracefulStop, run


def main(arguments: argparse.Namespace) -> int:
    directory = data_dir(arguments)
    config = load(directory)
    if config is None:
        raise ConfigError(f"{directory} holds no cluster yet; 'podium up' makes one")
    logs.configure(config.log_level, arguments.component)
    stop = GracefulStop()
    return run(_component(arguments, config, stop), stop)


def _component(
    arguments: argparse.Namespace, config: ClusterConfig, stop: GracefulStop
) -> Coroutine[Any, Any, None]:
    match arguments.component:
        case "apiserver":
            return components.apiserver(config, lambda: None)
        case "scheduler":
            return components.scheduler(config, leader_elect=arguments.leader_elect)
        case "controller-manager":
            return components.controller_manager(config, leader_elect=arguments.leader_elect)
        case _:
            return _kubelet(arguments, config, stop)


def _kubelet(
    arguments: argparse.Namespace, config: ClusterConfig, stop: GracefulStop
) -> Coroutine[Any, Any, None]:
    from podium.cluster import node, node_settings
    from podium.kubelet import config as kubelet_config
    from podium.kubelet.flags import FLAGS

    given = {name: getattr(arguments, name.replace("-", "_"), None) for name in FLAGS}
    flags = {name: value for name, value in given.items() if value is not None}
    if arguments.config is not None:
        config = msgspec.structs.replace(config, kubelet_config=arguments.config)
    try:
        settings = node_settings.kubelet_settings(config, flags=flags)
    except kubelet_config.ConfigError as exc:
        raise ConfigError(str(exc)) from exc
    return node.run(config, lambda: None, settings, stop)
