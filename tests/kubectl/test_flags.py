"""Command lines as pflag reads them."""

from __future__ import annotations

import pytest

from podium.kubectl import formats
from podium.kubectl.flags import Flag, FlagError, Kind, duration, parse
from podium.kubectl.writing import dry_run

FLAGS = (
    Flag("output", short="o", kind=Kind.FORMAT),
    Flag("watch", False, short="w", kind=Kind.BOOL),
    Flag("stdin", False, short="i", kind=Kind.BOOL),
    Flag("tty", False, short="t", kind=Kind.BOOL),
    Flag("chunk-size", 500, kind=Kind.INT),
    Flag("label-columns", [], short="L", kind=Kind.LIST),
    Flag("env", [], kind=Kind.ARRAY),
    Flag("dry-run", "none", bare="unchanged"),
)


@pytest.mark.parametrize(
    ("line", "name", "value", "words"),
    [
        ("-o yaml x", "output", "yaml", ["x"]),
        ("x -oyaml", "output", "yaml", ["x"]),
        ("-o=yaml x", "output", "yaml", ["x"]),
        ("--output yaml x", "output", "yaml", ["x"]),
        ("--output=yaml x", "output", "yaml", ["x"]),
        ("--output= x", "output", "", ["x"]),
        ("-o YAML x", "output", "yaml", ["x"]),
        ("-o JSON=A x", "output", "JSON=A", ["x"]),
        ("--label_columns=a x", "label_columns", ["a"], ["x"]),
        ("-w x", "watch", True, ["x"]),
        ("--watch=f x", "watch", False, ["x"]),
        ("-it x", "tty", True, ["x"]),
        ("-itoyaml x", "output", "yaml", ["x"]),
        ("--chunk-size 0 x", "chunk_size", 0, ["x"]),
        ("--chunk-size 0x10 x", "chunk_size", 16, ["x"]),
        ("--chunk-size 010 x", "chunk_size", 8, ["x"]),
        ("--chunk-size 1_0 x", "chunk_size", 10, ["x"]),
        ("-o= x", "output", "=", ["x"]),
        ('-L"a,""b""",c x', "label_columns", ['a,"b"', "c"], ["x"]),
        ("-La,b -L c x", "label_columns", ["a", "b", "c"], ["x"]),
        ("--env a,b --env c", "env", ["a,b", "c"], []),
        ("--dry-run x", "dry_run", "unchanged", ["x"]),
        ("--dry-run=server", "dry_run", "server", []),
        ("x -- -o yaml", "output", "", ["x", "-o", "yaml"]),
        ("x -", "output", "", ["x", "-"]),
    ],
)
def test_reading(line, name, value, words):
    parsed = parse(FLAGS, line.split(" "))
    assert (getattr(parsed.values, name), list(parsed.words)) == (value, words)


def test_what_stands_before_the_dash_is_counted():
    assert parse(FLAGS, ["a", "b", "--", "c"]).dash == 2
    assert parse(FLAGS, ["a", "b"]).dash is None


def _no_number(text, why):
    return (
        f'invalid argument "{text}" for "--chunk-size" flag: strconv.ParseInt: parsing "{text}": '
        f"{why}"
    )


def _no_record(text, column, why):
    shown = text.replace('"', '\\"')
    return (
        f'invalid argument "{shown}" for "-L, --label-columns" flag: parse error on line 1, column '
        f"{column}: {why}"
    )


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("--foo", "unknown flag: --foo"),
        ("-x", "unknown shorthand flag: 'x' in -x"),
        ("-itx", "unknown shorthand flag: 'x' in -x"),
        ("-ito", "flag needs an argument: 'o' in -o"),
        ("-w=", "unknown shorthand flag: '=' in -="),
        ("--output", "flag needs an argument: --output"),
        ("-o", "flag needs an argument: 'o' in -o"),
        ("--=x", "bad flag syntax: --=x"),
        ("--chunk-size=08", _no_number("08", "invalid syntax")),
        ("--chunk-size=1_", _no_number("1_", "invalid syntax")),
        (f"--chunk-size={1 << 63}", _no_number(f"{1 << 63}", "value out of range")),
        ('-La,"b', _no_record('a,"b', 5, 'extraneous or missing " in quoted-field')),
        ('-L"a"b', _no_record('"a"b', 3, 'extraneous or missing " in quoted-field')),
        ('-La"b', _no_record('a"b', 2, 'bare " in non-quoted-field')),
        (
            "--chunk-size=x",
            'invalid argument "x" for "--chunk-size" flag: strconv.ParseInt: parsing "x": '
            "invalid syntax",
        ),
        (
            "--watch=maybe",
            'invalid argument "maybe" for "-w, --watch" flag: strconv.ParseBool: parsing "maybe": '
            "invalid syntax",
        ),
    ],
)
def test_what_is_wrong_is_said_as_pflag_says_it(line, says):
    with pytest.raises(FlagError) as caught:
        parse(FLAGS, [line])
    assert str(caught.value) == says


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1s", 1), ("1m30s", 90), ("1.5h", 5400), ("100ms", 0.1), ("0", 0), ("-2m", -120)],
)
def test_durations(text, seconds):
    assert duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "invalid"),
        ("s", "invalid"),
        (".s", "invalid"),
        ("+-1s", "invalid"),
        ("9999999999h", "invalid"),
        ("1", "missing unit in"),
        ("1s2", "missing unit in"),
        ("1x", 'unknown unit "x" in'),
        ("1s-", 'unknown unit "s-" in'),
    ],
)
def test_what_is_no_duration(text, why):
    with pytest.raises(ValueError, match=r"^time: ") as caught:
        duration(text)
    assert str(caught.value) == f'time: {why} duration "{text}"'


def test_what_was_given_stays_what_was_given(capsys):
    """--record writes it into objects."""
    values = parse(FLAGS, ["-o", "JSON", "--dry-run"]).values
    assert formats.printer(values) is not None
    assert [dry_run(values), dry_run(values)] == ["client", "client"]
    assert capsys.readouterr().err.count("--dry-run is deprecated") == 1
    assert values.given() == ["--output=JSON", "--dry-run=unchanged"]
