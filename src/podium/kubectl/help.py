"""``--help``: texts in the layout of upstream's. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from podium.kubectl.command import Command
from podium.kubectl.commands import GROUPS
from podium.kubectl.flags import Flag, Kind

_MORE = 'Use "kubectl options" for a list of global command-line options (applies to all commands).'


def overview() -> str:
    return (
        "kubectl controls the Kubernetes cluster manager.\n\n"
        " Find more information at: https://kubernetes.io/docs/reference/kubectl/\n\n"
    ) + usage()


def usage() -> str:
    """Return the commands there are, and what tells more of them."""
    parts = []
    for heading, commands in GROUPS:
        lines = [f"  {name:<15} {short}" for name, short in commands]
        parts.append("\n".join([heading, *lines, ""]))
    parts.append("Usage:\n  kubectl [flags] [options]\n")
    parts.append(
        'Use "kubectl <command> --help" for more information about a given command.\n' + _MORE
    )
    return "\n".join(parts)


def command_help(path: str, command: Command) -> str:
    parts = [command.long or f"{command.short.removesuffix('.')}."]
    if command.aliases:
        parts.append(f"Aliases:\n{', '.join([path.rpartition(' ')[2], *command.aliases])}")
    if command.examples:
        parts.append("Examples:\n" + _indented(command.examples))
    if command.children:
        width = max(11, *map(len, command.children)) + 2
        lines = [f"  {name:<{width}} {child.short}" for name, child in command.children.items()]
        parts.append("Available Commands:\n" + "\n".join(lines))
    shown = [flag for flag in command.flags if not flag.hidden]
    if shown:
        parts.append("Options:\n" + options(shown))
    parts.append(f"Usage:\n  {command.usage}")
    more = _MORE
    if command.children:
        more = f'Use "{path} <command> --help" for more information about a given command.\n{_MORE}'
    return "\n\n".join([*parts, more])


def options(flags: Iterable[Flag]) -> str:
    """Return flags with their defaults and what they mean, by name."""
    lines = []
    for flag in sorted(flags, key=lambda flag: flag.name):
        short = f"-{flag.short}, " if flag.short else ""
        lines.append(f"    {short}--{flag.name}={_default(flag)}:\n\t{flag.usage}")
    return "\n\n".join(lines)


def _default(flag: Flag) -> str:
    if flag.kind in (Kind.LIST, Kind.ARRAY):
        return f"[{','.join(flag.default or ())}]"
    if flag.kind is Kind.BOOL:
        return str(flag.default).lower()
    if flag.kind is Kind.MODULES:
        return ""
    if flag.kind in (Kind.TEXT, Kind.FORMAT):
        return f"'{flag.default}'"
    if flag.kind is Kind.DURATION:
        return go_duration(flag.default)
    return str(flag.default)


def go_duration(seconds: float) -> str:
    """Return a duration as Go writes it: ``1m30s``."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    text = f"{rest:g}s"
    if hours or minutes:
        text = f"{minutes}m{text}"
    return f"{hours}h{text}" if hours else text


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.strip("\n").splitlines())
