"""How much Hypothesis tries. Usually few examples, the same each time; ``PODIUM_FUZZ=50`` makes
each test fifty times as long, and different each time."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings

_TIMES = int(os.environ.get("PODIUM_FUZZ", "0"))

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def examples(usually: int) -> Decorator:
    """Try *usually* so many examples."""
    return settings(
        max_examples=usually * (_TIMES or 1),
        derandomize=not _TIMES,
        database=None,
        deadline=None,
        suppress_health_check=(
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
            HealthCheck.large_base_example,
        ),
    )
