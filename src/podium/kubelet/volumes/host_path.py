"""``hostPath``: what lies at the path must be what the volume says, or is made.

Follows ``pkg/volume/hostpath``. A path without a type is nobody's business here: where nothing is,
the runtime makes a directory.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable

from podium.domain.pods.volume_files import VolumeProblem

_KINDS: dict[str, tuple[Callable[[int], bool], str]] = {
    "Directory": (stat.S_ISDIR, "a directory"),
    "DirectoryOrCreate": (stat.S_ISDIR, "a directory"),
    "File": (stat.S_ISREG, "a file"),
    "FileOrCreate": (stat.S_ISREG, "a file"),
    "Socket": (stat.S_ISSOCK, "a socket file"),
    "CharDevice": (stat.S_ISCHR, "a character device"),
    "BlockDevice": (stat.S_ISBLK, "a block device"),
}


def check(path: str, kind: str | None) -> None:
    """Raise VolumeProblem where *path* is not, and will not be made, what *kind* says."""
    if not kind:
        return
    is_right, name = _KINDS[kind]
    try:
        mode = os.stat(path).st_mode
    except OSError:
        if kind.endswith("OrCreate") and not os.path.lexists(path):
            return
        mode = 0
    if not is_right(mode):
        raise VolumeProblem(f"hostPath type check failed: {path} is not {name}")


def prepare(path: str, kind: str | None) -> None:
    """Make what *kind* asks for and is not there. Raises VolumeProblem."""
    try:
        if kind == "DirectoryOrCreate":
            os.makedirs(path, mode=0o755, exist_ok=True)
        elif kind == "FileOrCreate" and not os.path.exists(path):
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644))
    except FileExistsError:
        pass  # something else than asked for, as check() tells
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        call = "mkdir" if kind == "DirectoryOrCreate" else "open"
        raise VolumeProblem(f"{call} {exc.filename}: {reason}") from exc
    check(path, kind)
