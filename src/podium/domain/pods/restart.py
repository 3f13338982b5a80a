"""restartPolicy: whether a container is to be started (again)."""

from __future__ import annotations

from podium.api.types.core_v1 import Pod
from podium.domain.pods.observed import ContainerRecord, RunState


def should_restart(pod: Pod, latest: ContainerRecord | None) -> bool:
    """Tell whether a container whose last run is *latest* should be started.

    Follows ``ShouldContainerBeRestarted``: a container that never ran always, one that runs never,
    one that ended as the Pod's restartPolicy says; none once the Pod is being deleted.
    """
    if pod.metadata.deletion_timestamp is not None:
        return False
    if latest is None or latest.state in (RunState.CREATED, RunState.UNKNOWN):
        return True
    if latest.is_running:
        return False
    return policy_restarts(pod.spec.restart_policy, latest.exit_code)


def policy_restarts(policy: str, exit_code: int) -> bool:
    if policy == "Never":
        return False
    return policy != "OnFailure" or exit_code != 0
