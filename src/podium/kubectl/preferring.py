"""What preferences make of a command line: an alias its command, defaults flags of it. Pure but for
a warning."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from podium.kubectl.command import Command
from podium.kubectl.flags import Flag, FlagError, parse
from podium.kubectl.global_flags import GLOBAL_FLAGS
from podium.kubectl.preferences import Unapplied

Map = dict[str, Any]
#: From words to the command that they name, with its own name; None for none.
Find = Callable[[Sequence[str]], "tuple[str, Command] | None"]


def alias_of(found: Map, name: str) -> Map | None:
    """Return the alias of a name."""
    return next((one for one in found.get("aliases") or () if one.get("name") == name), None)


def meant(alias: Map, find: Find) -> Command:
    """Return the command that an alias is for. Raises Unapplied."""
    words = str(alias.get("command") or "").split()
    command = find(words)
    if command is None:
        raise Unapplied(
            f'command "{alias.get("command") or ""}" not found to set alias "{alias["name"]}": '
            f"[{' '.join(words)}]"
        )
    return command[1]


def alias_flags(alias: Map, command: Command, arguments: Sequence[str]) -> list[str]:
    """Return the flags that an alias gives its command. Raises Unapplied."""

    def unknown(name: str) -> Unapplied:
        return Unapplied(f"invalid alias flag {name} in alias kubectl")

    return _flags(alias, command, arguments, unknown, "value {} to flag {} in alias kubectl")


def default_flags(
    found: Map, name: str, command: Command, arguments: Sequence[str], find: Find
) -> list[str]:
    """Return the flags that are to be given to the command of a name. Raises Unapplied."""
    flags: list[str] = []
    for default in found.get("defaults") or ():
        called = default.get("command") or ""
        alias = alias_of(found, name)
        if alias is not None and called.split()[-1:] == [name]:
            raise Unapplied(f"alias {name} can not be overridden")
        target = find(called.split())
        if target is None:
            print(f'Warning: command "{called}" not found to set kuberc override', file=sys.stderr)
            continue
        if target[0] != name:
            continue

        def unknown(flag: str, called: str = called) -> Unapplied:
            return Unapplied(f"invalid flag {flag} for command {called}")

        failed = f"override value {{}} to flag {{}} in command {called}"
        flags += _flags(default, command, arguments, unknown, failed)
    return flags


def _flags(
    entry: Map, command: Command, arguments: Sequence[str], unknown: Callable[[str], Unapplied],
    failed: str,
) -> list[str]:  # fmt: skip
    known = {flag.name: flag for flag in (*GLOBAL_FLAGS, *command.flags)}
    letters = {flag.short for flag in known.values() if flag.short}
    given = []
    for option in entry.get("options") or ():
        name, value = option.get("name") or "", option.get("default") or ""
        flag = known.get(name)
        if flag is None:
            raise unknown(name)
        if _stands_in(flag, letters, arguments):
            continue
        text = f"--{name}={value}"
        try:
            parse((flag,), [text])
        except FlagError as exc:
            raise Unapplied(f"could not apply {failed.format(value, name)} err: {exc}") from exc
        given.append(text)
    return given


def _stands_in(flag: Flag, letters: Iterable[str], arguments: Sequence[str]) -> bool:
    """Whether a flag is given already, by its name or its letter."""
    for word in arguments:
        if word == f"--{flag.name}" or word.startswith(f"--{flag.name}="):
            return True
        if flag.short and re.match("-[^-]", word):
            together = re.fullmatch("-[a-zA-Z]+", word) and set(word[1:]) <= set(letters)
            if word.startswith(f"-{flag.short}") or (together and flag.short in word[1:]):
                return True
    return False
