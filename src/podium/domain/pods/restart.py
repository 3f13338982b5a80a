"""restartPolicy, of the Pod and of single containers: whether a container is started (again).

Follows ``ContainerShouldRestart`` and ``ShouldContainerBeRestarted`` of upstream's kubelet.
"""

from __future__ import annotations

from podium.api.types.core_v1 import Container, ContainerRestartRule, Pod
from podium.domain.pods.observed import ContainerRecord, RunState


def should_restart(pod: Pod, container: Container, latest: ContainerRecord | None) -> bool:
    """Tell whether a regular container whose last run is *latest* should be started.

    One that never ran always, one that runs never, one that ended as its restart policy says;
    none once the Pod is being deleted.
    """
    if pod.metadata.deletion_timestamp is not None:
        return False
    if latest is None or latest.state in (RunState.CREATED, RunState.UNKNOWN):
        return True
    if latest.is_running:
        return False
    return restarts(pod, container, latest.exit_code)


def restarts(pod: Pod, container: Container, exit_code: int) -> bool:
    """Tell whether *container* is restarted after it ended with *exit_code*.

    The first of its own rules that the code matches decides, else its own restartPolicy, else the
    Pod's.
    """
    if container.restart_policy is None:
        return _policy_restarts(pod.spec.restart_policy, exit_code)
    for rule in container.restart_policy_rules:
        if _matches(rule, exit_code):
            return rule.action == "Restart"
    return _policy_restarts(container.restart_policy, exit_code)


def _matches(rule: ContainerRestartRule, exit_code: int) -> bool:
    codes = rule.exit_codes
    if codes is None:
        return False
    return (exit_code in codes.values) == (codes.operator == "In")


def _policy_restarts(policy: str, exit_code: int) -> bool:
    if policy == "Never":
        return False
    return policy != "OnFailure" or exit_code != 0
