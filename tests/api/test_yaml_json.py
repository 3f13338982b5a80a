"""YAML as the JSON value it stands for."""

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from podium.api import yaml_json
from podium.api.yaml_json import YamlFailure


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("yes", True),
        ("Off", False),
        ("n", False),
        ("y", True),
        ("TRUE", True),
        ("tRUE", "tRUE"),
        ("12", 12),
        ("-12", -12),
        ("+12", 12),
        ("1_000", 1000),
        ("0x1F", 31),
        ("0777", 511),
        ("0o17", 15),
        ("0b11", 3),
        ("-0b11", -3),
        ("089", 89),
        ("1.5", 1.5),
        ("1e3", 1000),
        (".5", 0.5),
        ("1.", 1),
        ("18446744073709551615", 2**64 - 1),
        ("18446744073709551616", 18446744073709551616),
        ("1e21", 1e21),
        ("1:30", "1:30"),
        ("2024-01-02", "2024-01-02"),
        ("2024-01-02T03:04:05Z", "2024-01-02T03:04:05Z"),
        ("1.2.3", "1.2.3"),
        ("500m", "500m"),
        ("'12'", "12"),
        ('"yes"', "yes"),
        ("!!str 12", "12"),
        ("!!int '12'", 12),
        ("!!float 1", 1),
        ("! 12", "12"),
        ("!custom 12", "12"),
        ("!!binary YWJj", "abc"),
        ("!!timestamp 2024-01-02", "2024-01-02"),
        ("<<", "<<"),
        ("[a, 1, {b: c}]", ["a", 1, {"b": "c"}]),
        ("1: a\ntrue: b\n1.5: c", {"1": "a", "true": "b", "1.5": "c"}),
        ("a: &x {b: 1}\nc: *x", {"a": {"b": 1}, "c": {"b": 1}}),
        ("a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}", {"a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 3}}),
        ("<<: [{a: 1}, {a: 2, b: 3}]", {"a": 1, "b": 3}),
        ("a: |\n  x\n  y\n", {"a": "x\ny\n"}),
        ("a: 1\n---\nb: 2", {"a": 1}),
        ("---\n# nothing\n", None),
    ],
)
def test_values(text, value):
    read, repeated = yaml_json.load(text)
    assert (read, repeated) == (value, [])
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("text", "repeated"),
    [
        ("a: 1\na: 2", ['line 2: key "a" already set in map']),
        ("x:\n- b: 1\n  b:\n    c: 2", ['line 4: key "b" already set in map']),
        ("1: a\n1: b", ["line 2: key 1 already set in map"]),
        ('1: a\n"1": b', []),
    ],
)
def test_repeated_keys_are_told_by_the_line_of_their_value(text, repeated):
    value, said = yaml_json.load(text)
    assert said == repeated
    assert value is not None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "yaml: line 1: did not find expected node content"),
        ("a: b: c", "yaml: mapping values are not allowed in this context"),
        ("a: 1\n b: 2", "yaml: line 2: mapping values are not allowed in this context"),
        ("a:\n\t- b", "yaml: line 2: found character that cannot start any token"),
        ("a: *x", "yaml: unknown anchor 'x' referenced"),
        (
            "a: {{ .Values.b }}",
            'yaml: invalid map key: map[interface {}]interface {}{".Values.b":interface {}(nil)}',
        ),
        (
            "[1, true, {b: c}]: a",
            "yaml: invalid map key: []interface {}{1, true, "
            'map[interface {}]interface {}{"b":"c"}}',
        ),
        ("a: &x [*x]", "yaml: anchor 'x' value contains itself"),
        ("<<: 1", "yaml: map merge requires map or sequence of maps as the value"),
        ("!!int a", "yaml: cannot decode !!str `a` as a !!int"),
        ("!!bool 1", "yaml: cannot decode !!int `1` as a !!bool"),
        ("!!binary '*'", "yaml: !!binary value contains invalid base64 data"),
        ("a: .inf", "json: unsupported value: +Inf"),
        ("a: .nan", "json: unsupported value: NaN"),
        (b"\xff\xff", "yaml: invalid leading UTF-8 octet"),
        (b"\x01", "yaml: control characters are not allowed"),
    ],
    ids=repr,
)
def test_what_is_not_taken(text, message):
    with pytest.raises(YamlFailure) as failure:
        yaml_json.load(text)
    assert str(failure.value) == message


def test_aliases_cannot_blow_up():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(YamlFailure, match="document contains excessive aliasing"):
        yaml_json.load("\n".join(lines))


def test_a_long_text_cannot_be_repeated_without_end_by_aliases():
    lines = ["a: &a " + "x" * 100_000, "b: [" + ", ".join(["*a"] * 100_000) + "]"]
    with pytest.raises(YamlFailure, match="document contains excessive aliasing"):
        yaml_json.load("\n".join(lines))


@pytest.mark.parametrize("text", ["[" * 30_000, "{a: " * 30_000, "- " * 20_000])
def test_depth_is_limited(text):
    with pytest.raises(YamlFailure, match=r"exceeded max depth|did not find|block"):
        yaml_json.load(text)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("abc y01", max_size=3), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(VALUES)
def test_json_is_yaml(value):
    assert yaml_json.load(json.dumps(value, ensure_ascii=False)) == (value, [])


@given(VALUES)
def test_what_pyyaml_writes_is_read_back(value):
    read, repeated = yaml_json.load(yaml.safe_dump(value, default_style='"'))
    assert (read, repeated) == (value, [])
    assert json.dumps(read, sort_keys=True) == json.dumps(value, sort_keys=True)


@given(st.text("ab:-[]{}&*!|>'\"# \n\t,<%@`1?", max_size=40))
def test_any_text_is_read_or_refused(text):
    try:
        value, _ = yaml_json.load(text)
    except YamlFailure:
        return
    json.dumps(value)
