"""``kubectl drain``: no new Pods come to a node, and those there are go."""

from __future__ import annotations

import sys

from podium.kubectl.choosing import SELECTOR_FLAG, Chosen
from podium.kubectl.command import Command, Invocation
from podium.kubectl.draining.eviction import pods_on, remove
from podium.kubectl.draining.judging import Rules, judge, problems, warnings
from podium.kubectl.draining.nodes import cordon, nodes
from podium.kubectl.errors import CommandError, Said, StatusError
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.writing import DRY_RUN_FLAG, dry_run, suffix


def run(invocation: Invocation) -> int:
    values = invocation.values
    if values.pod_selector:
        _check_selector(values.pod_selector)
    found = nodes(invocation, "drain")
    cordon(invocation, found, on=True)
    errors: list[str] = []
    pending: list[str] = []
    for one in found:
        wrong = _drain(invocation, one)
        if not wrong:
            print(f"node/{one.name} drained{suffix(values)}")
            continue
        sys.stdout.flush()
        shown = wrong[0] if len(wrong) == 1 else f"[{', '.join(wrong)}]"
        print(f'error: unable to drain node "{one.name}" due to error: {shown}, continuing '
              "command...", file=sys.stderr)  # fmt: skip
        errors += wrong
        pending.append(one.name)
    if errors:
        lines = ["There are pending nodes to be drained:", *(f" {name}" for name in pending)]
        raise Said("\n".join([*lines, *errors]))
    return 0


def _check_selector(text: str) -> None:
    from podium.api.selectors import parse_labels

    try:
        parse_labels(text)
    except ValueError:
        raise CommandError("--pod-selector=<pod_selector> must be a valid label selector") from None


def _drain(invocation: Invocation, node: Chosen) -> list[str]:
    """Return what went wrong."""
    values = invocation.values

    def daemon_set(namespace: str, name: str) -> str:
        path = f"/apis/apps/v1/namespaces/{namespace}/daemonsets/{name}"
        try:
            invocation.session.http.request("GET", path)
        except StatusError as error:
            return str(error)
        return ""

    rules = Rules(values.force, values.ignore_daemonsets, values.delete_emptydir_data, daemon_set)
    judged = [(pod, judge(pod, rules)) for pod in pods_on(invocation, node.name)]
    if wrong := problems(judged):
        return wrong
    if told := warnings(judged):
        print(f"Warning: {told}", file=sys.stderr)
    pods = [pod for pod, one in judged if one.goes]
    if dry_run(values) == "client":
        for pod in pods:
            metadata = pod["metadata"]
            print(f"evicting pod {metadata['namespace']}/{metadata['name']} (dry run)")
        return []
    errors = remove(invocation, pods)
    left = [pod for pod in pods_on(invocation, node.name) if judge(pod, rules).goes]
    if errors and left:
        print(f'There are pending pods in node "{node.name}" when an error occurred: '
              f"{'; '.join(errors)}", file=sys.stderr)  # fmt: skip
        for pod in left:
            print(f"pod/{pod['metadata']['name']}", file=sys.stderr)
    return errors


COMMAND = Command(
    usage="kubectl drain NODE [options]",
    short="Drain node in preparation for maintenance",
    long="Let no new Pods come to a node, and evict those that it has, as far as disruption "
    "budgets allow.",
    examples="kubectl drain worker --ignore-daemonsets --delete-emptydir-data",
    run=run,
    flags=(
        DRY_RUN_FLAG, SELECTOR_FLAG,
        Flag("chunk-size", 500, "Return large lists in chunks rather than all at once. Pass 0 to "
             "disable.", kind=Kind.INT),
        Flag("delete-emptydir-data", False, "Continue even if there are pods using emptyDir (local "
             "data that will be deleted when the node is drained).", kind=Kind.BOOL),
        Flag("disable-eviction", False, "Force drain to use delete, even if eviction is supported. "
             "This will bypass checking PodDisruptionBudgets, use with caution.", kind=Kind.BOOL),
        Flag("force", False, "Continue even if there are pods that do not declare a controller.",
             kind=Kind.BOOL),
        Flag("grace-period", -1, "Period of time in seconds given to each pod to terminate "
             "gracefully. If negative, the default value specified in the pod will be used.",
             kind=Kind.INT),
        Flag("ignore-daemonsets", False, "Ignore DaemonSet-managed pods.", kind=Kind.BOOL),
        Flag("pod-selector", usage="Label selector to filter pods on the node"),
        Flag("skip-wait-for-delete-timeout", 0, "If pod DeletionTimestamp older than N seconds, "
             "skip waiting for the pod.  Seconds must be greater than 0 to skip.", kind=Kind.INT),
        Flag("timeout", 0.0, "The length of time to wait before giving up, zero means infinite",
             kind=Kind.DURATION),
    ),
)  # fmt: skip
