"""``subPath``: a part of a volume, pinned so that no link leads elsewhere, at no time.

The path is walked by descriptors and never out of the volume (CVE-2017-1002101); what was found is
mounted by its descriptor, so that what a container puts there afterwards does not matter
(CVE-2021-25741). The runtime gets the mount:

    <run>/pods/<uid>/volume-subpaths/<volume>/<container>/<number of the mount>
"""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

from podium.domain.pods.volume_files import VolumeProblem
from podium.kit import trees
from podium.runtime import linux

logger = logging.getLogger(__name__)


def pin(volume: str, sub_path: str, target: Path, about: str) -> None:
    """Mount *sub_path* of the volume that lies at *volume* on *target*; make it where it is not.

    Raises VolumeProblem with upstream's words, which keep what the node looks like to themselves.
    *about* ends the message: ``volumeMount "data" of container "web"``.
    """
    step = "prepare subPath"
    try:
        root = os.open(volume, os.O_PATH | os.O_CLOEXEC)
        try:
            try:
                found = trees.open_beneath(root, sub_path)
            except FileNotFoundError:
                step = "create subPath directory"
                mode = stat.S_IMODE(os.fstat(root).st_mode) & 0o777
                found = trees.make_beneath(root, sub_path, mode)
        finally:
            os.close(root)
        step = "prepare subPath"
        try:
            _mount(found, target)
        finally:
            os.close(found)
    except OSError as exc:
        logger.warning("subPath could not be used", extra={"path": sub_path, "error": exc})
        raise VolumeProblem(f"failed to {step} for {about}") from exc


def _mount(found: int, target: Path) -> None:
    if os.path.lexists(target):  # of an earlier run of the container
        linux.umount(str(target))
        target.rmdir() if target.is_dir() else target.unlink()
    target.parent.mkdir(parents=True, exist_ok=True)
    if stat.S_ISDIR(os.fstat(found).st_mode):
        target.mkdir()
    else:
        target.touch()
    linux.mount(f"/proc/self/fd/{found}", str(target), flags=linux.MS_BIND)
