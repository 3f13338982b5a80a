"""Which commands there are: where each one is, and what the overview says of it.

A command's module is loaded when the command is called. ``kubectl NAME`` is
``podium.kubectl.verbs.NAME`` with underscores for dashes, and there ``COMMAND``.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podium.kubectl.command import Command

#: Headings of the overview, with their commands, in upstream's order.
GROUPS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "Basic Commands (Beginner):",
        (
            ("create", "Create a resource from a file or from stdin"),
            (
                "expose",
                "Take a replication controller, service, deployment or pod and expose it as a new "
                "Kubernetes service",
            ),
            ("run", "Run a particular image on the cluster"),
            ("set", "Set specific features on objects"),
        ),
    ),
    (
        "Basic Commands (Intermediate):",
        (
            ("explain", "Get documentation for a resource"),
            ("get", "Display one or many resources"),
            ("edit", "Edit a resource on the server"),
            (
                "delete",
                "Delete resources by file names, stdin, resources and names, or by resources and "
                "label selector",
            ),
        ),
    ),
    (
        "Deploy Commands:",
        (
            ("rollout", "Manage the rollout of a resource"),
            ("scale", "Set a new size for a deployment, replica set, or replication controller"),
            (
                "autoscale",
                "Auto-scale a deployment, replica set, stateful set, or replication controller",
            ),
        ),
    ),
    (
        "Cluster Management Commands:",
        (
            ("certificate", "Modify certificate resources"),
            ("cluster-info", "Display cluster information"),
            ("top", "Display resource (CPU/memory) usage"),
            ("cordon", "Mark node as unschedulable"),
            ("uncordon", "Mark node as schedulable"),
            ("drain", "Drain node in preparation for maintenance"),
            ("taint", "Update the taints on one or more nodes"),
        ),
    ),
    (
        "Troubleshooting and Debugging Commands:",
        (
            ("describe", "Show details of a specific resource or group of resources"),
            ("logs", "Print the logs for a container in a pod"),
            ("attach", "Attach to a running container"),
            ("exec", "Execute a command in a container"),
            ("port-forward", "Forward one or more local ports to a pod"),
            ("proxy", "Run a proxy to the Kubernetes API server"),
            ("cp", "Copy files and directories to and from containers"),
            ("auth", "Inspect authorization"),
            ("debug", "Create debugging sessions for troubleshooting workloads and nodes"),
            ("events", "List events"),
        ),
    ),
    (
        "Advanced Commands:",
        (
            ("diff", "Diff the live version against a would-be applied version"),
            ("apply", "Apply a configuration to a resource by file name or stdin"),
            ("patch", "Update fields of a resource"),
            ("replace", "Replace a resource by file name or stdin"),
            ("wait", "Wait for a specific condition on one or many resources"),
            ("kustomize", "Build a kustomization target from a directory or URL"),
        ),
    ),
    (
        "Settings Commands:",
        (
            ("label", "Update the labels on a resource"),
            ("annotate", "Update the annotations on a resource"),
            (
                "completion",
                "Output shell completion code for the specified shell (bash, zsh, fish)",
            ),
        ),
    ),
    (
        "Other Commands:",
        (
            ("api-resources", "Print the supported API resources on the server"),
            (
                "api-versions",
                'Print the supported API versions on the server, in the form of "group/version"',
            ),
            ("config", "Modify kubeconfig files"),
            ("kuberc", "Manage kuberc configuration files"),
            ("plugin", "Provides utilities for interacting with plugins"),
            ("version", "Print the client and server version information"),
        ),
    ),
)
NAMES: dict[str, str] = {name: short for _, group in GROUPS for name, short in group}
#: Commands that the overview does not name; ``restart`` is Podium's own (``podium restart``).
HIDDEN = ("alpha", "help", "options", "restart")


def load(name: str) -> Command | None:
    """Return the command of a name, None where there is none."""
    if name not in NAMES and name not in HIDDEN:
        return None
    module = import_module(f"podium.kubectl.verbs.{name.replace('-', '_')}")
    command: Command = module.COMMAND
    return command


def similar(name: str, known: list[str]) -> list[str]:
    """Return the names that somebody may have meant: two edits away, or longer."""
    return [
        other
        for other in known
        if _distance(name.lower(), other.lower()) <= 2 or other.lower().startswith(name.lower())
    ]


def _distance(one: str, other: str) -> int:
    """Levenshtein's."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]
