"""Answers that are remembered by a text, for texts that anybody may send."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def remembered(texts: int, longest: int) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Decorate a function of a text to remember its last answers, for *texts* of them at most.

    What is longer than *longest* is worked out anew each time: remembered, a few texts of the
    greatest length would hold more memory than everything else.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        memory: Callable[P, T] = lru_cache(texts)(function)  # type: ignore[assignment]

        @wraps(function)
        def answer(*args: P.args, **named: P.kwargs) -> T:
            text = args[0]
            if isinstance(text, str) and len(text) > longest:
                return function(*args, **named)
            return memory(*args, **named)

        return answer

    return decorate
