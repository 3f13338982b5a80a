"""JSON as Go reads it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.api import go_json
from podium.api.go_json import Number, Pairs, SyntaxFailure


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "unexpected end of JSON input"),
        (b"  ", "unexpected end of JSON input"),
        (b"{", "unexpected end of JSON input"),
        (b'{"a"', "unexpected end of JSON input"),
        (b'{"a":', "unexpected end of JSON input"),
        (b'{"a":1', "unexpected end of JSON input"),
        (b'"abc', "unexpected end of JSON input"),
        (b"tru", "unexpected end of JSON input"),
        (b"-", "unexpected end of JSON input"),
        (b"x", "invalid character 'x' looking for beginning of value"),
        (b"[,", "invalid character ',' looking for beginning of value"),
        (b"[1,]", "invalid character ']' looking for beginning of value"),
        (b'{"a":}', "invalid character '}' looking for beginning of value"),
        (b"{a", "invalid character 'a' looking for beginning of object key string"),
        (b'{"a":1,}', "invalid character '}' looking for beginning of object key string"),
        (b'{"a" 1}', "invalid character '1' after object key"),
        (b'{"a":1 2}', "invalid character '2' after object key:value pair"),
        (b"[1 2]", "invalid character '2' after array element"),
        (b"1 2", "invalid character '2' after top-level value"),
        (b"{}}", "invalid character '}' after top-level value"),
        (b'"\n"', "invalid character '\\n' in string literal"),
        (b'"\x01"', "invalid character '\\x01' in string literal"),
        (b'"\\x"', "invalid character 'x' in string escape code"),
        (b'"\\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"),
        (b"-x", "invalid character 'x' in numeric literal"),
        (b"01", "invalid character '1' after top-level value"),
        (b"1.x", "invalid character 'x' after decimal point in numeric literal"),
        (b"1ex", "invalid character 'x' in exponent of numeric literal"),
        (b"trux", "invalid character 'x' in literal true (expecting 'e')"),
        (b"nonsense", "invalid character 'o' in literal null (expecting 'u')"),
        (b"NaN", "invalid character 'N' looking for beginning of value"),
        (b"[Infinity]", "invalid character 'I' looking for beginning of value"),
        (b"'a'", "invalid character '\\'' looking for beginning of value"),
        (b"\xef\xbb\xbf{}", "invalid character 'ï' looking for beginning of value"),
        (b"\xff", "invalid character 'ÿ' looking for beginning of value"),
    ],
    ids=repr,
)
def test_syntax_errors(body, message):
    with pytest.raises(SyntaxFailure) as failure:
        go_json.load(body)
    assert str(failure.value) == message


def test_nothing_is_lost():
    loaded = go_json.load(b'{"a":1.50,"a":[true,null,12e1],"b":{}}')
    assert loaded == [("a", "1.50"), ("a", [True, None, "12e1"]), ("b", [])]
    assert isinstance(loaded, Pairs)
    assert isinstance(loaded[0][1], Number)
    assert go_json.plain(loaded) == {"a": [True, None, 120.0], "b": {}}


@pytest.mark.parametrize("depth", [5_000, 50_000])
def test_depth_is_limited_whatever_the_brackets(depth):
    for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
        with pytest.raises(SyntaxFailure, match="exceeded max depth"):
            go_json.load(opening * depth + b"1" + closing * depth)


@pytest.mark.parametrize(
    ("text", "value"),
    [("5", 5), ("-5", -5), ("1.0", 1.0), ("1e3", 1000.0), ("9" * 25, float("9" * 25))],
)
def test_numbers(text, value):
    assert go_json.number(text) == value
    assert type(go_json.number(text)) is type(value)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=10,
)


@given(VALUES, st.booleans())
def test_what_json_writes_is_read_back(value, ascii_only):
    text = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    assert go_json.plain(go_json.load(text)) == value


@given(st.binary(max_size=30) | st.text('{}[]",:0123e.-tfnul\\ ', max_size=30).map(str.encode))
def test_the_scanner_refuses_what_the_parser_refuses(body):
    try:
        go_json.load(body)
    except SyntaxFailure as exc:
        said = str(exc)
    else:
        said = ""
        go_json._check(body)
    assert "max depth" not in said
