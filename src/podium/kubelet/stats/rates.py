"""CPU in use, from what was used until now and what had been when somebody last asked. Pure."""

from __future__ import annotations

from datetime import datetime

#: Seconds that two samples are apart at least, for what lies between them to mean anything.
SHORTEST = 0.1


class CpuRates:
    """Keeps one sample of each thing that is measured."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[datetime, int]] = {}
        self._seen: set[str] = set()

    def rate(self, key: str, used: int, now: datetime) -> int | None:
        """Return nanoseconds a second since the last sample; None where there is none."""
        self._seen.add(key)
        last = self._last.get(key)
        if last is None or used < last[1]:
            self._last[key] = (now, used)
            return None
        seconds = (now - last[0]).total_seconds()
        if seconds < SHORTEST:
            return None
        self._last[key] = (now, used)
        return int((used - last[1]) / seconds)

    def forget_others(self) -> None:
        """Drop what has not been measured since the last call of this."""
        self._last = {key: value for key, value in self._last.items() if key in self._seen}
        self._seen.clear()
