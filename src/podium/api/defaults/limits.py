"""Defaults of LimitRanges."""

from __future__ import annotations

from podium.api.defaults.resources import rounded
from podium.api.types.core_v1 import LimitRange


def set_defaults_limit_range(obj: LimitRange) -> None:
    """For containers: the maximum is the default limit, that the default request, else the
    minimum is."""
    obj.spec.limits = obj.spec.limits or None
    for item in obj.spec.limits or ():
        item.max, item.min = rounded(item.max), rounded(item.min)
        item.default = rounded(item.default)
        item.default_request = rounded(item.default_request)
        item.max_limit_request_ratio = rounded(item.max_limit_request_ratio)
        if item.type != "Container":
            continue
        item.default = {**item.max, **item.default}
        item.default_request = {**item.min, **item.default, **item.default_request}
