"""Keys of ConfigMaps and Secrets from directories and files of variables."""

from __future__ import annotations

import pytest

from podium.kubectl.errors import CommandError
from podium.kubectl.file_data import DATA_FLAGS, entries
from podium.kubectl.flags import parse


def found(*words):
    return dict(entries(parse(DATA_FLAGS, words).values, "ConfigMap"))


def test_files_of_a_directory(tmp_path):
    """Links and directories are left out; what cannot be a key is told of."""
    (tmp_path / "a").write_bytes(b"\xff")
    (tmp_path / "inner").mkdir()
    (tmp_path / "link").symlink_to("a")
    assert found(f"--from-file={tmp_path}/") == {"a": b"\xff"}
    (tmp_path / "b c").touch()
    with pytest.raises(CommandError, match='"b c" is not a valid key name for a ConfigMap'):
        found(f"--from-file={tmp_path}")


@pytest.mark.parametrize(
    ("content", "pairs"),
    [
        (b"\xef\xbb\xbfA=1\r\n  B=a=b\n\n# C=1\nHOME_OF_NOBODY\n",
         {"A": b"1", "B": b"a=b", "HOME_OF_NOBODY": b""}),
        (b"A=1\x0bB=2", {"A": b"1\x0bB=2"}),
    ],
)  # fmt: skip
def test_variables(tmp_path, content, pairs):
    (tmp_path / "env").write_bytes(content)
    assert found(f"--from-env-file={tmp_path}/env") == pairs


def test_variables_that_are_no_text(tmp_path, monkeypatch):
    (tmp_path / "env").write_bytes(b"A=1\nB=\xff\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CommandError) as caught:
        found("--from-env-file=env")
    assert str(caught.value) == "env file env contains invalid utf8 bytes at line 2: [66 61 255]"
