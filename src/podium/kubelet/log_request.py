"""``/containerLogs``: which run of a container is asked for, and how."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from podium.api.go_time import parse_time
from podium.api.types.core_v1 import ContainerStatus, Pod
from podium.domain.pods.containers import every_container
from podium.domain.pods.observed import ContainerRecord, Observed, RunState
from podium.kubelet.logs import LogOptions


class BadLogRequest(ValueError):
    """The request cannot be answered; the text is the body of a 400."""


def log_options(query: Mapping[str, str], now: datetime) -> LogOptions:
    """Read the query of a log request. Raises BadLogRequest."""
    return LogOptions(
        follow=_flag(query, "follow"),
        previous=_flag(query, "previous"),
        timestamps=_flag(query, "timestamps"),
        tail_lines=_number(query, "tailLines") if query.get("tailLines") else None,
        limit_bytes=_number(query, "limitBytes") if query.get("limitBytes") else None,
        since=_since(query, now),
        stream=query.get("stream", ""),
    )


def _since(query: Mapping[str, str], now: datetime) -> datetime | None:
    if query.get("sinceSeconds"):
        try:
            return now - timedelta(seconds=_number(query, "sinceSeconds"))
        except OverflowError:  # before all times
            return None
    if query.get("sinceTime"):
        try:
            return parse_time(query["sinceTime"])
        except ValueError as exc:
            raise BadLogRequest(f"invalid sinceTime: {query['sinceTime']}") from exc
    return None


def choose_run(pod: Pod, observed: Observed, container: str, previous: bool) -> ContainerRecord:
    """Return the run whose log is meant. Raises BadLogRequest with upstream's words."""
    name = pod.metadata.name
    if all(c.name != container for c in every_container(pod)):
        raise BadLogRequest(f'container "{container}" not found in pod "{name}"')
    runs = [run for run in observed.runs(container) if run.state is not RunState.CREATED]
    if previous:
        dead = [run for run in runs if run.state is RunState.EXITED]
        waiting = _waits(pod, container)
        # A dead run is "previous" when another followed it, or is about to.
        if len(runs) > 1 and runs[1] in dead:
            return runs[0] if waiting and runs[0] in dead else runs[1]
        if dead and waiting:
            return dead[0]
        raise BadLogRequest(
            f'previous terminated container "{container}" in pod "{name}" not found'
        )
    if runs:
        return runs[0]
    raise BadLogRequest(f'container "{container}" in pod "{name}" is {_why(pod, container)}')


def _waits(pod: Pod, container: str) -> bool:
    return any(s.name == container and s.state.waiting is not None for s in _statuses(pod))


def _statuses(pod: Pod) -> tuple[ContainerStatus, ...]:
    status = pod.status
    return (
        *status.init_container_statuses,
        *status.container_statuses,
        *status.ephemeral_container_statuses,
    )


def _why(pod: Pod, container: str) -> str:
    for status in _statuses(pod):
        if status.name == container and status.state.waiting is not None:
            reason = status.state.waiting.reason
            if reason == "ErrImagePull":
                return "waiting to start: image can't be pulled"
            if reason == "ImagePullBackOff":
                return "waiting to start: trying and failing to pull image"
            return f"waiting to start: {reason}"
        if status.name == container and status.state.terminated is not None:
            return "terminated"
    return "waiting to start: ContainerCreating"


def _flag(query: Mapping[str, str], name: str) -> bool:
    value = query.get(name, "false").lower()
    if value not in ("true", "false", "1", "0", "t", "f", ""):
        raise BadLogRequest(f"invalid {name}: {value}")
    return value in ("true", "1", "t")


def _number(query: Mapping[str, str], name: str) -> int:
    try:
        return int(query[name])
    except ValueError as exc:
        raise BadLogRequest(f"invalid {name}: {query[name]}") from exc
