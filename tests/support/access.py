"""Who asked the API server for what, and what the answer was, while a test runs."""

from __future__ import annotations

import logging
import re
import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

LOGGER = "podium.apiserver.access"


@dataclass(frozen=True, slots=True)
class Access:
    """One request. *error* is the message of a ``Status``, "" where the answer was none."""

    user: str
    groups: tuple[str, ...]
    method: str
    path: str
    code: int
    error: str

    @property
    def is_denied(self) -> bool:
        """Whether authorization, not admission, has refused it."""
        return self.code == 403 and re.search(r'User ".*" cannot \w+', self.error) is not None


class _Collector(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[Access] = []

    def emit(self, record: logging.LogRecord) -> None:
        found = record.__dict__
        self.lines.append(
            _access({name: str(found.get(name, "")) for name in Access.__dataclass_fields__})
        )


@contextmanager
def recorded_access() -> Iterator[list[Access]]:
    """Yield what a server in this process answers while the body runs."""
    logger, collector = logging.getLogger(LOGGER), _Collector()
    level, propagates = logger.level, logger.propagate
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(collector)
    try:
        yield collector.lines
    finally:
        logger.removeHandler(collector)
        logger.setLevel(level)
        logger.propagate = propagates


def read_access(log: str) -> list[Access]:
    """Return the requests that a log of ``podium up --log-level debug`` tells of."""
    return [
        _access(dict(part.split("=", 1) for part in shlex.split(line)))
        for line in log[: log.rfind("\n") + 1].splitlines()  # the last one may be half written
        if " msg=request " in line
    ]


def _access(found: dict[str, str]) -> Access:
    return Access(
        user=found.get("user", ""),
        groups=tuple(filter(None, found.get("groups", "").split(","))),
        method=found.get("method", ""),
        path=found.get("path", ""),
        code=int(found.get("code") or 0),
        error=found.get("error", ""),
    )


#: What the names of a cluster's own parts begin with.
COMPONENTS = ("system:kube-", "system:node:", "system:serviceaccount:kube-system:")


def denied(lines: Iterable[Access]) -> list[str]:
    """Return what a cluster's own parts were not allowed to do."""
    return [
        f"{line.user}: {line.error}"
        for line in lines
        if line.is_denied and line.user.startswith(COMPONENTS)
    ]
