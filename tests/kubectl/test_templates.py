"""Go's templates and values; what they print beside upstream's is in cases.txt."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from podium.kubectl import templates
from podium.kubectl.printing import go_values, jsonpath, kyaml, yaml_text
from podium.kubectl.printing.go_template import GoTemplate, TemplateError
from podium.kubectl.sorting import ordered

POD = {"kind": "Pod", "n": 30, "items": [{"name": "a", "n": 1}, {"name": "b"}, {"name": "c"}]}


def render(text, value=POD):
    out: list[str] = []
    GoTemplate(text).render(value, out)
    return "".join(out)


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("{{range .items}}{{if eq .name `b`}}{{continue}}{{end}}{{.name}}{{end}}", "ac"),
        ("{{range $k, $v := index .items 0}}{{$k}}={{$v}} {{end}}", "n=1 name=a "),
        ("{{range .none}}x{{else}}nothing{{end}}", "nothing"),
        ("{{range 3}}{{.}}{{end}}", "012"),
        ("a {{- /* b */ -}} c", "ac"),
        ("{{block `t` .kind}}<{{.}}>{{end}}", "<Pod>"),
        ("{{(index .items 1).name}}{{$.kind}}", "bPod"),
        ("{{printf `%05d|%-4s|%x|%T|%v` .n `ab` `z` .n .items}}",
         "00030|ab  |7a|int|[map[n:1 name:a] map[name:b] map[name:c]]"),
        ("{{`}}`}}{{\"}}\"}}", "}}}}"),
        ("{{0x1F}} {{0b11}} {{0o17}} {{017}} {{1_000}} {{1e3}}", "31 3 15 15 1000 1000"),
        ("{{printf `%*d|%q|%q|%q` 4 7 `a'\x1b\n` 65 39}}", r"""   7|"a'\x1b\n"|'A'|'\''"""),
        ("{{printf `%c|%q|%q|%U` -3 55296 4611686018427387904 -3}}",
         "\ufffd|'\ufffd'|'\ufffd'|U+FFFFFFFFFFFFFFFD"),
        ('{{"YW\\nJj\\r\\n" | base64decode}}', "abc"),
        ("{{printf `%#v` (index .items 0)}}", 'map[string]interface {}{"n":1, "name":"a"}'),
        ("{{with $x := .kind}}{{$x}}{{end}}", "Pod"),
    ],
)  # fmt: skip
def test_templates(text, printed):
    assert render(text) == printed


@pytest.mark.parametrize(
    "text",
    ["{{", "{{if}}", "{{if .a}}", "{{end}}", "{{.a", "{{$x}}", "{{nosuch}}", "{{1 2}}", "{{.a | }}",
     "{{len 3}}", "{{index .items 9}}", "{{template `x`}}", "{{define `r`}}{{template `r`}}{{end}}"
     "{{template `r`}}", "{{call .x}}", "{{break}}", "{{range .items}}{{else}}{{continue}}{{end}}",
     "{{range .items}}{{block `b` .}}{{break}}{{end}}{{end}}"],
)  # fmt: skip
def test_what_is_refused(text):
    with pytest.raises(TemplateError, match=r"^template: output"):
        render(text)


@given(st.text('{}.|$()-abif end"`1', max_size=20))
def test_any_text_is_a_template_or_is_refused(text):
    try:
        assert isinstance(render(text), str)
    except TemplateError:
        return


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.5, "1.5"), (100000.0, "100000"), (1e6, "1e+06"), (1234567.0, "1.234567e+06"),
     (0.0001, "0.0001"), (0.00001, "1e-05"), (-2.0, "-2"), (0.0, "0")],
)  # fmt: skip
def test_floats(value, text):
    assert go_values.text(value) == text


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text("ab \n\\\"'#:é-", max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text("ab1.-", max_size=4), inner)
        ),
        max_leaves=8,
    )
)
def test_kyaml_reads_as_it_was_written(value):
    assert yaml.safe_load(kyaml.dump(value)) == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{{.kind if}}", "unexpected <if> in operand"),
        ("{{.kind..x}}", "unexpected <.> in operand"),
        ("{{eq .items .items}}", r"non-comparable type \[map.*\]: \[\]interface {}"),
        ("{{`YWJj!` | base64decode}}", "illegal base64 data at input byte 4"),
    ],
)
def test_what_is_said_of_it(text, why):
    with pytest.raises(TemplateError, match=why):
        render(text)


def test_floats_are_gos_wherever_they_are_shown():
    value = {"f": 3.14159265358979, "g": 12345678.5, "h": 1e22, "i": 1e-07, "w": 5.0}
    shown = ["3.14159265358979", "1.23456785e+07", "1e+22", "1e-07", "5"]
    assert jsonpath.render(jsonpath.parse("{.f} {.g} {.h} {.i} {.w}"), value).split() == shown
    assert yaml_text.dump(value).split()[1::2] == shown


def test_columns_of_ones_own_command_no_terminal():
    values = SimpleNamespace(no_headers=True)
    show = templates.printer("custom-columns", "A:.a,B:.b", values)
    assert show({"a": "x\x1b[31m\r", "b": 1}) == "x^[[31m\\r   1\n"
    assert show({"a": "one\ntwo", "b": 1}) == "one\ntwo         1\n"


def test_only_two_amounts_are_compared_as_amounts():
    names = ["m", "kube", "1Gi", "900Mi"]  # an m alone is no amount beside a word
    found = ordered([{"f": name} for name in names], ".f", lambda obj: obj)
    assert [obj["f"] for obj in found] == ["900Mi", "1Gi", "kube", "m"]


def test_sorting_by_a_field():
    names = ["a10", "a9", "b", None, "2Gi", "1Gi", "300Mi"]
    objects = [{"f": name} if name else {} for name in names]
    found = [obj.get("f") for obj in ordered(objects, ".f", lambda obj: obj)]
    assert found == [None, "300Mi", "1Gi", "2Gi", "a9", "a10", "b"]
