"""Durations in Go's notation, which messages and events of Kubernetes use."""

from __future__ import annotations


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
