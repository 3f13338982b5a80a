"""What the processes of the fake runtime do: read from a container's configuration, never run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from msgspec.structs import replace

from podium.runtime.port import ContainerConfig

#: The exit code of what SIGKILL has ended.
KILLED = 137


class Behaviour(msgspec.Struct, frozen=True):
    """What a container does. ``None`` for *runs_for*: for ever; for *on_term*: ignores SIGTERM."""

    runs_for: float | None = None
    exit_code: int = 0
    on_term: int | None = None
    term_delay: float = 0.0
    oom: bool = False
    create_error: str = ""
    start_error: str = ""
    output: str = ""


Script = Callable[[ContainerConfig], Behaviour]


def read_script(config: ContainerConfig) -> Behaviour:
    """Read the words of *config*; a container without any runs until it is killed."""
    words = [*config.command, *config.args]
    behaviour = Behaviour()
    while words:
        word, words = words[0], words[1:]
        if word == "sleep":
            behaviour = replace(behaviour, runs_for=float(words.pop(0)))
        elif word == "exit":
            runs_for = behaviour.runs_for or 0.0
            behaviour = replace(behaviour, exit_code=int(words.pop(0)), runs_for=runs_for)
        elif word == "trap":
            delay = float(words.pop(1)) if len(words) > 1 else 0.0
            behaviour = replace(behaviour, on_term=int(words.pop(0)), term_delay=delay)
        elif word == "oom":
            behaviour = replace(behaviour, oom=True, exit_code=KILLED, runs_for=0.0)
        elif word == "echo":
            runs_for = behaviour.runs_for or 0.0
            behaviour = replace(behaviour, output=" ".join(words) + "\n", runs_for=runs_for)
            break
        elif word == "fail":
            return Behaviour(start_error=" ".join(words))
        elif word == "fail-create":
            return Behaviour(create_error=" ".join(words))
        else:
            raise ValueError(f"unknown word in the script of a container: {word}")
    return behaviour


class Command(msgspec.Struct, frozen=True):
    """What a command does that is executed in a container.

    *echoes*: it writes what it reads, until that ends; *missing*: there is no such command.
    """

    seconds: float = 0.0
    exit_code: int = 0
    stdout: str = ""
    stderr: str = ""
    echoes: bool = False
    missing: bool = False


Commands = Callable[[ContainerConfig, Sequence[str]], Command]


def read_command(_config: ContainerConfig, words: Sequence[str]) -> Command:
    """Read the words of a command, as the shell's commands of the same names."""
    match list(words):
        case ["true"]:
            return Command()
        case ["false"]:
            return Command(exit_code=1)
        case ["echo", *rest]:
            return Command(stdout=" ".join(rest) + "\n")
        case ["cat"]:
            return Command(echoes=True)
        case ["sleep", seconds]:
            return Command(seconds=float(seconds))
        case ["exit", code]:
            return Command(exit_code=int(code))
    return Command(missing=True)
