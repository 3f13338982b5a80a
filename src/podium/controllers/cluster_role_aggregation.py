"""ClusterRoles with an ``aggregationRule`` have the rules of the roles that it selects.

Follows ``pkg/controller/clusterroleaggregation``.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from podium.api import scheme
from podium.api.errors import ApiError
from podium.api.selectors import from_struct
from podium.api.types.rbac_v1 import ClusterRole, PolicyRule
from podium.client.client import Client
from podium.client.informer import Informer
from podium.client.workqueue import WorkQueue
from podium.controllers.loop import work
from podium.kit.clock import Clock


class ClusterRoleAggregationController:
    """Keys are names of ClusterRoles."""

    def __init__(self, client: Client, roles: Informer[ClusterRole], clock: Clock) -> None:
        self._client, self._roles = client, roles
        self._queue: WorkQueue[str] = WorkQueue(clock)
        roles.on_change(self._role_changed)

    async def run(self) -> None:
        await work("clusterrole-aggregation", self._queue, self._reconcile)

    def _role_changed(self, _: ClusterRole | None, new: ClusterRole | None) -> None:
        """Any role may be, or have been, part of any other: there are few that aggregate."""
        for role in self._roles.list():
            if role.aggregation_rule is not None:
                self._queue.add(role.metadata.name)
        if new is not None and new.aggregation_rule is not None:
            self._queue.add(new.metadata.name)

    async def _reconcile(self, name: str) -> None:
        role = self._roles.get("", name)
        if role is None or role.aggregation_rule is None:
            return
        rules = aggregated(role, self._roles.list())
        if rules == (role.rules or []):
            return
        try:
            await self._client.update(
                scheme.CLUSTERROLES, msgspec.structs.replace(role, rules=rules)
            )
        except ApiError as error:
            if error.code != 404:
                raise


def aggregated(role: ClusterRole, roles: Iterable[ClusterRole]) -> list[PolicyRule]:
    """Return the rules that *role* ought to have: those of all it selects, each once.

    By selector, then by name of the role, so that the answer is the same whoever finds it.
    """
    rules: list[PolicyRule] = []
    others = sorted(roles, key=lambda other: other.metadata.name)
    for struct in role.aggregation_rule.cluster_role_selectors if role.aggregation_rule else ():
        selector = from_struct(struct)
        for other in others:
            if other.metadata.name != role.metadata.name and selector.matches(
                other.metadata.labels
            ):
                rules += [rule for rule in other.rules or () if rule not in rules]
    return rules
