"""Policy rules and what they allow: the shape of RBAC, without its objects. Pure.

Follows ``rbac.authorization.k8s.io/v1`` PolicyRule and ``k8s.io/kubernetes/pkg/registry/rbac``:
rules only add up, nothing is ever denied by one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from podium.apiserver.paths import RequestInfo

ALL = "*"


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """Allows ``verbs`` on ``resources`` of ``api_groups``, or on paths that are no resources.

    A subresource is written ``pods/status``; ``*/status`` is that of every resource. Empty
    ``resource_names`` stand for all names. A path may end in ``*``.
    """

    verbs: tuple[str, ...]
    api_groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    resource_names: tuple[str, ...] = ()
    non_resource_urls: tuple[str, ...] = ()

    def allows(self, info: RequestInfo) -> bool:
        if not (ALL in self.verbs or info.verb in self.verbs):
            return False
        if info.is_resource:
            return (
                (ALL in self.api_groups or info.group in self.api_groups)
                and self._covers_resource(info)
                and (not self.resource_names or info.name in self.resource_names)
            )
        return any(_covers_path(pattern, info.path) for pattern in self.non_resource_urls)

    def _covers_resource(self, info: RequestInfo) -> bool:
        if ALL in self.resources:
            return True
        if not info.subresource:
            return info.resource in self.resources
        return (
            f"{info.resource}/{info.subresource}" in self.resources
            or f"*/{info.subresource}" in self.resources
        )


def _covers_path(pattern: str, path: str) -> bool:
    if pattern.endswith(ALL):
        return path.startswith(pattern[:-1])
    return path == pattern


def any_allows(rules: Iterable[PolicyRule], info: RequestInfo) -> bool:
    return any(rule.allows(info) for rule in rules)
