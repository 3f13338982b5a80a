"""Durations in Go's notation, which messages, events and settings of Kubernetes use."""

from __future__ import annotations

import re

_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds_of(text: str) -> float:
    """Read a duration: ``2m40s``, ``1.5s``, ``85ms``. Raises ValueError."""
    if not text or _PART.sub("", text):
        raise ValueError(f"{text!r} is not a duration such as 10s or 5m")
    return sum(float(amount) * _UNITS[unit] for amount, unit in _PART.findall(text))


def go_duration(seconds: float) -> str:
    """Write *seconds*, cut to milliseconds, as Go does: ``2m40s``, ``1.567s``, ``85ms``."""
    milliseconds = int(seconds * 1000 + 1e-6)
    if milliseconds == 0:
        return "0s"
    if milliseconds < 1000:
        return f"{milliseconds}ms"
    whole, fraction = divmod(milliseconds, 1000)
    text = f"{whole % 60}"
    if fraction:
        text += f".{fraction:03d}".rstrip("0")
    text += "s"
    minutes = whole // 60
    if minutes >= 60:
        return f"{minutes // 60}h{minutes % 60}m{text}"
    return f"{minutes}m{text}" if minutes else text
