"""``describe``: what several describers share. Pure: lines with tabs, aligned at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from podium.kubectl.printing import ages
from podium.kubectl.printing.tabwriter import align

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_LONGEST = 140


class Lines:
    """A text that is being written: each line at a level, two blanks deep each."""

    def __init__(self) -> None:
        self._text: list[str] = []

    def add(self, level: int, text: str = "") -> None:
        self._text.append("  " * level + text)

    def aligned(self) -> str:
        return align("\n".join(self._text)) + "\n"


def labels(lines: Lines, title: str, found: Mapping[str, str] | None) -> None:
    """Write a map, one ``key=value`` a line."""
    listed = [f"{key}={value}" for key, value in sorted((found or {}).items())]
    many(lines, 0, title, listed)


def notes(lines: Lines, found: Mapping[str, str] | None) -> None:
    shown = {key: value for key, value in (found or {}).items() if key != _LAST_APPLIED}
    if not shown:
        lines.add(0, "Annotations:\t<none>")
        return
    title = "Annotations:\t"
    for key, value in sorted(shown.items()):
        text = value.removesuffix("\n")
        if len(text) < _LONGEST - len(key) - 2 and "\n" not in text:
            lines.add(0, f"{title}{key}: {text}")
        else:
            lines.add(0, f"{title}{key}:")
            for line in text.split("\n"):
                cut = line if len(line) <= _LONGEST - 2 else line[: _LONGEST - 2] + "..."
                lines.add(0, f"\t  {cut}")
        title = "\t"


def many(lines: Lines, level: int, title: str, entries: Sequence[str]) -> None:
    """Write entries under each other, the first beside *title*."""
    for place, entry in enumerate(entries or ["<none>"]):
        lines.add(level, f"{title if place == 0 else ''}\t{entry}")


def events(lines: Lines, found: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """Write the table of events, the oldest first."""
    if not found:
        lines.add(0, "Events:\t<none>")
        return
    lines.add(0, "Events:\n  Type\tReason\tAge\tFrom\tMessage")
    lines.add(1, "----\t------\t----\t----\t-------")
    for event in sorted(found, key=_last_time):
        cells = (event.get("type"), event.get("reason"), _interval(event, now), _source(event))
        message = str(event.get("message", "")).strip()
        part = (event.get("involvedObject") or {}).get("fieldPath")
        message = f"{part}: {message}" if part else message
        lines.add(1, "\t".join([*(cell or "" for cell in cells), message]))


def _last_time(event: Mapping[str, Any]) -> str:
    series = event.get("series") or {}
    return str(
        event.get("lastTimestamp") or series.get("lastObservedTime") or event.get("eventTime") or ""
    )


def _interval(event: Mapping[str, Any], now: datetime) -> str:
    first = event.get("firstTimestamp") or event.get("eventTime")
    count = event.get("count") or 0
    series = event.get("series")
    if series:
        return (
            f"{ages.since(series.get('lastObservedTime'), now)} (x{series.get('count')} over "
            f"{ages.since(first, now)})"
        )
    if count > 1:
        return (
            f"{ages.since(event.get('lastTimestamp'), now)} (x{count} over "
            f"{ages.since(first, now)})"
        )
    return ages.since(first, now)


def _source(event: Mapping[str, Any]) -> str:
    source = event.get("source") or {}
    return str(source.get("component") or event.get("reportingComponent") or "")


def rfc1123(text: str | None) -> str:
    """Return a time as ``Mon, 02 Jan 2006 15:04:05 -0700``, in the machine's zone."""
    if not text:
        return ""
    return ages.parse(text).astimezone().strftime("%a, %d %b %Y %H:%M:%S %z")
