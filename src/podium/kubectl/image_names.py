"""Names of images, as far as a command line is checked for them. Pure."""

from __future__ import annotations

import re

from podium.kubectl.errors import CommandError

PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_IMAGE = re.compile(
    rf"""(?:(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[a-fA-F0-9:]+\])(?::[0-9]+)?/)?
    {_PART}(?:/{_PART})*(?::\w[\w.-]{{0,127}})?(?:@[A-Za-z][\w.+-]*:[0-9a-fA-F]{{32,}})?\Z""",
    re.VERBOSE | re.ASCII,
)


def check_image(name: str, container: str = "") -> None:
    """Raises CommandError."""
    if not _IMAGE.match(name):
        where = f' for container "{container}"' if container else ""
        raise CommandError(f'invalid image name "{name}"{where}: invalid reference format')
