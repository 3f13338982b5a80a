"""Texts of manifests, as upstream's kubectl reads them."""

from __future__ import annotations

import pytest

from podium.kubectl.errors import CommandError
from podium.kubectl.manifest_text import decoded, objects

_JSON = '{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"{}"}}}}'
_YAML = "apiVersion: v1\nkind: Pod\nmetadata: {{name: {}}}\n"
A, B = _JSON.format("a"), _JSON.format("b")
C, D = _YAML.format("c"), _YAML.format("d")


def read(text):
    """Return the names of the objects, and what ended the text, with what was no object."""
    names, said = [], []
    try:
        for found in objects("x", text, validates=False):
            if isinstance(found, CommandError):
                said.append(str(found))
            else:
                names.append(found[1]["metadata"]["name"])
    except CommandError as exc:
        said.append(str(exc).removeprefix("error parsing x: "))
    return "".join(names), said


@pytest.mark.parametrize(
    ("text", "names"),
    [
        pytest.param(A + B, "ab", id="json-behind-json"),
        pytest.param(f"{A}\n{C}", "ac", id="yaml-behind-json"),
        pytest.param(f"{A}---\n{C}---\n{B}", "acb", id="separated"),
        pytest.param(f"--- # first\n---\n{C}---  \n{D}---", "cd", id="nothing-between-separators"),
        pytest.param(f"{C}---\r\n{D}", "cd", id="windows"),
        pytest.param("{apiVersion: v1, kind: Pod, metadata: {name: c}}", "c", id="braces-of-yaml"),
        pytest.param(f"# no JSON\n{A}{B}", "a", id="a-document-is-its-first"),
        pytest.param(f"{A}null", "a", id="nothing"),
        pytest.param(f'{{"apiVersion":"v1","kind":"List","items":[{A},{B}]}}', "ab", id="list"),
        pytest.param("apiVersion: v1\nkind: List\nitems: null\n", "", id="no-items"),
        pytest.param("apiVersion: v1\nkind: PodList\nitems: [{metadata: {name: c}}]", "c",
                     id="items-of-one-kind"),
    ],
)  # fmt: skip
def test_objects(text, names):
    assert read(text) == (names, [])


@pytest.mark.parametrize(
    ("text", "names", "says"),
    [
        ("--- {apiVersion: v1}", "", "invalid Yaml document separator: {apiVersion: v1}"),
        (f"{C}---d\n{D}", "", "invalid Yaml document separator: d"),
        (f"{A}\nx", "a", f"json: offset {len(A) + 2}: invalid character 'x' looking for beginning "
         "of value"),
        (f"{A}\n---\na: b: c", "a",
         f"json: offset {len(A) + 3}: invalid character '-' in numeric literal"),
        (f"{A}{B}\n---\n{C}", "ab", "invalid character '-' in numeric literal"),
        (f'{A}{{"a":', "a", "unexpected EOF"),
        ("{a: b: c}", "", "json: offset 2: invalid character 'a' looking for beginning of object "
         "key string"),
        ("a: b: c", "",
         "error converting YAML to JSON: yaml: mapping values are not allowed in this context"),
        (f"{A} 3", "a", 'unable to decode "x": json: cannot unmarshal number into Go value of type '
         "unstructured.detector"),
        ("kind: List\nitems: {a: b}", "", 'unable to decode "x": json: cannot unmarshal object '
         "into Go struct field decodeList.items of type []json.RawMessage"),
        (f'{{"apiVersion":"v1","kind":"List","items":[{A},{{"items":[]}}]}}', "",
         "*unstructured.Unstructured is not a list: no Items field in this object"),
    ],
)  # fmt: skip
def test_what_cannot_be_read(text, names, says):
    assert read(text) == (names, [says])


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"a: \xc3\xa9", "a: é"),
        (b"\xef\xbb\xbfa", "a"),
        ("\ufeffa: é".encode("utf-16-le"), "a: é"),
        ("\ufeffa: é".encode("utf-16-be"), "a: é"),
        (b"a: \xe9", "a: \ufffd"),
    ],
)
def test_encodings(data, text):
    assert decoded(data) == text


def test_numbers_are_as_go_writes_them_again():
    """A field of whole numbers takes no 1.0."""
    for text in ('{"a": 1.0, "b": 1e3, "c": 1.5, "d": 3}', "a: 1.0\nb: 1e3\nc: 1.5\nd: 3\n"):
        kind = {"apiVersion": "v1", "kind": "X"}
        text = text.replace("{", '{"apiVersion": "v1", "kind": "X", ', 1)
        text = text if text.startswith("{") else f"apiVersion: v1\nkind: X\n{text}"
        [found] = objects("x", text, validates=False)
        assert repr(found[1]) == repr({**kind, "a": 1, "b": 1000, "c": 1.5, "d": 3})


def test_half_a_surrogate_pair_is_no_text():
    [found] = objects("x", '{"apiVersion":"v1","kind":"X","a":"\\ud800"}', validates=False)
    assert found[1]["a"] == "\ufffd"
