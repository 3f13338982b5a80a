"""A command: its words, its flags, what it does. The table of them all is ``commands``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from podium.kubectl.flags import Flag, Values

if TYPE_CHECKING:
    from podium.kubectl.session import Session


@dataclass(frozen=True, slots=True)
class Invocation:
    """One run of a command. ``dash`` is how many of ``words`` stood before ``--``."""

    path: str
    values: Values
    words: Sequence[str]
    dash: int | None
    session: Session


@dataclass(frozen=True, slots=True)
class Command:
    """``usage`` is a line of its help, ``run`` returns the exit code; *children* by their names."""

    usage: str
    short: str
    run: Callable[[Invocation], int] | None = None
    long: str = ""
    examples: str = ""
    flags: Sequence[Flag] = ()
    aliases: Sequence[str] = ()
    children: dict[str, Command] = field(default_factory=dict)
