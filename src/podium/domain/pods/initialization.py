"""Init containers: one after the other, sidecars among them started and then kept running.

Follows ``computeInitContainerActions`` of upstream's kubelet. What counts is what has run in the
present sandbox: a new one is initialised from the start.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from podium.api.resources import is_sidecar
from podium.api.types.core_v1 import Container, Pod
from podium.domain.pods.observed import ContainerRecord, Observed
from podium.domain.pods.probes import RunHealth, run_health
from podium.domain.pods.restart import restarts


class Initialization(msgspec.Struct, frozen=True):
    """How far a Pod's initialisation has come.

    ``start`` names the init containers to start, in order; ``done`` says that the regular ones may
    start, ``failed`` that they never will, as an init container has failed for good.
    """

    start: tuple[str, ...] = ()
    done: bool = False
    failed: bool = False


def initialization(pod: Pod, observed: Observed, health: Mapping[str, RunHealth]) -> Initialization:
    """Say what initialisation needs next.

    *health* is what probes say of running containers, by ID: what follows a sidecar that has not
    passed its startup probe has to wait.
    """
    containers = pod.spec.init_containers
    runs = [run_in_sandbox(observed, container.name) for container in containers]
    if is_initialized(pod, observed):
        return Initialization(_sidecars_to_start(containers, runs), done=True)
    reached = max((number for number, run in enumerate(runs) if run is not None), default=-1)
    start = list(_sidecars_to_start(containers[: max(reached, 0)], runs))
    if reached >= 0:
        container, run = containers[reached], runs[reached]
        assert run is not None
        if failed_for_good(pod, container, run):
            return Initialization(failed=True)
        if not _has_passed(container, run, health):
            if not run.is_running:
                start.append(container.name)
            return Initialization(tuple(start))
    if reached + 1 == len(containers):
        return Initialization(tuple(start), done=True)
    return Initialization((*start, containers[reached + 1].name))


def is_initialized(pod: Pod, observed: Observed) -> bool:
    """Whether a regular container has run in the present sandbox, so that no init container but
    the sidecars is to run any more."""
    return any(run_in_sandbox(observed, container.name) for container in pod.spec.containers)


def failed_for_good(pod: Pod, container: Container, run: ContainerRecord | None) -> bool:
    """Whether an init container has failed and is not started again."""
    if run is None or run.may_run or is_sidecar(container) or run.exit_code == 0:
        return False
    return not restarts(pod, container, run.exit_code)


def run_in_sandbox(observed: Observed, name: str) -> ContainerRecord | None:
    """The last run of a container in the present sandbox."""
    sandbox = observed.sandbox
    if sandbox is None:
        return None
    return next((run for run in observed.runs(name) if run.sandbox_id == sandbox.id), None)


def _sidecars_to_start(
    containers: list[Container], runs: list[ContainerRecord | None]
) -> tuple[str, ...]:
    """Sidecars among *containers* that do not run; they are kept running whatever they end with."""
    return tuple(
        container.name
        for container, run in zip(containers, runs, strict=False)
        if is_sidecar(container) and (run is None or not run.is_running)
    )


def _has_passed(
    container: Container, run: ContainerRecord, health: Mapping[str, RunHealth]
) -> bool:
    """Whether the next init container may start: this one is done or, a sidecar, has started."""
    if is_sidecar(container):
        return run.is_running and (health.get(run.id) or run_health(container, {})).started
    return not run.may_run and run.exit_code == 0
