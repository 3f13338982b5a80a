"""Whether a container that ended is started again: its own rules and policy, else the Pod's.

Follows ``ContainerShouldRestart`` of ``pkg/api/v1/pod``.
"""

from __future__ import annotations

from podium.api.types.core_v1 import Container, ContainerRestartRule


def restarts(pod_policy: str, container: Container, exit_code: int) -> bool:
    """Tell whether *container* is restarted after it ended with *exit_code*.

    The first of its own rules that the code matches decides, else its own restartPolicy, else that
    of the Pod.
    """
    policy = container.restart_policy
    if policy is None:
        return _policy_restarts(pod_policy, exit_code)
    rule = next((r for r in container.restart_policy_rules if _matches(r, exit_code)), None)
    if rule is not None and rule.action == "Restart":
        return True
    return _policy_restarts(policy, exit_code)


def _matches(rule: ContainerRestartRule, exit_code: int) -> bool:
    codes = rule.exit_codes
    if codes is None:
        return False
    return (exit_code in codes.values) == (codes.operator == "In")


def _policy_restarts(policy: str, exit_code: int) -> bool:
    if policy == "Never":
        return False
    return policy != "OnFailure" or exit_code != 0
