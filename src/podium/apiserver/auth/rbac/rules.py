"""Policy rules: what one allows, and whether some cover others. Pure.

Follows ``k8s.io/kubernetes/pkg/apis/rbac/v1/evaluation_helpers.go`` and
``k8s.io/component-helpers/auth/rbac/validation``: rules only add up, none ever denies.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from podium.api.go_text import quote
from podium.api.types.rbac_v1 import PolicyRule
from podium.apiserver.paths import RequestInfo

ALL = "*"


def allows(rule: PolicyRule, info: RequestInfo) -> bool:
    """Whether *rule* is enough for what *info* tells of."""
    names = rule.resource_names
    return applies(rule, info) and (not names or not info.is_resource or info.name in names)


def applies(rule: PolicyRule, info: RequestInfo) -> bool:
    """Whether *rule* is about what *info* tells of, whatever resource names it has.

    A subresource is written ``pods/status``; ``*/status`` is that of every resource. A path
    may end in ``*``.
    """
    verbs = rule.verbs
    if info.verb not in verbs and ALL not in verbs:
        return False
    if not info.is_resource:
        return any(_covers_path(pattern, info.path) for pattern in rule.non_resource_urls)
    groups = rule.api_groups
    return (info.group in groups or ALL in groups) and _has_resource(rule.resources, info)


def any_allows(rules: Iterable[PolicyRule], info: RequestInfo) -> bool:
    return any(allows(rule, info) for rule in rules)


def _has_resource(resources: Collection[str], info: RequestInfo) -> bool:
    if ALL in resources:
        return True
    if not info.subresource:
        return info.resource in resources
    combined = f"{info.resource}/{info.subresource}"
    return combined in resources or f"*/{info.subresource}" in resources


def _covers_path(pattern: str, path: str) -> bool:
    if pattern.endswith(ALL):
        return path.startswith(pattern.rstrip(ALL))
    return path == pattern


def missing(owned: Sequence[PolicyRule], wanted: Iterable[PolicyRule]) -> list[PolicyRule]:
    """Return the parts of *wanted* that no rule of *owned* covers, each with one verb, one group
    and resource, and at most one name; or one path."""
    return [
        part
        for rule in wanted
        if rule not in owned  # so it is, mostly
        for part in _parts(rule)
        if not any(_covers(owner, part) for owner in owned)
    ]


def _parts(rule: PolicyRule) -> Iterator[PolicyRule]:
    for group in rule.api_groups:
        for resource in rule.resources:
            for verb in rule.verbs:
                for names in [[name] for name in rule.resource_names] or [[]]:
                    yield PolicyRule(
                        api_groups=[group],
                        resources=[resource],
                        verbs=[verb],
                        resource_names=names,
                    )
    for url in rule.non_resource_urls:
        for verb in rule.verbs:
            yield PolicyRule(non_resource_urls=[url], verbs=[verb])


def _covers(owner: PolicyRule, part: PolicyRule) -> bool:
    if not (ALL in owner.verbs or part.verbs[0] in owner.verbs):
        return False
    if part.non_resource_urls:
        url = part.non_resource_urls[0]
        return any(own == url or _covers_path(own, url) for own in owner.non_resource_urls)
    if not (ALL in owner.api_groups or part.api_groups[0] in owner.api_groups):
        return False
    if owner.resource_names and not (
        part.resource_names and part.resource_names[0] in owner.resource_names
    ):
        return False
    resource = part.resources[0]
    if ALL in owner.resources or resource in owner.resources:
        return True
    _, slash, subresource = resource.partition("/")
    return bool(slash) and f"*/{subresource}" in owner.resources


def describe(rules: Iterable[PolicyRule]) -> str:
    """Return parts as :func:`missing` gives them, those of one resource together, a line each."""
    verbs: dict[tuple[str, str], list[str]] = {}
    lines = set()
    for rule in rules:
        if rule.non_resource_urls or rule.resource_names:
            lines.add(_line(rule))
        else:
            verbs.setdefault((rule.api_groups[0], rule.resources[0]), []).extend(rule.verbs)
    for (group, resource), found in verbs.items():
        lines.add(_line(PolicyRule(api_groups=[group], resources=[resource], verbs=found)))
    return "\n".join(sorted(lines))


def _line(rule: PolicyRule) -> str:
    parts = (
        ("APIGroups", rule.api_groups),
        ("Resources", rule.resources),
        ("NonResourceURLs", rule.non_resource_urls),
        ("ResourceNames", rule.resource_names),
        ("Verbs", rule.verbs),
    )
    return "{" + ", ".join(f"{name}:{quoted(values)}" for name, values in parts if values) + "}"


def quoted(values: Iterable[str]) -> str:
    """``%q`` of a list: ``["a" "b"]``."""
    return f"[{' '.join(quote(value) for value in values)}]"
