"""Files that somebody else may have made."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from podium.kit.files import read_plain


@pytest.mark.parametrize(
    ("leave", "content"),
    [
        pytest.param(lambda path: path.write_text("words"), b"wor", id="a-file"),
        pytest.param(Path.touch, b"", id="an-empty-file"),
        pytest.param(os.mkfifo, None, id="a-pipe-that-nobody-writes-to"),
        pytest.param(Path.mkdir, None, id="a-directory"),
    ],
)
def test_only_plain_files_are_read_and_none_stays_open(
    tmp_path: Path, leave: Callable[[Path], object], content: bytes | None
):
    path = tmp_path / "it"
    leave(path)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    assert read_plain(descriptor, 3) == content
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
