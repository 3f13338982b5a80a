"""Rounds in an editor: what is in the file, and when it is over."""

from __future__ import annotations

import pytest

from podium.kubectl.discovery import ResourceType
from podium.kubectl.editing import HEADER, Item, edit
from podium.kubectl.errors import CommandError, Failed, StatusError

TYPE = ResourceType("", "v1", "configmaps", "ConfigMap", True, "configmap", (), (), ())
OBJ = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "uid": "u"},
       "data": {"x": "1"}}  # fmt: skip


class OneType:
    """Stands for the discovery of a server that has ConfigMaps."""

    types = (TYPE,)

    def kind(self, version, kind):
        if (version, kind) != ("v1", "ConfigMap"):
            raise CommandError(f'no matches for kind "{kind}" in version "{version}"')
        return TYPE


@pytest.fixture
def editor(tmp_path, monkeypatch):
    """An editor that keeps each text it sees, and writes the next of those it was given."""

    def prepare(*scripts):
        for number, script in enumerate(scripts):
            (tmp_path / f"script-{number}").write_text(script)
        program = tmp_path / "editor"
        program.write_text(
            f'#!/bin/sh\nn=$(ls {tmp_path} | grep -c seen-)\ncp "$1" {tmp_path}/seen-$n\n'
            f'sed -i -f {tmp_path}/script-$n "$1"\n'
        )
        program.chmod(0o700)
        monkeypatch.setenv("EDITOR", str(program))
        monkeypatch.setenv("TMPDIR", str(tmp_path))

    return prepare


def seen(tmp_path):
    return [path.read_text() for path in sorted(tmp_path.glob("seen-*"))]


def invalid(_item, _obj):
    causes = [{"field": "data", "message": "Invalid value"}]
    raise StatusError({"code": 422, "reason": "Invalid", "details": {"causes": causes}})


def run(change, output=""):
    edit([Item(TYPE, "default", "a", OBJ)], change, OneType(), output, HEADER)


def test_what_was_refused_stands_at_the_head_of_the_next_round(editor, tmp_path, capsys):
    editor('s/x: "1"/x: "2"/', 's/x: "2"/x: "3"/')
    changed = []

    def change(item, obj):
        changed.append(obj["data"])
        if len(changed) == 1:
            invalid(item, obj)

    run(change)
    first, second = seen(tmp_path)
    assert first.startswith(HEADER + "apiVersion: v1\n")
    assert second.startswith(
        HEADER + '# configmaps "a" was not valid:\n# * data: Invalid value\n#\napiVersion: v1\n'
    )
    assert changed == [{"x": "2"}, {"x": "3"}]
    assert capsys.readouterr().err == 'error: configmaps "a" is invalid\n'
    assert not list(tmp_path.glob("kubectl-edit-*"))


def test_the_same_again_is_given_up_and_kept(editor, tmp_path, capsys):
    editor('s/x: "1"/x: "2"/', "")
    with pytest.raises(CommandError, match="no valid changes were saved"):
        run(invalid)
    (kept,) = tmp_path.glob("kubectl-edit-*.yaml")
    assert f'A copy of your changes has been stored to "{kept}"' in capsys.readouterr().err
    assert kept.stat().st_mode & 0o777 == 0o600


def test_nothing_changes(editor, capsys):
    editor("")
    changed = []
    run(lambda _item, obj: changed.append(obj))
    assert capsys.readouterr().err == "Edit cancelled, no changes made.\n"
    assert not changed


def test_comments_alone_are_no_object(editor, capsys):
    editor("1,$s/^/# /", "")
    changed = []
    with pytest.raises(CommandError, match="no valid changes"):
        run(lambda _item, obj: changed.append(obj))
    assert capsys.readouterr().err.startswith('error: configmaps "a" is invalid\n')
    assert not changed


def test_what_the_server_does_not_take_now_is_kept(editor, tmp_path, capsys):
    editor('s/x: "1"/x: "2"/')

    def conflict(_item, _obj):
        raise StatusError({"code": 409, "reason": "Conflict", "message": "no"})

    with pytest.raises(Failed):
        run(conflict)
    (kept,) = tmp_path.glob("kubectl-edit-*.yaml")
    assert f"You can run `kubectl replace -f {kept}`" in capsys.readouterr().err


def test_json_has_no_header(editor, tmp_path):
    editor('s/"x": "1"/"x": "2"/')
    changed = []
    run(lambda _item, obj: changed.append(obj["data"]), "json")
    assert seen(tmp_path)[0].startswith("{\n")
    assert changed == [{"x": "2"}]


def test_an_editor_that_removes_the_file(monkeypatch):
    monkeypatch.setenv("EDITOR", "rm")
    with pytest.raises(CommandError, match=r"^open .*/kubectl-edit-\d+\.yaml: no such file or dir"):
        edit([Item(TYPE, "default", "a", OBJ)], lambda *_: None, OneType(), "", HEADER)
