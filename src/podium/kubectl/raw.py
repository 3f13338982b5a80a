"""``--raw``: what a file says, sent to a path as it is."""

from __future__ import annotations

import sys

from podium.kubectl.command import Invocation
from podium.kubectl.errors import CommandError
from podium.kubectl.files import content


def check_path(raw: str) -> None:
    """Raise CommandError for what is no path of a server."""
    if not raw.startswith(("/", "http://", "https://")):
        raise CommandError(
            f'--raw must be a valid URL path: parse "{raw}": invalid URI for request'
        )


def send(invocation: Invocation, method: str) -> int:
    """Send the command's file, if it has one, and print the answer; return the exit code."""
    values = invocation.values
    body = content(values.filename[0]).encode() if values.filename else None
    answer = invocation.session.http.request(method, values.raw, body=body)
    sys.stdout.write(answer.body.decode())
    return 0
