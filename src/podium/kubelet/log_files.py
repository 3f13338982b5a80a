"""The files of a container's log: the one that is written to, and those it was rotated into.

``0.log`` is written to; ``0.log.20250113-073000`` was until then; older ones end in ``.gz``.
"""

from __future__ import annotations

import contextlib
import gzip
import os
import re
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

_ROTATED = re.compile(r"\.(\d{8}-\d{6})(\.gz)?\Z", re.ASCII)
_FORMAT = "%Y%m%d-%H%M%S"
GZ = ".gz"


def rotated(path: Path) -> list[Path]:
    """Return the files that *path* was rotated into, the oldest first."""
    names = []
    with contextlib.suppress(FileNotFoundError):
        names = os.listdir(path.parent)
    found: dict[str, Path] = {}
    for name in sorted(names):
        if name.startswith(path.name) and _ROTATED.fullmatch(name[len(path.name) :]):
            # While one is being compressed it stands there twice; the first has all of it.
            found.setdefault(name.removesuffix(GZ), path.parent / name)
    return [found[name] for name in sorted(found)]


def rotated_name(path: Path, now: datetime) -> Path:
    return path.with_name(f"{path.name}.{now.astimezone(UTC).strftime(_FORMAT)}")


def rotated_until(file: Path) -> datetime:
    """Return a moment at which nothing was written to a rotated file any more."""
    match = _ROTATED.search(file.name)
    assert match is not None, f"{file} is no rotated file"
    return datetime.strptime(match[1], _FORMAT).replace(tzinfo=UTC) + timedelta(seconds=1)


def open_log(file: Path) -> IO[bytes]:
    """Open a file of a log; a compressed one as what it holds. Raises FileNotFoundError.

    One that was compressed since *file* was its name is that one still.
    """
    opened = _open(file)
    if not isinstance(opened, gzip.GzipFile):
        return opened
    plain = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    with opened:
        shutil.copyfileobj(opened, plain, 1 << 20)
    plain.seek(0)
    return plain


def first_bytes(file: Path, size: int) -> bytes:
    """Return what a file of a log, as :func:`open_log` has it, begins with."""
    with _open(file) as opened:
        return opened.read(size)


def _open(file: Path) -> IO[bytes] | gzip.GzipFile:
    if file.suffix == GZ:
        return gzip.open(file, "rb")
    try:
        return file.open("rb")
    except FileNotFoundError:
        return gzip.open(file.with_name(file.name + GZ), "rb")


def compress(file: Path) -> None:
    """Replace a rotated file by its compressed form; at no moment there is neither."""
    target = file.with_name(file.name + GZ)
    temporary = file.with_name(f"{file.name}.tmp")
    with file.open("rb") as source, gzip.open(temporary, "wb", compresslevel=6) as packed:
        while block := source.read(1 << 20):
            packed.write(block)
    temporary.rename(target)
    file.unlink()
