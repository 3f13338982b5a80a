"""Checks of ResourceQuotas. Follows ``ValidateResourceQuota`` of Kubernetes."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from podium.api import names
from podium.api.field import FieldError, Path, Verbatim, invalid, required
from podium.api.go_text import quote, syntax
from podium.api.resources import is_huge_page
from podium.api.types.core_v1 import (
    ResourceQuota,
    ResourceQuotaSpec,
    ScopedResourceSelectorRequirement,
)
from podium.api.validation.common import Errors, invalid_each
from podium.api.validation.resources import validate_amount

SPEC, STATUS = Path("spec"), Path("status")

_COMPUTE = ("cpu", "memory", "ephemeral-storage", "storage")
_OBJECTS = frozenset({
    "pods", "services", "replicationcontrollers", "resourcequotas", "secrets", "configmaps",
    "persistentvolumeclaims", "services.nodeports", "services.loadbalancers",
})  # fmt: skip
#: What a quota may be about that is no count under ``count/`` and belongs to no domain.
_STANDARD = _OBJECTS | {
    *_COMPUTE[:3],
    *(f"requests.{name}" for name in _COMPUTE),
    *(f"limits.{name}" for name in _COMPUTE[:3]),
}
_OF_PODS = frozenset({
    "pods", "cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory",
})  # fmt: skip
#: By scope, which of the standard resources it may be combined with.
_SCOPES: Mapping[str, frozenset[str]] = {
    "BestEffort": frozenset({"pods"}),
    "CrossNamespacePodAffinity": _OF_PODS,
    "NotBestEffort": _OF_PODS,
    "NotTerminating": _OF_PODS,
    "PriorityClass": _OF_PODS,
    "Terminating": _OF_PODS,
    "VolumeAttributesClass": frozenset({"persistentvolumeclaims", "requests.storage"}),
}
_CONFLICTING = ({"BestEffort", "NotBestEffort"}, {"Terminating", "NotTerminating"})
_EXIST_ONLY = ("BestEffort", "NotBestEffort", "Terminating", "NotTerminating",
               "CrossNamespacePodAffinity")  # fmt: skip
_EXIST_TEXT = (
    "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, "
    "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, "
    "ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"
)


def validate_quota(obj: ResourceQuota) -> list[FieldError]:
    return [
        *_amounts(SPEC.child("hard"), obj.spec.hard),
        *_scopes(SPEC.child("scopes"), obj.spec),
        *_selector(SPEC.child("scopeSelector", "matchExpressions"), obj.spec),
    ]


def validate_quota_update(new: ResourceQuota, old: ResourceQuota) -> list[FieldError]:
    errors = validate_quota(new)
    if set(new.spec.scopes) != set(old.spec.scopes):
        errors.append(invalid(SPEC.child("scopes"), _shown(new.spec), "field is immutable"))
    return errors


def validate_quota_status(new: ResourceQuota) -> list[FieldError]:
    return [
        *_amounts(STATUS.child("hard"), new.status.hard),
        *_amounts(STATUS.child("used"), new.status.used),
    ]


def _amounts(path: Path, values: Mapping[str, str]) -> Errors:
    for name in sorted(values):
        at = path.key(name)
        yield from _name(at, name)
        counted = name in _OBJECTS or name.startswith("count/")
        yield from validate_amount(at, "pods" if counted else name, values[name])


def _name(path: Path, name: str) -> Errors:
    problems = names.qualified_name(name)
    yield from invalid_each(path, name, problems)
    if "/" in name or _is_standard(name):
        return
    if not problems and name not in ("storage", "limits.storage"):
        yield invalid(path, name, "must be a standard resource type or fully qualified")
    yield invalid(path, name, "must be a standard resource for quota")


def _is_standard(name: str) -> bool:
    return name in _STANDARD or is_huge_page(name.removeprefix("requests."))


def _scopes(path: Path, spec: ResourceQuotaSpec) -> Errors:
    for scope in spec.scopes:
        if scope not in _SCOPES:
            yield invalid(path, _shown(spec), "unsupported scope")
        for _ in _unfit(scope, spec.hard):
            yield invalid(path, _shown(spec), "unsupported scope applied to resource")
    for pair in _CONFLICTING:
        if pair <= set(spec.scopes):
            yield invalid(path, _shown(spec), "conflicting scopes")


def _selector(path: Path, spec: ResourceQuotaSpec) -> Errors:
    if spec.scope_selector is None:
        return
    expressions = spec.scope_selector.match_expressions
    for need in expressions:
        if need.scope_name not in _SCOPES:
            yield invalid(path.child("scopeName"), need.scope_name, "unsupported scope")
        for _ in _unfit(need.scope_name, spec.hard):
            shown = Verbatim(f"core.ScopeSelector{{MatchExpressions:{_expressions(expressions)}}}")
            yield invalid(path, shown, "unsupported scope applied to resource")
        yield from _requirement(path, need)
    for pair in _CONFLICTING:
        if pair <= {need.scope_name for need in expressions}:
            yield invalid(path, _shown(spec), "conflicting scopes")


def _requirement(path: Path, need: ScopedResourceSelectorRequirement) -> Errors:
    if need.scope_name in _EXIST_ONLY and need.operator != "Exists":
        yield invalid(path.child("operator"), need.operator, _EXIST_TEXT)
    match need.operator:
        case "In" | "NotIn":
            if not need.values:
                text = (
                    "must be at least one value when `operator` is 'In' or 'NotIn' "
                    "for scope selector"
                )
                yield required(path.child("values"), text)
        case "Exists" | "DoesNotExist":
            if need.values:
                text = (
                    "must be no value when `operator` is 'Exist' or 'DoesNotExist' "
                    "for scope selector"
                )
                yield invalid(path.child("values"), need.values, text)
        case _:
            yield invalid(path.child("operator"), need.operator, "not a valid selector operator")


def _unfit(scope: str, hard: Collection[str]) -> list[str]:
    """Return the standard resources in *hard* that objects in *scope* do not take."""
    fitting = _SCOPES.get(scope, _STANDARD)
    return [name for name in sorted(hard) if _is_standard(name) and name not in fitting]


def _shown(spec: ResourceQuotaSpec) -> Verbatim:
    return Verbatim(f"[]core.ResourceQuotaScope{{{', '.join(map(quote, spec.scopes))}}}")


def _expressions(needs: Collection[ScopedResourceSelectorRequirement]) -> str:
    kind = "core.ScopedResourceSelectorRequirement"
    parts = (
        f"{kind}{{ScopeName:{quote(need.scope_name)}, Operator:{quote(need.operator)}, "
        f"Values:{syntax(need.values) if need.values else '[]string(nil)'}}}"
        for need in needs
    )
    return f"[]{kind}{{{', '.join(parts)}}}"
