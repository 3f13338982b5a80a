"""The command line ``podium …``: what there is, its flags and its help."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from podium import __version__
from podium.cluster.config import DEFAULT_DATA_DIR, ConfigError
from podium.kit import collector

_EPILOG = """\
examples:
  podium up                            run a cluster on this machine, in the foreground
  export KUBECONFIG=/var/lib/podium/kubeconfig
  kubectl apply -f pod.yaml            any Kubernetes client works with that kubeconfig
  podium image load image.tar          make an image known without a registry
  podium restart pod/web -c main       start a container again, in place
  podium down                          stop it all and leave nothing behind
"""

Handler = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str]) -> int:
    """Run ``podium`` with *argv*; return the exit code. Errors are one line on stderr and 1."""
    arguments = build_parser(argv).parse_args(argv)
    handler: Handler = arguments.handler
    return reported(lambda: handler(arguments))


def reported(work: Callable[[], int]) -> int:
    """Return the exit code of *work*; what is wrong with its surroundings is one line on stderr."""
    try:
        return work()
    except ConfigError as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 1
    except OSError as exc:
        about = f"{exc.filename}: " if exc.filename else ""
        print(f"error: {about}{exc.strerror or exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def build_parser(words: Collection[str]) -> argparse.ArgumentParser:
    """Return the parser of a command line of these *words*. What a command takes that they do not
    name may be missing in it, so that `podium up` does not load what `podium image` needs.
    """
    common = _common_flags()
    parser = argparse.ArgumentParser(
        prog="podium",
        description="Kubernetes Pods on this machine: an API server, a scheduler and a node.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[common],
    )
    parser.add_argument("--version", action="version", version=f"podium {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_up(commands, common)
    _add_down(commands, common)
    _add_image(commands, common, words)
    _add_components(commands, common, words)
    return parser


def data_dir(arguments: argparse.Namespace) -> Path:
    """Where the cluster that *arguments* speak of lives."""
    given: Path = getattr(arguments, "data_dir", DEFAULT_DATA_DIR)
    return given.absolute()


def _common_flags() -> argparse.ArgumentParser:
    """Flags that may stand before or after the command: none has a default, or the later parser
    would overwrite what the earlier one has read."""
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument(
        "--data-dir",
        type=Path,
        metavar="DIR",
        help=f"all state of the cluster (default: {DEFAULT_DATA_DIR})",
    )
    return common


def _add_up(commands: Any, common: argparse.ArgumentParser) -> None:
    up = commands.add_parser(
        "up",
        parents=[common],
        help="run a cluster until SIGTERM or Ctrl-C",
        description="Run a whole cluster in the foreground: API server, scheduler, controllers "
        "and a node. What is not given is as it was the last time on the same data directory; "
        "address ranges stay as they were the first time. "
        "Containers keep running when it stops, and are adopted when it starts again.",
    )
    up.add_argument(
        "--run-dir",
        type=Path,
        metavar="DIR",
        help="sockets, namespaces and mounts (default: /run/podium, with the cluster's id "
        "appended for a --data-dir of your own)",
    )
    up.add_argument("--port", type=int, metavar="N", help="of the API server (default: 6443)")
    up.add_argument("--bind", metavar="ADDR", help="of the API server (default: 127.0.0.1)")
    up.add_argument("--node-name", metavar="NAME", help="default: the host's name")
    up.add_argument("--pod-cidr", metavar="CIDR", help="default: 10.42.0.0/16")
    up.add_argument("--service-cidr", metavar="CIDR", help="default: 10.96.0.0/12")
    up.add_argument(
        "--kubelet-port",
        type=int,
        metavar="N",
        help="of the node's HTTPS API (default: 10250, or a free one when that is taken)",
    )
    up.add_argument(
        "--kubelet-config",
        type=Path,
        metavar="FILE",
        help="a KubeletConfiguration (kubelet.config.k8s.io/v1beta1)",
    )
    up.add_argument(
        "--registry-config",
        type=Path,
        metavar="FILE",
        help="mirrors and credentials of registries, in the form of k3s's registries.yaml",
    )
    up.add_argument(
        "--token-auth-file",
        type=Path,
        metavar="FILE",
        help='users by bearer token: lines of token,user,uid,"group1,group2"; read at start',
    )
    up.add_argument(
        "--stop-pods", action="store_true", help="stop all containers too when stopping"
    )
    up.add_argument(
        "--log-level",
        choices=("debug", "info", "warning", "error"),
        help="of the logs on stderr (default: info)",
    )
    up.set_defaults(handler=_lazily("podium.cluster.up"))


def _add_down(commands: Any, common: argparse.ArgumentParser) -> None:
    down = commands.add_parser(
        "down",
        parents=[common],
        help="stop a cluster and remove its containers",
        description="Stop a running 'podium up' and remove every container, namespace, mount, "
        "cgroup, link and nft table of its cluster, also after a crash. Objects and images stay.",
    )
    down.add_argument(
        "--purge", action="store_true", help="remove objects, images and the data directory too"
    )
    down.set_defaults(handler=_lazily("podium.cluster.down"))


def _add_image(commands: Any, common: argparse.ArgumentParser, words: Collection[str]) -> None:
    image = commands.add_parser(
        "image",
        parents=[common],
        help="load, import, pull, list and remove images",
        description="The node's images. Works while the cluster is up, and while it is down.",
    )
    if "image" in words:
        from podium.cluster.image_commands import add_parsers

        add_parsers(image, common)


_COMPONENTS = {
    "apiserver": "the API server, scheduler and controllers left out",
    "scheduler": "the scheduler",
    "controller-manager": "the controllers",
    "kubelet": "the node",
}


def _add_components(commands: Any, common: argparse.ArgumentParser, words: Collection[str]) -> None:
    for name, what in _COMPONENTS.items():
        component = commands.add_parser(
            name,
            parents=[common],
            help=f"run only {what}",
            description=f"Run {what}, alone and in the foreground, with the settings and the "
            "certificates that 'podium up' has left in the data directory.",
        )
        if name in ("scheduler", "controller-manager"):
            component.add_argument(
                "--leader-elect",
                action="store_true",
                help="take turns with others of its kind, by a Lease",
            )
        if name == "kubelet" and name in words:
            _add_kubelet_flags(component)
        component.set_defaults(handler=_lazily("podium.cluster.standalone"), component=name)


def _add_kubelet_flags(kubelet: argparse.ArgumentParser) -> None:
    """Add upstream's flags that say what a KubeletConfiguration says; they go before it."""
    from podium.kubelet.flags import FLAGS

    kubelet.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="a KubeletConfiguration (default: the one that 'podium up' was given)",
    )
    for name, flag in FLAGS.items():
        kubelet.add_argument(f"--{name}", metavar="VALUE", help=flag.help)


def _lazily(module: str) -> Handler:
    """Return a handler that imports *module* when it is called and calls its ``main``."""

    def handle(arguments: argparse.Namespace) -> int:
        import importlib

        with collector.paused():
            handler: Handler = importlib.import_module(module).main
        return handler(arguments)

    return handle
