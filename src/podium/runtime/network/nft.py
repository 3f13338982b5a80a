"""Handing rules to the kernel, by nft(8)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from podium.kit.process import ProcessFailed, run
from podium.runtime.port import RuntimeFailure

_PATIENCE = 15.0  # seconds


async def nft(text: str) -> None:
    """Apply *text* in one transaction. Raises RuntimeFailure."""
    try:
        await run("nft", "-f", "-", input=text.encode(), timeout=_PATIENCE)
    except TimeoutError:
        raise RuntimeFailure(
            f"cannot set up packet filter rules: nft has not answered within {_PATIENCE:g} s"
        ) from None
    except (ProcessFailed, FileNotFoundError) as exc:
        raise RuntimeFailure(f"cannot set up packet filter rules: {exc}") from exc


class RuleWriter:
    """Writes what *render* says, one write at a time; callers that wait meanwhile share the next.

    A call returns once rules are in place that were rendered after it was made.
    """

    def __init__(self, render: Callable[[], str]) -> None:
        self._render = render
        self._lock = asyncio.Lock()
        self._wanted = self._written = 0

    async def write(self) -> None:
        """Raises RuntimeFailure."""
        self._wanted += 1
        mine = self._wanted
        async with self._lock:
            if self._written >= mine:
                return
            covers = self._wanted
            await nft(self._render())
            self._written = covers
