"""``podium apiserver``, ``scheduler``, ``controller-manager``, ``kubelet``: one component alone."""

from __future__ import annotations

import argparse
from collections.abc import Coroutine
from typing import Any

from podium.cluster import components
from podium.cluster.cli import data_dir
from podium.cluster.config import ClusterConfig, ConfigError, load
from podium.kit import logs
from podium.kit.aio import run


def main(arguments: argparse.Namespace) -> int:
    directory = data_dir(arguments)
    config = load(directory)
    if config is None:
        raise ConfigError(f"{directory} holds no cluster yet; 'podium up' makes one")
    logs.configure(config.log_level, arguments.component)
    return run(_component(arguments, config))


def _component(arguments: argparse.Namespace, config: ClusterConfig) -> Coroutine[Any, Any, None]:
    match arguments.component:
        case "apiserver":
            return components.apiserver(config, lambda: None)
        case "scheduler":
            return components.scheduler(config, leader_elect=arguments.leader_elect)
        case "controller-manager":
            return components.controller_manager(config, leader_elect=arguments.leader_elect)
        case _:
            from podium.cluster.node import run as kubelet

            return kubelet(config, lambda: None)
