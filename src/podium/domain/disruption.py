"""What a PodDisruptionBudget allows. Follows ``pkg/controller/disruption`` of Kubernetes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from podium.api import selectors
from podium.api.types.core_v1 import Pod
from podium.api.types.meta_v1 import Condition
from podium.api.types.policy_v1 import PodDisruptionBudget, PodDisruptionBudgetStatus
from podium.domain.pods.readiness import is_ready

#: How long an eviction may take until its Pod counts as healthy again.
EVICTION_TIMEOUT = timedelta(minutes=2)


class Expectation(msgspec.Struct, frozen=True):
    """How many Pods there should be, and how many of them healthy."""

    pods: int
    healthy: int


def covers(budget: PodDisruptionBudget, pod: Pod) -> bool:
    """Whether *budget* is about *pod*; one without selector is about none."""
    selector = budget.spec.selector
    if selector is None or budget.metadata.namespace != pod.metadata.namespace:
        return False
    return selectors.from_struct(selector).matches(pod.metadata.labels)


def can_ignore_budgets(pod: Pod) -> bool:
    """Whether evicting *pod* takes nothing away: it does not run."""
    idle = pod.status.phase in ("Succeeded", "Failed", "Pending")
    return idle or pod.metadata.deletion_timestamp is not None


def expect(budget: PodDisruptionBudget, pods: Sequence[Pod], replicas: int) -> Expectation:
    """Return what *budget* wants of *pods*, whose controllers want *replicas* altogether."""
    spec = budget.spec
    if spec.max_unavailable is not None:
        unavailable = _scaled(spec.max_unavailable, replicas)
        return Expectation(replicas, max(replicas - unavailable, 0))
    if isinstance(spec.min_available, str):
        return Expectation(replicas, _scaled(spec.min_available, replicas))
    return Expectation(len(pods), spec.min_available or 0)


def needs_scale(budget: PodDisruptionBudget) -> bool:
    """Whether what the Pods' controllers want has to be known for :func:`expect`."""
    spec = budget.spec
    return spec.max_unavailable is not None or isinstance(spec.min_available, str)


def status(
    budget: PodDisruptionBudget, pods: Iterable[Pod], expected: Expectation, now: datetime
) -> PodDisruptionBudgetStatus:
    """Return the status of *budget* that follows from the *pods* it covers."""
    pods = list(pods)
    disrupted = _still_disrupted(budget.status.disrupted_pods, pods, now)
    healthy = sum(
        is_ready(pod)
        for pod in pods
        if pod.metadata.deletion_timestamp is None and pod.metadata.name not in disrupted
    )
    allowed = healthy - expected.healthy if expected.pods > 0 else 0
    changed = PodDisruptionBudgetStatus(
        current_healthy=healthy,
        desired_healthy=expected.healthy,
        expected_pods=expected.pods,
        disruptions_allowed=max(allowed, 0),
        disrupted_pods=disrupted,
        observed_generation=budget.metadata.generation,
        conditions=budget.status.conditions,
    )
    return with_condition(changed, now)


def with_condition(current: PodDisruptionBudgetStatus, now: datetime) -> PodDisruptionBudgetStatus:
    """Return *current* with the condition that tells whether a disruption is allowed."""
    allowed = current.disruptions_allowed > 0
    value, reason = ("True", "SufficientPods") if allowed else ("False", "InsufficientPods")
    before = next((c for c in current.conditions if c.type == "DisruptionAllowed"), None)
    since = now.replace(microsecond=0)
    if before is not None and before.status == value:
        since = before.last_transition_time or since
    condition = Condition(
        type="DisruptionAllowed",
        status=value,
        reason=reason,
        message="",
        observed_generation=current.observed_generation,
        last_transition_time=since,
    )
    others = [c for c in current.conditions if c.type != "DisruptionAllowed"]
    return msgspec.structs.replace(current, conditions=[*others, condition])


def _still_disrupted(
    disrupted: Mapping[str, datetime], pods: Iterable[Pod], now: datetime
) -> dict[str, datetime]:
    """Return the Pods whose eviction was allowed and shows no effect yet."""
    found = {}
    for pod in pods:
        since = disrupted.get(pod.metadata.name)
        if since is None or pod.metadata.deletion_timestamp is not None:
            continue
        if now - since <= EVICTION_TIMEOUT:
            found[pod.metadata.name] = since
    return found


def _scaled(value: int | str, total: int) -> int:
    """Return a number or a percentage of *total*, rounded up."""
    if isinstance(value, int):
        return value
    digits = value.rstrip("%").lstrip("0")  # more zeros may lead than Python reads
    return -(-int(digits or 0) * total // 100)
