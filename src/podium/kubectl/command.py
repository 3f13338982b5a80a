"""A command: its words, its flags, what it does. The table of them all is ``commands``."""

from __future__ import annotations

from importlib import import_module

from podium.kubectl.errors import Said

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from podium.kubectl.flags import Flag, Values
    from podium.kubectl.session import Session


class Invocation:
    """One run of a command. ``dash`` is how many of ``words`` stood before ``--``."""

    __slots__ = ("dash", "path", "session", "values", "words")

    def __init__(
        self, path: str, values: Values, words: Sequence[str], dash: int | None, session: Session
    ) -> None:
        self.path, self.values, self.words, self.dash = path, values, words, dash
        self.session = session

    def misused(self, problem: str) -> Said:
        """Return the failure of a command line that is wrong; it names the command's help."""
        return Said(f"error: {problem}\nSee '{self.path} -h' for help and examples")


class Command:
    """``usage`` is a line of its help, ``run`` returns the exit code; *children* by their names.

    *module* is where the whole command is (``package.module:NAME``), for a child that is loaded
    when it is called. *usage_code* is the exit code for a command line that is wrong. Without a
    subcommand where there must be one the help is printed, on stderr unless *tells_on_stdout*.
    """

    __slots__ = (
        "aliases", "children", "examples", "flags", "long", "module", "run", "short",
        "tells_on_stdout", "usage", "usage_code"
    )  # fmt: skip

    def __init__(
        self,
        usage: str,
        short: str,
        run: Callable[[Invocation], int] | None = None,
        *,
        long: str = "",
        examples: str = "",
        flags: Sequence[Flag] = (),
        aliases: Sequence[str] = (),
        children: dict[str, Command] | None = None,
        module: str = "",
        usage_code: int = 1,
        tells_on_stdout: bool = False,
    ) -> None:
        self.usage, self.short, self.run = usage, short, run
        self.long, self.examples, self.flags, self.aliases = long, examples, flags, aliases
        self.children: dict[str, Command] = children or {}
        self.module, self.usage_code = module, usage_code
        self.tells_on_stdout = tells_on_stdout

    def loaded(self) -> Command:
        """Return the whole command."""
        if not self.module:
            return self
        module, _, name = self.module.partition(":")
        command: Command = getattr(import_module(module), name)
        return command
