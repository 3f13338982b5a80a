"""Defaults of LimitRanges."""

from __future__ import annotations

from podium.api.types.core_v1 import LimitRange


def set_defaults_limit_range(obj: LimitRange) -> None:
    """For containers: the maximum is the default limit, that the default request, else the
    minimum is."""
    obj.spec.limits = obj.spec.limits or None
    for item in obj.spec.limits or ():
        if item.type != "Container":
            continue
        item.default = {**item.max, **item.default}
        item.default_request = {**item.min, **item.default, **item.default_request}
