"""How old things are, as kubectl says it. Pure."""

from __future__ import annotations

from datetime import datetime


def since(text: str | None, now: datetime) -> str:
    """Return the age of an RFC 3339 time; ``<unknown>`` where there is none."""
    if not text:
        return "<unknown>"
    return human((now - parse(text)).total_seconds())


def parse(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def human(span: float) -> str:
    """Return a span in two units at the most (``HumanDuration``)."""
    seconds = int(span)
    if span < -1:
        return "<invalid>"
    if seconds < 0:
        return "0s"
    if seconds < 120:
        return f"{seconds}s"
    minutes = seconds // 60
    if minutes < 10:
        return _two(minutes, "m", seconds % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    hours = minutes // 60
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    days = hours // 24
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    if days < 730:
        return f"{days}d"
    years = days // 365
    if years < 8:
        return _two(years, "y", days % 365, "d")
    return f"{years}y"


def _two(large: int, unit: str, small: int, small_unit: str) -> str:
    return f"{large}{unit}{small}{small_unit}" if small else f"{large}{unit}"
