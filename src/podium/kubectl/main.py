"""The command line: which command, its flags, and what a failure looks like."""

from __future__ import annotations

import io
import os
import sys
from errno import ENOSPC

from podium.kubectl import commands
from podium.kubectl.command import Command, Invocation
from podium.kubectl.errors import CommandError, Said, UsageError
from podium.kubectl.flags import FlagError, parse
from podium.kubectl.global_flags import GLOBAL_FLAGS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, TypeAlias

    from podium.kubectl.flags import Flag

    Preferred: TypeAlias = dict[str, Any] | None

_ROOT = "kubectl"


#: The exit code of who is killed because nobody reads what he writes, as a shell tells it.
_NOT_READ = 128 + 13


def main(arguments: Sequence[str]) -> int:
    """Run ``kubectl`` with *arguments*; return the exit code."""
    if None in (sys.stdin, sys.stdout, sys.stderr):
        _open_descriptors()
    try:
        "".join(arguments).encode()
    except UnicodeEncodeError:
        _let_bytes_pass()
    try:
        code = _run(list(arguments))
        sys.stdout.flush()
    except CommandError as exc:
        _flush()
        if text := exc.lines():
            print(text, file=sys.stderr)
        return exc.exit_code
    except BrokenPipeError:
        _forget_output()
        return _NOT_READ
    except OSError as exc:
        if exc.errno != ENOSPC or exc.filename is not None:
            raise
        _forget_output()
        print("error: write /dev/stdout: no space left on device", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def _open_descriptors() -> None:
    """Open nothing where somebody has closed a descriptor, lest a connection become what is printed
    to."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) < 3:
        pass
    os.close(descriptor)
    sys.stdin = sys.stdin or os.fdopen(0)
    sys.stdout = sys.stdout or os.fdopen(1, "w")
    sys.stderr = sys.stderr or os.fdopen(2, "w")


def _let_bytes_pass() -> None:
    """Arguments are no UTF-8: what is printed of them is what they were."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="surrogateescape")


def _flush() -> None:
    """What was printed before comes before the error, also where both go to one file."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_output()


def _forget_output() -> None:
    """Nobody reads what is printed: let Python not try again when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(arguments: list[str]) -> int:
    if arguments and arguments[0].startswith("__complete"):
        from podium.kubectl.completing import asked

        code = asked(arguments)
        if code is not None:
            return code
    preferred = _preferences(arguments)
    place = command_at(arguments, GLOBAL_FLAGS)
    if place is None:
        return _without_command(arguments)
    name = arguments.pop(place)
    command = commands.load(name)
    if command is None and preferred is not None:
        command = _aliased(preferred, name, place, arguments)
    if command is None:
        return _unknown(name, arguments, before=arguments[0] if place else "")
    path = f"{_ROOT} {name}"
    while command.children:
        place = command_at(arguments, (*GLOBAL_FLAGS, *command.flags))
        if place is None:
            break
        found = child_of(command, arguments[place])
        if found is None and path == f"{_ROOT} create" and place == 0:
            from podium.kubectl.plugins import run_plugin

            run_plugin(arguments[0], arguments[1:], below="create-")
        if found is None:
            break
        del arguments[place]
        name, command = found
        path = f"{path} {name}"
    if preferred is not None:
        from podium.kubectl.preferring import default_flags

        arguments[:0] = default_flags(preferred, name, command, arguments, find)
    return _invoke(path, command, arguments, preferred)


def _preferences(arguments: Sequence[str]) -> Preferred:
    """Return what the user's file of preferences says, None without one. Raises CommandError."""
    if os.environ.get("KUBECTL_KUBERC", "").lower() in ("false", "f", "0"):
        return None
    named = "KUBERC" in os.environ or any(word.startswith("--kuberc") for word in arguments)
    if not named and not os.path.exists(os.path.expanduser("~/.kube/kuberc")):
        return None
    from podium.kubectl.preferences import load

    return load(arguments)


def find(words: Sequence[str]) -> tuple[str, Command] | None:
    """Return the command that *words* name, with its name; further words are left alone."""
    command = commands.load(words[0]) if words else None
    if command is None:
        return None
    found = (words[0], command)
    for word in words[1:]:
        child = child_of(found[1], word)
        if child is None:
            break
        found = child
    return found


def _aliased(preferred: Any, name: str, place: int, arguments: list[str]) -> Command | None:
    """Return the command that an alias stands for, its words put among *arguments*."""
    from podium.kubectl import preferring

    alias = preferring.alias_of(preferred, name)
    if alias is None:
        return None
    command = preferring.meant(alias, find)
    flags = preferring.alias_flags(alias, command, arguments)
    arguments[place:place] = [*flags, *(alias.get("prependArgs") or ())]
    arguments += alias.get("appendArgs") or ()
    return command


def child_of(command: Command, word: str) -> tuple[str, Command] | None:
    """Return the subcommand that a word means, with its name."""
    for name, child in command.children.items():
        if word == name or word in child.aliases:
            return name, child.loaded()
    return None


def _invoke(path: str, command: Command, arguments: list[str], preferred: Preferred) -> int:
    own = {flag.name for flag in command.flags}
    hidden = [flag for flag in GLOBAL_FLAGS if flag.name in own]
    try:
        parsed = parse((*command.flags, *(f for f in GLOBAL_FLAGS if f not in hidden)), arguments)
    except FlagError as exc:
        if command.usage_code == 1:
            raise UsageError(str(exc), path) from None
        failure = CommandError(f"{exc}\nSee '{path} -h' for help and examples")
        failure.exit_code = command.usage_code
        raise failure from None
    if parsed.values.help or command.run is None:
        return _help(path, command, parsed.words, asked=parsed.values.help)
    of_all = parsed.values.with_defaults(hidden) if hidden else parsed.values
    if of_all.profile != "none":
        _check_profile(of_all.profile)
    for text in parsed.deprecated:
        print(text, file=sys.stderr)
    missing = [flag.name for flag in command.flags if flag.required]
    missing = sorted(f'"{name}"' for name in missing if not parsed.values.changed(name))
    if missing:
        raise CommandError(f"required flag(s) {', '.join(missing)} not set")
    from podium.kubectl.session import Session

    session = Session(of_all, preferred)
    try:
        return command.run(Invocation(path, parsed.values, parsed.words, parsed.dash, session))
    finally:
        session.close()


def _check_profile(name: str) -> None:
    """Raise CommandError: the profiles that upstream's can write are those of Go's runtime."""
    if name in ("cpu", "heap", "goroutine", "threadcreate", "block", "mutex", "trace"):
        raise CommandError(f"--profile={name} is not served by this kubectl")
    raise CommandError(f"unknown profile '{name}'")


def _help(path: str, command: Command, words: Sequence[str], *, asked: bool) -> int:
    """Print a command's help; for one that is nothing but its subcommands that is an error."""
    from podium.kubectl.help import command_help

    if words and not asked:
        raise CommandError(
            f"unknown command \"{' '.join(words)}\"\nSee '{path} -h' for help and examples"
        )
    print(
        command_help(path, command),
        file=sys.stdout if asked or command.tells_on_stdout else sys.stderr,
    )
    return 0 if asked else 1


def command_at(arguments: Sequence[str], flags: Sequence[Flag]) -> int | None:
    """Return where the first word stands that is neither a flag nor a flag's value."""
    alone = {f"--{flag.name}" for flag in flags if flag.stands_alone}
    alone |= {f"-{flag.short}" for flag in flags if flag.stands_alone and flag.short}
    place = 0
    while place < len(arguments):
        word = arguments[place]
        if word == "--":
            return None
        if not word.startswith("-") or word == "-":
            return place
        takes_next = "=" not in word and word not in alone
        takes_next = takes_next and (word.startswith("--") or len(word) == 2)
        place += 2 if takes_next else 1
    return None


def _without_command(arguments: list[str]) -> int:
    try:
        parse(GLOBAL_FLAGS, arguments)
    except FlagError as exc:
        raise UsageError(str(exc), _ROOT) from None
    from podium.kubectl.help import overview

    print(overview())
    return 0


def _unknown(name: str, arguments: list[str], *, before: str) -> int:
    from podium.kubectl.plugins import run_plugin

    if before:
        raise Said(f"Error: flags cannot be placed before plugin name: {before}")
    code = run_plugin(name, arguments)
    if code is not None:
        return code
    text = f'unknown command "{name}" for "{_ROOT}"'
    if meant := commands.similar(name, list(commands.NAMES)):
        text += "\n\nDid you mean this?" + "".join(f"\n\t{other}" for other in meant)
    raise CommandError(text)
