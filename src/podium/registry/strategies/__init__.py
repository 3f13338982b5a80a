"""What a kind is: defaults, validation, what an update may change, field labels, Table columns.

One module for each ``Resource.strategy``; it names its class in ``STRATEGY``. Everything here is
pure: time and random text are arguments.
"""

from __future__ import annotations

import importlib
from typing import Any

from podium.api.scheme import Resource
from podium.registry.strategies.base import Strategy

_known: dict[Resource, Strategy[Any]] = {}


def strategy_for(resource: Resource) -> Strategy[Any]:
    """Return the strategy of *resource*, always the same instance."""
    strategy = _known.get(resource)
    if strategy is None:
        module = importlib.import_module(f"{__name__}.{resource.strategy}")
        strategy = _known[resource] = module.STRATEGY(resource)
    return strategy
