"""Checks of what a Job makes of Pods that fail, and of when it has succeeded.

Follows ``pkg/apis/batch/validation`` of Kubernetes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from podium.api.field import (
    OMITTED,
    Path,
    Verbatim,
    duplicate,
    invalid,
    not_supported,
    required,
    too_long,
    too_many,
)
from podium.api.go_text import quote
from podium.api.types.batch_v1 import (
    JobSpec,
    PodFailurePolicyOnExitCodesRequirement,
    PodFailurePolicyOnPodConditionsPattern,
    PodFailurePolicyRule,
    SuccessPolicy,
    SuccessPolicyRule,
)
from podium.api.validation.common import Errors, non_negative, qualified_name

_ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
_OPERATORS = ("In", "NotIn")
_STATUSES = ("False", "True", "Unknown")
_REPLACEMENTS = ("Failed", "TerminatingOrFailed")
_MAX_RULES = _MAX_PATTERNS = 20
_MAX_CODES = 255
_MAX_INDEXES = 64 * 1024


def validate_failure_policy(path: Path, spec: JobSpec) -> Errors:
    rules = spec.pod_failure_policy.rules if spec.pod_failure_policy is not None else []
    at, pod = path.child("rules"), spec.template.spec
    if len(rules) > _MAX_RULES:
        yield too_many(at, len(rules), _MAX_RULES)
    containers = {container.name for container in (*pod.containers, *pod.init_containers)}
    for i, rule in enumerate(rules):
        place = at.index(i)
        if rule.action == "FailIndex":
            if spec.backoff_limit_per_index is None:
                text = "requires the backoffLimitPerIndex to be set"
                yield invalid(place.child("action"), rule.action, text)
        else:
            yield from _one_of(place.child("action"), rule.action, _ACTIONS)
        yield from _failure_rule(place, rule, containers)


def validate_replacement_policy(path: Path, spec: JobSpec) -> Errors:
    supported = _REPLACEMENTS if spec.pod_failure_policy is None else ("Failed",)
    if spec.pod_replacement_policy not in (None, *supported):
        yield not_supported(path, spec.pod_replacement_policy, supported)


def _failure_rule(path: Path, rule: PodFailurePolicyRule, containers: set[str]) -> Errors:
    if rule.on_exit_codes is not None:
        yield from _exit_codes(path.child("onExitCodes"), rule.on_exit_codes, containers)
    if rule.on_pod_conditions:
        yield from _pod_conditions(path.child("onPodConditions"), rule.on_pod_conditions)
        if rule.on_exit_codes is not None:
            text = "specifying both OnExitCodes and OnPodConditions is not supported"
            yield invalid(path, OMITTED, text)
    elif rule.on_exit_codes is None:
        text = "specifying one of OnExitCodes and OnPodConditions is required"
        yield invalid(path, OMITTED, text)


def _exit_codes(
    path: Path, codes: PodFailurePolicyOnExitCodesRequirement, containers: set[str]
) -> Errors:
    yield from _one_of(path.child("operator"), codes.operator, _OPERATORS)
    if codes.container_name is not None and codes.container_name not in containers:
        text = "must be one of the container or initContainer names in the pod template"
        yield invalid(path.child("containerName"), codes.container_name, text)
    at, values = path.child("values"), codes.values
    shown = Verbatim(f"[]int32{{{', '.join(map(str, values))}}}")
    if not values:
        yield invalid(at, shown, "at least one value is required")
    elif len(values) > _MAX_CODES:
        yield too_many(at, len(values), _MAX_CODES)
    seen: set[int] = set()
    for i, value in enumerate(values):
        if codes.operator == "In" and value == 0:
            yield invalid(at.index(i), value, "must not be 0 for the In operator")
        if value in seen:
            yield duplicate(at.index(i), value)
        seen.add(value)
    if values != sorted(values):
        yield invalid(at, shown, "must be ordered")


def _pod_conditions(path: Path, patterns: list[PodFailurePolicyOnPodConditionsPattern]) -> Errors:
    if len(patterns) > _MAX_PATTERNS:
        yield too_many(path, len(patterns), _MAX_PATTERNS)
    for i, pattern in enumerate(patterns):
        yield from qualified_name(path.index(i).child("type"), pattern.type)
        yield from _one_of(path.index(i).child("status"), pattern.status, _STATUSES)


def _one_of(path: Path, value: str, supported: Sequence[str]) -> Errors:
    if not value:
        yield required(path, f"valid values: [{' '.join(map(quote, supported))}]")
    elif value not in supported:
        yield not_supported(path, value, supported)


def validate_success_policy(path: Path, policy: SuccessPolicy, completions: int | None) -> Errors:
    at = path.child("rules")
    if not policy.rules:
        text = "at least one rules must be specified when the successPolicy is specified"
        yield required(at, text)
    if len(policy.rules) > _MAX_RULES:
        yield too_many(at, len(policy.rules), _MAX_RULES)
    for i, rule in enumerate(policy.rules):
        yield from _success_rule(at.index(i), rule, completions or 0)


def _success_rule(path: Path, rule: SuccessPolicyRule, completions: int) -> Errors:
    count, indexes = rule.succeeded_count, rule.succeeded_indexes
    if count is None and indexes is None:
        yield required(path, "at least one of succeededCount or succeededIndexes must be specified")
    named = 0
    if indexes is not None:
        at = path.child("succeededIndexes")
        if len(indexes) > _MAX_INDEXES:
            yield too_long(at, _MAX_INDEXES)
        try:
            named = sum(last - first + 1 for first, last in intervals(indexes, completions))
        except ValueError as error:
            yield invalid(at, indexes, f"error parsing succeededIndexes: {error}")
    if count is None:
        return
    at = path.child("succeededCount")
    yield from non_negative(at, count)
    if count > completions:
        yield invalid(at, count, _at_most(completions, "specified completions"))
    if indexes is not None and count > named:
        what = "indexes in the specified succeededIndexes field"
        yield invalid(at, count, _at_most(named, what))


def _at_most(most: int, what: str) -> str:
    return f"must be less than or equal to {most} (the number of {what})"


def intervals(text: str, completions: int) -> list[tuple[int, int]]:
    """Return the first and last of each interval of indexes: ``1,3-4,7``.

    Raises ValueError, in upstream's words, for what is none, is out of range or out of order.
    """
    found: list[tuple[int, int]] = []
    for part in _parts(text):
        first, last = interval(part, completions)
        if found and found[-1][1] >= first:
            raise _out_of_order(found[-1][1], first)
        found.append((first, last))
    return found


def _parts(text: str) -> Iterator[str]:
    if text:
        yield from text.split(",")


def interval(text: str, completions: int) -> tuple[int, int]:
    ends = text.split("-")
    if len(ends) > 2:
        raise ValueError(
            f"the fragment {quote(text)} violates the requirement that an index interval can have "
            "at most two parts separated by '-'"
        )
    numbers = []
    for end in ends:
        if not re.fullmatch("[+-]?[0-9]{1,18}", end, re.ASCII):
            raise ValueError(f"cannot convert string to integer for index: {quote(end)}")
        if int(end) >= completions:
            raise ValueError(f"too large index: {quote(end)}")
        numbers.append(int(end))
    if len(numbers) == 2 and numbers[0] >= numbers[1]:
        raise _out_of_order(*numbers)
    return numbers[0], numbers[-1]


def _out_of_order(previous: int, current: int) -> ValueError:
    return ValueError(f"non-increasing order, previous: {previous}, current: {current}")
