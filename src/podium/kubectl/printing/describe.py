"""``describe``: what several describers share. Pure: lines with tabs, aligned at the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from podium.kubectl.printing import ages
from podium.kubectl.printing.table import escaped
from podium.kubectl.printing.tabwriter import align

Map = Mapping[str, Any]

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_LONGEST = 140


class Lines:
    """A text that is being written: each line at a level, two blanks deep each."""

    def __init__(self) -> None:
        self._text: list[str] = []

    def add(self, level: int, text: str = "") -> None:
        self._text.append("  " * level + text)

    def field(self, title: str, value: Any, level: int = 0) -> None:
        """Write ``title: value`` where there is a value."""
        if value not in (None, "", [], {}):
            self.add(level, f"{title}:\t{value}")

    def table(self, level: int, titles: str, rows: Iterable[str]) -> None:
        """Write a table; *titles* and *rows* have tabs between their cells."""
        self.add(level, titles)
        self.add(level, "\t".join("-" * len(title) for title in titles.split("\t")))
        for row in rows:
            self.add(level, row)

    def plain(self) -> str:
        """The text with its tabs."""
        return escaped("\n".join(self._text)) + "\n"

    def aligned(self) -> str:
        return align(escaped("\n".join(self._text))) + "\n"


def head(lines: Lines, metadata: Map, *, namespaced: bool = True) -> None:
    """Write what most descriptions begin with."""
    lines.add(0, f"Name:\t{metadata['name']}")
    if namespaced:
        lines.add(0, f"Namespace:\t{metadata.get('namespace', '')}")
    labels(lines, "Labels:", metadata.get("labels"))
    notes(lines, metadata.get("annotations"))


def labels(lines: Lines, title: str, found: Map | None, level: int = 0) -> None:
    """Write a map, one ``key=value`` a line."""
    many(lines, level, title, [f"{key}={value}" for key, value in sorted((found or {}).items())])


def inline(found: Map | None) -> str:
    """Return a map as ``key=value,…``."""
    return ",".join(f"{key}={value}" for key, value in sorted((found or {}).items())) or "<none>"


def notes(lines: Lines, found: Map | None, title: str = "Annotations:") -> None:
    """Write annotations; long ones, and those of several lines, stand under their keys."""
    shown = {key: value for key, value in (found or {}).items() if key != _LAST_APPLIED}
    if not shown:
        lines.add(0, f"{title}\t<none>")
        return
    for key, value in sorted(shown.items()):
        text = value.removesuffix("\n")
        if len(text) + len(key) + 2 <= _LONGEST and "\n" not in text:
            lines.add(0, f"{title}\t{key}: {text}")
        else:
            lines.add(0, f"{title}\t{key}:")
            for line in text.split("\n"):
                cut = line if len(line) <= _LONGEST - 2 else line[: _LONGEST - 2] + "..."
                lines.add(0, f"\t  {cut}")
        title = ""


def many(lines: Lines, level: int, title: str, entries: Sequence[str]) -> None:
    """Write entries under each other, the first beside *title*."""
    for place, entry in enumerate(entries or ["<none>"]):
        lines.add(level, f"{title if place == 0 else ''}\t{entry}")


def controller(metadata: Map) -> str:
    """Return what an object belongs to: ``ReplicaSet/web``, "" for nothing."""
    for owner in metadata.get("ownerReferences") or ():
        if owner.get("controller"):
            return f"{owner['kind']}/{owner['name']}"
    return ""


def conditions(lines: Lines, found: Sequence[Map] | None, *titles: str, blanks: int = 0) -> None:
    """Write the table of conditions, where there are any.

    *titles* are fields with a capital; the first *blanks* cells of a row end in a blank.
    """
    if not found:
        return
    lines.add(0, "Conditions:")

    def cell(condition: Map, place: int) -> str:
        key = titles[place][0].lower() + titles[place][1:]
        value = condition.get(key)
        shown = rfc1123(value) if key.endswith("Time") else str(value or "")
        return f"{shown} " if place < blanks else shown

    rows = ("\t".join(cell(one, place) for place in range(len(titles))) for one in found)
    lines.table(1, "\t".join(titles), rows)


def events(lines: Lines, found: Sequence[Map], now: datetime) -> None:
    """Write the table of events, the oldest first."""
    if not found:
        lines.add(0, "Events:\t<none>")
        return
    lines.add(0, "Events:\n  Type\tReason\tAge\tFrom\tMessage")
    lines.add(1, "----\t------\t----\t----\t-------")
    for event in sorted(found, key=_last_time):
        lines.add(1, _event(event, now))


def _event(event: Map, now: datetime) -> str:
    cells = (event.get("type"), event.get("reason"), interval(event, now), source(event))
    message = str(event.get("message", "")).strip()
    part = (event.get("involvedObject") or {}).get("fieldPath")
    message = f"{part}: {message}" if part else message
    return "\t".join([*(cell or "" for cell in cells), message])


def _last_time(event: Map) -> str:
    series = event.get("series") or {}
    return str(
        event.get("lastTimestamp") or series.get("lastObservedTime") or event.get("eventTime") or ""
    )


def interval(event: Map, now: datetime) -> str:
    """Return when an event was seen: last, how often and since when."""
    first = event.get("eventTime") or event.get("firstTimestamp")
    count = event.get("count") or 0
    series = event.get("series")
    if series:
        last, count = series.get("lastObservedTime"), series.get("count", 0)
    elif count > 1:
        last = event.get("lastTimestamp")
    else:
        return ages.since(first, now)
    return f"{ages.since(last, now)} (x{count} over {ages.since(first, now)})"


def source(event: Map) -> str:
    """Return who has told of an event."""
    said = (event.get("source") or {}).get("component")
    return str(said or event.get("reportingComponent") or "")


def rfc1123(text: str | None) -> str:
    """Return a time as ``Mon, 02 Jan 2006 15:04:05 -0700``, in the machine's zone."""
    if not text:
        return datetime(1, 1, 1, tzinfo=UTC).strftime("%a, %d %b 0001 %H:%M:%S +0000")
    return ages.parse(text).astimezone().strftime("%a, %d %b %Y %H:%M:%S %z")
