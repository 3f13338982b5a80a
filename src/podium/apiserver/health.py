"""``/healthz``, ``/livez`` and ``/readyz``, whole and check by check.

Follows ``k8s.io/apiserver/pkg/server/healthz``: *verbose* lists the checks, *exclude* leaves some
out. Why something fails is told to the log, and to those who may read the single check: the whole
is for everybody.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence

import msgspec
from aiohttp.web import Response

from podium.apiserver import responses
from podium.apiserver.paths import Query
from podium.kit.metrics import Families

logger = logging.getLogger(__name__)

#: Returns why something is not well, "" when it is.
Check = Callable[[], Awaitable[str]]


class NamedCheck(msgspec.Struct, frozen=True):
    """What ``for_ready`` finds wrong keeps others from using the server, and restarts nothing."""

    name: str
    check: Check
    for_ready: bool = False


class Health:
    """The checks behind each of the endpoints."""

    def __init__(self, checks: Iterable[NamedCheck]) -> None:
        ready = (NamedCheck("ping", _ping), *checks)
        live = tuple(check for check in ready if not check.for_ready)
        self._checks = {"healthz": live, "livez": live, "readyz": ready}
        #: What ``/metrics/slis`` shows.
        self.results = Families()
        self._state = self.results.gauge(
            "kubernetes_healthcheck", "Whether the check passed the last time.", ("name", "type")
        )
        self._count = self.results.counter(
            "kubernetes_healthchecks", "Results of the checks.", ("name", "type", "status")
        )

    def paths(self) -> Iterator[str]:
        """Yield where there is something to be asked."""
        for endpoint, checks in self._checks.items():
            yield f"/{endpoint}"
            yield from (f"/{endpoint}/{check.name}" for check in checks)

    async def answer(self, path: str, query: Query) -> Response | None:
        """Return the answer at *path*, None where there is no such check."""
        endpoint, _, name = path.strip("/").partition("/")
        checks = self._checks.get(endpoint)
        if checks is None:
            return None
        if name:
            single = [check for check in checks if check.name == name]
            if not single:
                return responses.not_found()
            reason = await self._run(endpoint, single[0])
            if not reason:
                return responses.text("ok")
            return responses.text(f"internal server error: {reason}\n", 500)
        excluded = set(query.all("exclude"))
        return await self._all(endpoint, checks, excluded, "verbose" in query.as_mapping())

    async def _all(
        self, endpoint: str, checks: Sequence[NamedCheck], excluded: set[str], verbose: bool
    ) -> Response:
        lines, failed = [], []
        for check in checks:
            if check.name in excluded:
                lines.append(f"[+]{check.name} excluded: ok")
                continue
            reason = await self._run(endpoint, check)
            if reason:
                failed.append(check.name)
                logger.warning("health check failed", extra={"check": check.name, "reason": reason})
            lines.append(
                f"[-]{check.name} failed: reason withheld" if reason else f"[+]{check.name} ok"
            )
        unknown = excluded - {check.name for check in checks}
        if unknown:
            names = ",".join(f'"{name}"' for name in sorted(unknown))
            lines.append(f"warn: some health checks cannot be excluded: no matches for {names}")
        if failed:
            return responses.text("\n".join([*lines, f"{endpoint} check failed", ""]), 500)
        if verbose:
            return responses.text("\n".join([*lines, f"{endpoint} check passed", ""]))
        return responses.text("ok")

    async def _run(self, endpoint: str, check: NamedCheck) -> str:
        """Return why *check* fails, "" when it does not."""
        reason = await check.check()
        self._state.set(float(not reason), check.name, endpoint)
        self._count.inc(check.name, endpoint, "error" if reason else "success")
        return reason


async def _ping() -> str:
    return ""
