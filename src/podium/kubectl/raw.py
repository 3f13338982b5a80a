"""``--raw``: what a file says, sent to a path as it is."""

from __future__ import annotations

import sys

from podium.kubectl.command import Invocation
from podium.kubectl.errors import CommandError


def check_path(raw: str) -> None:
    """Raise CommandError for what is no path of a server."""
    if not raw.startswith(("/", "http://", "https://")):
        raise CommandError(
            f'--raw must be a valid URL path: parse "{raw}": invalid URI for request'
        )


def send(invocation: Invocation, method: str) -> int:
    """Send the command's file, if it has one, and print the answer; return the exit code."""
    values = invocation.values
    body = _content(values.filename[0]) if values.filename else None
    answer = invocation.session.http.request(method, values.raw, body=body, raw=True)
    sys.stdout.buffer.write(answer.body)
    return 0


def _content(name: str) -> bytes:
    """Return what a file holds, or stdin for ``-``, as it is. Raises CommandError."""
    if name == "-":
        return sys.stdin.buffer.read()
    try:
        with open(name, "rb") as file:
            return file.read()
    except OSError as exc:
        raise CommandError(f"open {name}: {(exc.strerror or '').lower()}") from exc
