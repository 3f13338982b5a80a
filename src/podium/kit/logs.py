"""Logs as ``key=value`` lines on stderr.

    time=2025-01-13T07:30:00.123Z level=warning component=kubelet msg="pod failed" pod=default/web

Fields come from ``extra``: ``logger.warning("pod failed", extra={"pod": "default/web"})``.
"""

from __future__ import annotations

import logging
import re
import select
import sys
import time

#: What every record has; all else in its ``__dict__`` came in by ``extra``.
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_PLAIN = re.compile(r"[^\s\"=]+")
_SHORT = {"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r", "\t": r"\t"}


class KeyValueFormatter(logging.Formatter):
    """Render one record as one line, whatever it contains."""

    def __init__(self, component: str) -> None:
        super().__init__()
        self._component = component

    def format(self, record: logging.LogRecord) -> str:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        fields: dict[str, object] = {
            "time": f"{stamp}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "component": self._component,
            "msg": record.getMessage(),
        }
        fields |= {k: v for k, v in record.__dict__.items() if k not in _STANDARD}
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return " ".join(f"{key}={quote(value)}" for key, value in fields.items())


def quote(value: object) -> str:
    """Return *value* bare where it is one plain word, else in double quotes on one line.

    What a terminal would obey is escaped: what clients and containers say gets into logs.
    """
    text = str(value)
    printable = text.isprintable()
    if printable and _PLAIN.fullmatch(text):
        return text
    if printable and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(char: str) -> str:
    if char in _SHORT:
        return _SHORT[char]
    return char if char.isprintable() else char.encode("unicode_escape").decode()


def is_blocked(stderr: int = 2) -> bool:
    """Whether the next line would have to wait: nobody reads what the file descriptor leads to."""
    written = select.poll()
    written.register(stderr, select.POLLOUT)
    return not written.poll(0)


def configure(level: str, component: str) -> None:
    """Send all logs of this process to stderr, from *level* (``debug`` … ``error``) on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(KeyValueFormatter(component))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # Libraries whose progress is of no interest to an operator.
    for name in ("aiohttp", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
