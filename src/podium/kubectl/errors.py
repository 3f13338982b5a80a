"""Ways in which a command fails; each is some lines on stderr and an exit code."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from podium.kubectl.urls import Url


class CommandError(Exception):
    """The command cannot go on. The text is printed behind ``error: `` unless it begins so."""

    exit_code = 1

    def lines(self) -> str:
        text = str(self)
        return text if text.startswith("error: ") else f"error: {text}"

    def among_others(self) -> str:
        """The failure as one of several."""
        return str(self)


def unreadable(error: OSError, path: str) -> str:
    """Return what Go says of a file that cannot be read: a directory can be opened."""
    did = "read" if isinstance(error, IsADirectoryError) else "open"
    return f"{did} {path}: {(error.strerror or '').lower()}"


class UsageError(CommandError):
    """The command line is wrong; *path* is the command it was for (``kubectl get``)."""

    def __init__(self, message: str, path: str) -> None:
        super().__init__(message)
        self._path = path

    def lines(self) -> str:
        return f"{super().lines()}\nSee '{self._path} --help' for usage."


class Said(CommandError):
    """A failure whose whole text is its own."""

    def lines(self) -> str:
        return str(self)


class Failed(CommandError):
    """All there is to say has been printed; only the exit code is left."""

    def __init__(self, exit_code: int = 1) -> None:
        super().__init__("")
        self.exit_code = exit_code

    def lines(self) -> str:
        return ""


class Exited(Said):
    """A command in a container has ended otherwise than by 0; so does this program."""

    def __init__(self, code: int) -> None:
        super().__init__(f"command terminated with exit code {code}")
        self.exit_code = code


class Lost(CommandError):
    """A stream has ended before what it carries."""


class Unread(CommandError):
    """What could not be read of files, in their order; all else has been."""

    def __init__(self, failures: Sequence[CommandError]) -> None:
        texts = list(dict.fromkeys(map(str, failures)))
        super().__init__(texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]")
        self.failures = failures

    def lines(self) -> str:
        return self.failures[0].lines() if len(self.failures) == 1 else self.each()

    def each(self) -> str:
        """Return a line for each, as verbs tell them that gather errors of several sorts."""
        return "\n".join(one.among_others() for one in self.failures)


class StatusError(CommandError):
    """The server's refusal: a ``Status``, as it came."""

    def __init__(self, status: Mapping[str, Any]) -> None:
        super().__init__(str(status.get("message", "")))
        self.status = status
        self.code = int(status.get("code") or 0)
        self.reason = str(status.get("reason") or "")
        #: Headers that came with it.
        self.warnings: list[str] = []

    def lines(self) -> str:
        if self.reason == "Invalid":
            details = self.status.get("details")
            return self._invalid(details) if details else f"The request is invalid: {self}"
        if self.reason == "Unauthorized":
            return f"error: You must be logged in to the server ({self})"
        return self.among_others()

    def among_others(self) -> str:
        return f"Error from server{self._why()}: {self}" if str(self) else "Error from server"

    def _invalid(self, details: Mapping[str, Any]) -> str:
        kind, name = details.get("kind", ""), details.get("name", "")
        text = f'The {kind} "{name}" is invalid' if kind or name else "The request is invalid"
        causes: dict[str, None] = {}
        for cause in details.get("causes") or ():
            field, message = cause.get("field", ""), cause.get("message", "")
            causes[f"{field}: {message}" if field else message] = None
        if not causes:
            return text if kind or name else f"{text}: {self}"
        if len(causes) == 1:
            return f"{text}: {next(iter(causes))}"
        return f"{text}: \n" + "\n".join(f"* {cause}" for cause in causes)

    def _why(self) -> str:
        return f" ({self.reason})" if self.reason else ""


class Malformed(StatusError):
    """A request would be about something else than what was named, so nobody was asked; told of
    where refusals are."""

    def lines(self) -> str:
        return f"error: {self}"

    def among_others(self) -> str:
        return str(self)


class Unreachable(CommandError):
    """No answer from *server*."""

    def __init__(self, server: Url, cause: Exception) -> None:
        super().__init__(str(cause))
        self._server, self.cause = server, cause

    def lines(self) -> str:
        from podium.kubectl.network_words import unreachable

        return unreachable(self._server, self.cause)


class FellSilent(Unreachable):
    """An answer that has begun goes on no more, for longer than ``--request-timeout`` allows."""
