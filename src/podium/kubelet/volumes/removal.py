"""Removing a Pod's directories without emptying what is mounted in them."""

from __future__ import annotations

import errno
from pathlib import Path

from podium.kit.trees import remove_tree
from podium.runtime.mounts import unmount_below


def remove(*directories: Path) -> None:
    """Remove *directories*; whatever is mounted below is unmounted and stays as it is.

    Repeatable. Raises OSError, and then has removed a part.
    """
    for directory in directories:
        try:
            remove_tree(directory)
        except OSError as exc:
            if exc.errno not in (errno.EXDEV, errno.EBUSY):
                raise
            unmount_below(directory)
            remove_tree(directory)
