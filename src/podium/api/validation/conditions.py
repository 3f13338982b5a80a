"""Checks of the conditions that all kinds share (``metav1.Condition``)."""

from __future__ import annotations

from podium.api import names
from podium.api.field import Path, duplicate, invalid, not_supported, required, too_long
from podium.api.types.meta_v1 import Condition
from podium.api.validation.common import Errors, invalid_each, qualified_name

_STATUSES = ("False", "True", "Unknown")
_MAX_REASON, _MAX_MESSAGE = 1024, 32 * 1024


def validate_conditions(path: Path, conditions: list[Condition]) -> Errors:
    seen: set[str] = set()
    for i, condition in enumerate(conditions):
        at = path.index(i)
        if condition.type in seen:
            yield duplicate(at.child("type"), condition.type)
        seen.add(condition.type)
        yield from _condition(at, condition)


def _condition(path: Path, condition: Condition) -> Errors:
    yield from qualified_name(path.child("type"), condition.type)
    if condition.status not in _STATUSES:
        yield not_supported(path.child("status"), condition.status, _STATUSES)
    if condition.observed_generation < 0:
        text = "must be greater than or equal to zero"
        yield invalid(path.child("observedGeneration"), condition.observed_generation, text)
    if condition.last_transition_time is None:
        yield required(path.child("lastTransitionTime"), "must be set")
    at, reason = path.child("reason"), condition.reason
    if not reason:
        yield required(at, "must be set")
    else:
        yield from invalid_each(at, reason, names.condition_reason(reason))
        if len(reason) > _MAX_REASON:
            yield too_long(at, _MAX_REASON)
    if len(condition.message) > _MAX_MESSAGE:
        yield too_long(path.child("message"), _MAX_MESSAGE)
