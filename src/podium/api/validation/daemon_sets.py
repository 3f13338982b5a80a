"""Checks of DaemonSets. Follows ``pkg/apis/apps/validation`` of Kubernetes."""

from __future__ import annotations

from contextlib import suppress

from podium.api import selectors
from podium.api.field import FieldError, Path, invalid, not_supported, required
from podium.api.go_syntax import int_or_string
from podium.api.types.apps_v1 import DaemonSet, DaemonSetUpdateStrategy, RollingUpdateDaemonSet
from podium.api.validation.common import Errors, non_negative
from podium.api.validation.scheduling import validate_label_selector
from podium.api.validation.shares import is_nothing, not_more_than_all, share
from podium.api.validation.templates import validate_template
from podium.api.validation.workloads import (
    SPEC,
    TEMPLATE,
    limit,
    matches,
    not_empty,
    runs_for_ever,
    same_selector,
)

_UPDATES = ("RollingUpdate", "OnDelete")


def validate_daemon_set(obj: DaemonSet) -> list[FieldError]:
    spec = obj.spec
    errors = list(validate_label_selector(SPEC.child("selector"), spec.selector))
    with suppress(ValueError):  # of an operator that is none, as was said already
        errors.extend(matches(spec.template, selectors.from_struct(spec.selector)))
    errors.extend(not_empty(spec.selector, "daemonset"))
    errors.extend(validate_template(TEMPLATE, spec.template))
    errors.extend(runs_for_ever(spec.template, "DaemonSet"))
    errors.extend(non_negative(SPEC.child("minReadySeconds"), spec.min_ready_seconds))
    errors.extend(_update_strategy(SPEC.child("updateStrategy"), spec.update_strategy))
    errors.extend(limit("revisionHistoryLimit", spec.revision_history_limit))
    return errors


def validate_daemon_set_update(new: DaemonSet, old: DaemonSet) -> list[FieldError]:
    return [*validate_daemon_set(new), *same_selector(new.spec.selector, old.spec.selector)]


def _update_strategy(path: Path, strategy: DaemonSetUpdateStrategy) -> Errors:
    if strategy.type not in _UPDATES:
        yield not_supported(path, strategy, _UPDATES)
    elif strategy.type == "RollingUpdate":
        at = path.child("rollingUpdate")
        if strategy.rolling_update is None:
            yield required(at)
        else:
            yield from _rolling(at, strategy.rolling_update)


def _rolling(path: Path, rolling: RollingUpdateDaemonSet) -> Errors:
    unavailable, surge = path.child("maxUnavailable"), path.child("maxSurge")
    yield from share(unavailable, rolling.max_unavailable)
    yield from share(surge, rolling.max_surge)
    yield from not_more_than_all(unavailable, rolling.max_unavailable)
    yield from not_more_than_all(surge, rolling.max_surge)
    none_gone, none_more = is_nothing(rolling.max_unavailable), is_nothing(rolling.max_surge)
    if none_gone and none_more:
        yield required(unavailable, "cannot be 0 when maxSurge is 0")
    elif not none_gone and not none_more:
        text = "may not be set when maxUnavailable is non-zero"
        yield invalid(surge, int_or_string(rolling.max_surge), text)
