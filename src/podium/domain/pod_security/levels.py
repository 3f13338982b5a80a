"""What a namespace's labels ask for: a level and a version of it, for each mode."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

import msgspec
from msgspec.structs import replace

from podium.api.field import FieldError, Path, invalid

Level = Literal["privileged", "baseline", "restricted"]
#: From what allows all to what allows least.
LEVELS: tuple[Level, ...] = ("privileged", "baseline", "restricted")
#: The minor version of a policy ``v1.<minor>``; None is ``latest``.
Version = int | None

PREFIX = "pod-security.kubernetes.io/"
MODES = ("enforce", "audit", "warn")
_VERSION = re.compile(r"v1\.(0|[1-9][0-9]*)", re.ASCII)
_MOST_DIGITS = 18  # what still is a number to Go
_LABELS = Path("metadata").child("labels")


class LevelVersion(msgspec.Struct, frozen=True):
    """``restricted:latest``, ``baseline:v1.24``."""

    level: Level = "privileged"
    version: Version = None

    def __str__(self) -> str:
        return f"{self.level}:{'latest' if self.version is None else f'v1.{self.version}'}"


class Policy(msgspec.Struct, frozen=True):
    """A namespace's level for each mode; one without labels allows all."""

    enforce: LevelVersion = LevelVersion()
    audit: LevelVersion = LevelVersion()
    warn: LevelVersion = LevelVersion()


def policy_of(labels: Mapping[str, str]) -> tuple[Policy, list[FieldError]]:
    """Return what *labels* ask for, and what is wrong with them.

    Enforced is the strictest where the label says nothing known; nobody is warned of that.
    """
    policy = Policy()
    wrong: list[FieldError] = []
    if not any(label.startswith(PREFIX) for label in labels):
        return policy, wrong
    for mode in MODES:
        wanted: LevelVersion = getattr(policy, mode)
        level = labels.get(PREFIX + mode)
        if level is not None:
            wanted = replace(wanted, level=_level(level, mode, wrong))
        version = labels.get(f"{PREFIX}{mode}-version")
        if version is not None:
            wanted = replace(wanted, version=_version(version, mode, wrong))
        policy = replace(policy, **{mode: wanted})
    return policy, wrong


def stricter(one: Level, other: Level) -> bool:
    return LEVELS.index(one) > LEVELS.index(other)


def _level(text: str, mode: str, wrong: list[FieldError]) -> Level:
    for level in LEVELS:
        if text == level:
            return level
    why = f"must be one of {', '.join(LEVELS)}"
    wrong.append(invalid(_LABELS.key(PREFIX + mode), text, why))
    return "restricted" if mode == "enforce" else "privileged"


def _version(text: str, mode: str, wrong: list[FieldError]) -> Version:
    match = _VERSION.fullmatch(text)
    if match is not None and len(match[1]) <= _MOST_DIGITS:
        return int(match[1])
    if text != "latest":
        at = _LABELS.key(f"{PREFIX}{mode}-version")
        wrong.append(invalid(at, text, 'must be "latest" or "v1.x"'))
    return None
