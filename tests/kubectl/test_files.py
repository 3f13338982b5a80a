"""What is no object in files, and files that cannot be read."""

from __future__ import annotations

import os

import pytest

from podium.kubectl.main import main

_NAMELESS_KIND = (
    "unable to get type info from the object \"*unstructured.Unstructured\": Object 'Kind' is "
    "missing in 'object has no kind field '"
)


def test_an_item_that_is_nothing_keeps_the_others_from_nothing(tmp_path, capfd):
    path = tmp_path / "list.yaml"
    pod = "{apiVersion: v1, kind: Pod, metadata: {name: a}}"
    path.write_text(f"apiVersion: v1\nkind: List\nitems: [null, {pod}]\n")
    assert main(["label", "--local", f"--filename={path}", "a=b", "--output=name"]) == 1
    assert capfd.readouterr() == ("pod/a\n", f"{_NAMELESS_KIND}\n")


def test_a_directory_that_cannot_be_read(tmp_path, capfd, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "inner").mkdir()
    listdir = os.listdir

    def refused(path: str) -> list[str]:
        if path.endswith("inner"):
            raise PermissionError(13, "Permission denied", path)
        return listdir(path)

    monkeypatch.setattr(os, "listdir", refused)  # who is root may read all
    assert main(["label", "--local", "-R", f"--filename={tmp_path}", "a=b"]) == 1
    assert capfd.readouterr().err == f"error: open {tmp_path}/inner: permission denied\n"
