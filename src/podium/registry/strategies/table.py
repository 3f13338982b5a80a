"""Columns of server-side Tables, and the texts of their cells.

Follows ``k8s.io/kubernetes/pkg/printers`` and ``k8s.io/apimachinery/pkg/util/duration``.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files

import msgspec

Cell = str | int | bool | None
#: In the place of what an object does not say.
UNSET = "<unset>"


class Column(msgspec.Struct, frozen=True):
    """A ``meta.k8s.io/v1`` TableColumnDefinition but for its description, which :func:`describe`
    knows. Columns of priority 1 are for wide output."""

    name: str
    type: str = "string"
    format: str = ""
    priority: int = 0


class RowCondition(msgspec.Struct, frozen=True):
    """A ``meta.k8s.io/v1`` TableRowCondition."""

    type: str
    status: str
    reason: str
    message: str


NAME = Column("Name", format="name")
AGE = Column("Age")
NAME_COLUMNS = (NAME, AGE)


@cache
def _descriptions() -> dict[str, dict[str, str]]:
    text = files(__package__).joinpath("columns.json").read_bytes()
    return msgspec.json.decode(text, type=dict[str, dict[str, str]])


def describe(kind: str, column: Column) -> str:
    """Return what upstream's Table says of a column of *kind*."""
    known = _descriptions()
    return known.get(kind, {}).get(column.name) or known[""].get(column.name, "")


UNKNOWN = "<unknown>"
NONE = "<none>"


def age(moment: datetime | None, now: datetime) -> str:
    """Return how long ago *moment* was; ``<unknown>`` without one."""
    return UNKNOWN if moment is None else human_duration(now - moment)


def human_duration(duration: timedelta) -> str:
    """Return *duration* in two or three significant units: ``45s``, ``2m3s``, ``3d4h``, ``2y``.

    A little of the future (up to two seconds: clocks differ) is ``0s``, more is ``<invalid>``.
    """
    seconds = int(duration.total_seconds())
    if seconds < 0:
        return "0s" if seconds >= -1 else "<invalid>"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return _two(minutes, "m", seconds % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if hours < 24 * 8:
        return _two(days, "d", hours % 24, "h")
    if days < 365 * 2:
        return f"{days}d"
    if days < 365 * 8:
        return _two(days // 365, "y", days % 365, "d")
    return f"{days // 365}y"


def _two(major: int, major_unit: str, minor: int, minor_unit: str) -> str:
    return f"{major}{major_unit}{minor}{minor_unit}" if minor else f"{major}{major_unit}"
