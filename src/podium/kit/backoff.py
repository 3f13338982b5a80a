"""Exponential back-off: how long to wait after the n-th failure in a row."""

from __future__ import annotations

import random
from collections.abc import Callable

import msgspec


class Backoff(msgspec.Struct):
    """Delays *initial*, *initial* * *factor*, … up to *maximum*, all in seconds.

    *jitter* stretches each delay by a random part of it, up to that share, so that many clients
    that failed together do not come back together. :meth:`reset` after a success.
    """

    initial: float
    maximum: float
    factor: float = 2.0
    jitter: float = 0.0
    random: Callable[[], float] = random.random
    failures: int = 0

    def next(self) -> float:
        """Count a failure and return the seconds to wait before the next attempt."""
        delay = delay_after(self.failures, self.initial, self.maximum, self.factor)
        self.failures += 1
        return delay * (1 + self.jitter * self.random())

    def reset(self) -> None:
        self.failures = 0


def delay_after(failures: int, initial: float, maximum: float, factor: float = 2.0) -> float:
    """Return the delay that follows *failures* earlier failures, without jitter."""
    if failures >= 64:  # beyond any maximum, and before the power leaves what a float holds
        return maximum
    return min(initial * factor**failures, maximum)
