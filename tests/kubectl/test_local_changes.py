"""``--local``: objects of files are changed as they are, also those that say little."""

from __future__ import annotations

import json

import pytest

from podium.kubectl.main import main

_SPEC = {"containers": [{"name": "a", "image": "b"}]}
_POD = {"apiVersion": "v1", "kind": "Pod"}
_A = {"a": "b"}


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        (["label", "a=b"], "pod/<unknown> labeled\n"),
        (["label", "a-"], "pod/<unknown> not labeled\n"),
        (["label", "a=b", "--overwrite"], "pod/<unknown> labeled\n"),
        (["label", "a=b", "--record", "-o", "name"], "pod/<unknown>\n"),
        (["annotate", "a=b"], "pod/<unknown> annotated\n"),
        (["set", "env", "--list"], "# Pod , container a\n"),
    ],
)
@pytest.mark.parametrize("metadata", [{}, {"metadata": None}], ids=["none", "null"])
def test_objects_without_metadata(tmp_path, capsys, metadata, words, printed):
    path = tmp_path / "pod.json"
    path.write_text(json.dumps({**_POD, **metadata, "spec": _SPEC}))
    assert main([*words, "-f", str(path), "--local"]) == 0
    assert capsys.readouterr().out == printed


@pytest.mark.parametrize(
    ("before", "after"),
    [({}, {"metadata": {"labels": _A}}), ({"metadata": None}, {"metadata": None})],
)
def test_labels_get_where_there_is_a_place(tmp_path, capsys, before, after):
    path = tmp_path / "pod.json"
    path.write_text(json.dumps({**_POD, **before, "spec": _SPEC}))
    assert main(["label", "a=b", "-f", str(path), "--local", "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == {**_POD, **after, "spec": _SPEC}
