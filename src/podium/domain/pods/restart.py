"""restartPolicy, of the Pod and of single containers: whether a container is started (again).

Follows ``ShouldContainerBeRestarted`` of upstream's kubelet.
"""

from __future__ import annotations

from podium.api import restarts as rules
from podium.api.types.core_v1 import Container, Pod
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
    """Tell whether *container* is restarted after it ended with *exit_code*."""
    return rules.restarts(pod.spec.restart_policy, container, exit_code)
