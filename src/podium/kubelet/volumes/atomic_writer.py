"""Files that change all at once, in the layout that upstream's kubelet writes.

    <volume>/..2025_01_13_07_30_00.123456789/token    the files
    <volume>/..data -> ..2025_01_13_07_30_00.123456789
    <volume>/token -> ..data/token

A reader that goes through ``..data`` sees either all old or all new files: the switch is a rename.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from msgspec.structs import replace

from podium.domain.pods.volume_files import VolumeFile
from podium.domain.pods.volume_ownership import group_mode

_DATA = "..data"
_NEXT_DATA = "..data_tmp"


def write(
    volume: Path, files: Mapping[str, VolumeFile], now: datetime, group: int | None = None
) -> bool:
    """Make *files* the content of *volume*; tell whether anything had to change.

    Paths are relative, without ``..`` (the API's validation sees to that). The volume's directory
    exists. All that is in it belongs to *group*, where there is one, which may read it. Raises
    OSError.
    """
    files = {path: _readable_to(group, file) for path, file in files.items()}
    names = {path.split("/", 1)[0] for path in files}
    current = _current(volume)
    if current is not None and _same(current, files, group):
        _link(volume, names)  # for a kubelet that was killed before it had made them
        return False
    target = _new_directory(volume, now)
    try:
        _fill(target, files, group)
    except OSError:
        shutil.rmtree(target, ignore_errors=True)
        raise
    next_data = volume / _NEXT_DATA
    next_data.unlink(missing_ok=True)
    next_data.symlink_to(target.name)
    next_data.rename(volume / _DATA)
    _link(volume, names)
    for directory in volume.glob("..[0-9]*"):
        if directory != target:  # the last one, and what a kubelet that was killed has begun
            shutil.rmtree(directory, ignore_errors=True)
    return True


def _fill(target: Path, files: Mapping[str, VolumeFile], group: int | None) -> None:
    for path, file in files.items():
        _write_file(target / path, file, group)
    if group is not None:
        for directory in (target, *(path for path in target.rglob("*") if path.is_dir())):
            give_directory(directory, group)


def give_directory(directory: Path, group: int) -> None:
    """Let *group* in."""
    os.chown(directory, -1, group)
    mode = directory.stat().st_mode & 0o7777
    directory.chmod(group_mode(mode, directory=True, readonly=True))


def _readable_to(group: int | None, file: VolumeFile) -> VolumeFile:
    if group is None:
        return file
    return replace(file, mode=group_mode(file.mode, directory=False, readonly=True))


def _current(volume: Path) -> Path | None:
    try:
        return volume / os.readlink(volume / _DATA)
    except OSError:
        return None


def _same(current: Path, files: Mapping[str, VolumeFile], group: int | None) -> bool:
    found = {str(path.relative_to(current)) for path in current.rglob("*") if path.is_file()}
    if found != set(files):
        return False
    return all(_is(current / path, file, group) for path, file in files.items())


def _is(path: Path, file: VolumeFile, group: int | None) -> bool:
    found = path.stat()
    owners = (file.user or 0, group or 0)
    return (
        found.st_mode & 0o7777 == file.mode
        and (found.st_uid, found.st_gid) == owners
        and path.read_bytes() == file.data
    )


def _new_directory(volume: Path, now: datetime) -> Path:
    number = now.microsecond * 1000
    while True:
        target = volume / f"..{now:%Y_%m_%d_%H_%M_%S}.{number:09d}"
        try:
            target.mkdir(mode=0o755)
        except FileExistsError:
            number += 1  # left by a kubelet that was killed, or written in the same instant
            continue
        target.chmod(0o755)
        return target


def _write_file(path: Path, file: VolumeFile, group: int | None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Created unreadable, so that no moment shows a secret with the wrong mode.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb", buffering=0) as written:
        left = memoryview(file.data)
        while left:  # a disk that fills up takes a part, and says so at the next attempt
            left = left[written.write(left) :]
        if file.user is not None or group is not None:
            os.fchown(descriptor, file.user or 0, group or 0)
        os.fchmod(descriptor, file.mode)


def _link(volume: Path, names: set[str]) -> None:
    """Make the names that users see, and take away those whose files are gone."""
    for name in names:
        link = volume / name
        if not link.is_symlink():
            link.symlink_to(f"{_DATA}/{name}")
    for entry in volume.iterdir():
        if entry.is_symlink() and not entry.name.startswith("..") and entry.name not in names:
            entry.unlink()
