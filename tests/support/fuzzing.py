"""How much Hypothesis tries. Usually few examples, the same each time; ``PODIUM_FUZZ=50`` makes
each test fifty times as long, and different each time."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, settings

from podium.api.types.meta_v1 import Status

_TIMES = int(os.environ.get("PODIUM_FUZZ", "0"))

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def examples(usually: int) -> Decorator:
    """Try *usually* so many examples."""
    return settings(
        max_examples=usually * (_TIMES or 1),
        derandomize=not _TIMES,
        database=None,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        deadline=None,
        suppress_health_check=(
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
            HealthCheck.large_base_example,
        ),
    )


#: What a real API server, too, answers with 500 though the client is to blame; see the recorded
#: answers in ``golden/api``.
_UPSTREAMS = re.compile(
    "failed to create typed patch object |failed to merge config: |"
    "failed to convert new object |map: .* does not contain declared merge key: |"
    "unknown patch type: |merging lists cannot yet be specified in the patch|"
    "Component not found: |target.name: Required value|"
    "resourceVersion should not be set on objects to be created"
)


def is_servers_fault(status: Status) -> bool:
    """Whether an answer says that the server has failed, where it should not have."""
    return status.code >= 500 and not _UPSTREAMS.match(status.message)
