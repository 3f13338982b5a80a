"""Checks of LimitRanges. Follows ``ValidateLimitRange`` of Kubernetes."""

from __future__ import annotations

from collections.abc import Mapping

from podium.api import names
from podium.api.field import FieldError, Path, duplicate, forbidden, invalid, required
from podium.api.go_syntax import go_quantity
from podium.api.quantity import parse
from podium.api.types.core_v1 import LimitRange, LimitRangeItem
from podium.api.validation.common import Errors, invalid_each
from podium.api.validation.resources import (
    may_overcommit,
    validate_container_resource_name,
    validate_resource_name,
)

LIMITS = Path("spec").child("limits")
_TYPES = ("Container", "PersistentVolumeClaim", "Pod")
_NO_STORAGE = "either minimum or maximum storage value is required, but neither was provided"


def validate_limit_range(obj: LimitRange) -> list[FieldError]:
    errors: list[FieldError] = []
    seen: set[str] = set()
    for i, item in enumerate(obj.spec.limits or ()):
        at = LIMITS.index(i)
        errors.extend(_type(at.child("type"), item.type))
        if item.type in seen:
            errors.append(duplicate(at.child("type"), item.type))
        seen.add(item.type)
        errors.extend(_names(at, item))
        keys: dict[str, None] = dict.fromkeys((
            *item.max,
            *item.min,
            *item.default,
            *item.default_request,
            *item.max_limit_request_ratio,
        ))  # fmt: skip
        for name in sorted(keys):
            errors.extend(_resource(at, item, name))
    return errors


def _type(path: Path, name: str) -> Errors:
    problems = names.qualified_name(name)
    yield from invalid_each(path, name, problems)
    if not problems and "/" not in name and name not in _TYPES:
        yield invalid(path, name, "must be a standard limit type or fully qualified")


def _names(path: Path, item: LimitRangeItem) -> Errors:
    """Check what is limited; upstream takes any amounts, negative ones, too."""
    check = (
        validate_container_resource_name
        if item.type in ("Container", "Pod")
        else validate_resource_name
    )

    def checked(name: str, values: Mapping[str, str]) -> Errors:
        for key in sorted(values):
            yield from check(path.child(name).key(key), key)

    yield from checked("max", item.max)
    yield from checked("min", item.min)
    for name, values in (("default", item.default), ("defaultRequest", item.default_request)):
        if item.type != "Pod":
            yield from checked(name, values)
        elif values:
            yield forbidden(path.child(name), "may not be specified when `type` is 'Pod'")
    if item.type == "PersistentVolumeClaim" and "storage" not in {*item.min, *item.max}:
        yield required(path.child("limits"), _NO_STORAGE)
    yield from checked("maxLimitRequestRatio", item.max_limit_request_ratio)


def _resource(path: Path, item: LimitRangeItem, name: str) -> Errors:
    least, most = item.min.get(name), item.max.get(name)
    default, request = item.default.get(name), item.default_request.get(name)

    def at(field: str) -> Path:
        return path.child(field).key(name)

    if _above(least, most):
        yield _offence(at("min"), least, f"min value {least} is greater than max value {most}")
    if _above(least, request):
        text = f"min value {least} is greater than default request value {request}"
        yield _offence(at("defaultRequest"), request, text)
    if _above(request, most):
        text = f"default request value {request} is greater than max value {most}"
        yield _offence(at("defaultRequest"), request, text)
    if _above(request, default):
        text = f"default request value {request} is greater than default limit value {default}"
        yield _offence(at("defaultRequest"), request, text)
    if _above(least, default):
        text = f"min value {least} is greater than default value {default}"
        yield _offence(at("default"), least, text)
    if _above(default, most):
        text = f"default value {default} is greater than max value {most}"
        yield _offence(at("default"), most, text)
    yield from _ratio(at("maxLimitRequestRatio"), item, name)
    if may_overcommit(name) or default is None or request is None:
        return
    if parse(default).value != parse(request).value:
        text = f"default value {default} must equal to defaultRequest value {request} in {name}"
        yield _offence(at("defaultRequest"), default, text)


def _ratio(path: Path, item: LimitRangeItem, name: str) -> Errors:
    ratio = item.max_limit_request_ratio.get(name)
    if ratio is None:
        return
    if parse(ratio).value < 1:
        yield _offence(path, ratio, f"ratio {ratio} is less than 1")
    least, most = item.min.get(name), item.max.get(name)
    if least and most and parse(least).value > 0:
        bound = parse(most).value / parse(least).value
        if parse(ratio).value > bound:
            text = f"ratio {ratio} is greater than max/min = {float(bound):f}"
            yield _offence(path, ratio, text)


def _above(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and parse(one).value > parse(other).value


def _offence(path: Path, quantity: str | None, text: str) -> FieldError:
    return invalid(path, go_quantity(quantity or "0"), text)
