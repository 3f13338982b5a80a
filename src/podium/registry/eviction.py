"""Eviction: deletes a Pod if its disruption budget leaves room for it.

Follows ``pkg/registry/core/pod/storage/eviction.go`` of Kubernetes.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from podium.api import errors
from podium.api.errors import ApiError
from podium.api.scheme import PODDISRUPTIONBUDGETS, PODS
from podium.api.types.core_v1 import Pod, PodCondition
from podium.api.types.meta_v1 import DeleteOptions, Preconditions, StatusCause, StatusDetails
from podium.api.types.policy_v1 import PodDisruptionBudget
from podium.domain import disruption
from podium.domain.pods.conditions import DISRUPTION_TARGET
from podium.domain.pods.readiness import is_ready
from podium.registry.types import RequestContext

if TYPE_CHECKING:
    from podium.registry.registry import Registry

_MAX_DISRUPTED = 2000
_ATTEMPTS = 10
_REFUSED = "Cannot evict pod as it would violate the pod's disruption budget."
_SEVERAL = (
    "This pod has more than one PodDisruptionBudget, which the eviction subresource does not "
    "support."
)


async def evict(
    registry: Registry, namespace: str, name: str, options: DeleteOptions, context: RequestContext
) -> None:
    """Delete the Pod. Raises ApiError: 404, 409 and 429 where the budget forbids it."""
    pod: Pod | None = await registry.read(PODS, namespace, name)
    if pod is None:
        raise errors.not_found(PODS, name)
    budgets = []
    if not disruption.can_ignore_budgets(pod):
        known = registry.known(PODDISRUPTIONBUDGETS, namespace)
        budgets = [budget for budget in known if disruption.covers(budget, pod)]
    if len(budgets) > 1:
        raise errors.failure(500, "InternalError", _SEVERAL)
    if budgets and not _unhealthy_may_go(budgets[0], pod):
        await _charge(registry, budgets[0], name, context)
    if budgets and options.preconditions is None:
        # What was decided holds for the Pod that was looked at.
        options.preconditions = Preconditions(uid=pod.metadata.uid)
    if not context.dry_run:
        await _mark(registry, pod, options.preconditions)
    await registry.delete(PODS, namespace, name, options, context)


async def _mark(registry: Registry, pod: Pod, asked: Preconditions | None) -> None:
    """Say in the Pod's status why it goes. A version that was asked for becomes that of this."""
    if asked is not None and asked.uid and asked.uid != pod.metadata.uid:
        return  # as below
    pinned = asked is not None and bool(asked.resource_version)
    if pinned and asked is not None and asked.resource_version != pod.metadata.resource_version:
        return  # the deletion will be refused
    for _ in range(_ATTEMPTS):
        metadata = msgspec.structs.replace(pod.metadata)
        status = msgspec.structs.replace(pod.status, conditions=_conditions(pod, registry.now()))
        changed = msgspec.structs.replace(pod, metadata=metadata, status=status)
        try:
            stored = await registry.write_status(PODS, changed)
        except ApiError as error:
            if error.code != 409 or pinned:
                raise
        else:
            if pinned and asked is not None:
                asked.resource_version = stored.metadata.resource_version
            return
        fresh = await registry.read(PODS, pod.metadata.namespace, pod.metadata.name)
        if fresh is None or fresh.metadata.uid != pod.metadata.uid:
            return  # the deletion will tell
        pod = fresh


def _conditions(pod: Pod, now: datetime) -> list[PodCondition]:
    """Return those of *pod*, and that it goes: since now, unless it was to go anyway."""
    others = [c for c in pod.status.conditions if c.type != DISRUPTION_TARGET]
    before = [c for c in pod.status.conditions if c.type == DISRUPTION_TARGET]
    since = before[0].last_transition_time if before and before[0].status == "True" else None
    told = PodCondition(
        type=DISRUPTION_TARGET,
        status="True",
        reason="EvictionByEvictionAPI",
        message="Eviction API: evicting",
        observed_generation=pod.metadata.generation,
        last_transition_time=since or now.replace(microsecond=0),
    )
    return [*others, told]


def _unhealthy_may_go(budget: PodDisruptionBudget, pod: Pod) -> bool:
    if is_ready(pod):
        return False
    if budget.spec.unhealthy_pod_eviction_policy == "AlwaysAllow":
        return True
    status = budget.status
    return status.current_healthy >= status.desired_healthy > 0


async def _charge(registry: Registry, budget: Any, name: str, context: RequestContext) -> None:
    """Note in the budget that one more Pod is going."""
    for _ in range(_ATTEMPTS):
        _check(budget)
        if context.dry_run:
            return
        now = registry.now().replace(microsecond=0)
        status = msgspec.structs.replace(
            budget.status,
            disruptions_allowed=budget.status.disruptions_allowed - 1,
            disrupted_pods={**budget.status.disrupted_pods, name: now},
        )
        changed = msgspec.structs.replace(
            budget,
            metadata=msgspec.structs.replace(budget.metadata),
            status=disruption.with_condition(status, now),
        )
        try:
            await registry.write_status(PODDISRUPTIONBUDGETS, changed)
        except ApiError as error:
            if error.code != 409:
                raise
        else:
            return
        metadata = budget.metadata
        fresh = await registry.read(PODDISRUPTIONBUDGETS, metadata.namespace, metadata.name)
        if fresh is None:
            return
        budget = fresh
    raise _too_many(f"The disruption budget {budget.metadata.name} is being changed", 10)


def _check(budget: PodDisruptionBudget) -> None:
    name, status = budget.metadata.name, budget.status
    if status.observed_generation < budget.metadata.generation:
        text = f"The disruption budget {name} is still being processed by the server."
        raise _too_many(text, 10)
    if status.disruptions_allowed < 0:
        why = "pdb disruptions allowed is negative"
        raise errors.forbidden(PODDISRUPTIONBUDGETS, name, why)
    if len(status.disrupted_pods) > _MAX_DISRUPTED:
        why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller"
        raise errors.forbidden(PODDISRUPTIONBUDGETS, name, why)
    if status.disruptions_allowed == 0:
        text = (
            f"The disruption budget {name} needs {status.desired_healthy} healthy pods and has "
            f"{status.current_healthy} currently"
        )
        raise _too_many(text, 0)


def _too_many(cause: str, retry_after: int) -> ApiError:
    details = StatusDetails(
        causes=[StatusCause(reason="DisruptionBudget", message=cause)],
        retry_after_seconds=retry_after,
    )
    return errors.failure(429, "TooManyRequests", _REFUSED, details)
