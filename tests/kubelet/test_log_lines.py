from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.kubelet.log_lines import LogFilter, LogRenderer, parse_line, tail_start
from podium.kubelet.logs import _blocks_from_end

STAMP = b"2025-01-13T07:30:00.123456789Z"


@pytest.mark.parametrize(
    ("raw", "content", "partial"),
    [
        (STAMP + b" stdout F hello\n", b"hello\n", False),
        (STAMP + b" stderr F \n", b"\n", False),
        (STAMP + b" stdout F\n", b"\n", False),
        (STAMP + b" stdout F of a terminal\r\n", b"of a terminal\n", False),
        (STAMP + b" stdout P half\n", b"half", True),
        (STAMP + b" stdout P half\r\n", b"half\r", True),
        (STAMP + b" stdout P:tag half\n", b"half", True),
    ],
)
def test_a_line_is_read(raw, content, partial):
    line = parse_line(raw)
    assert (line.content, line.partial) == (content, partial)


@pytest.mark.parametrize("raw", [b"", b"garbage\n", STAMP + b" stdout F unfinished", b"a b c d\n"])
def test_what_is_no_line_is_passed_over(raw):
    assert parse_line(raw) is None


def test_parts_of_a_line_are_joined_and_stamped_once():
    lines = [STAMP + b" stdout P one \n", STAMP + b" stdout F two\n"]
    text = b"".join(LogRenderer(LogFilter(timestamps=True)).render(lines))
    assert text == STAMP + b" one two\n"


def test_utc_is_printed_as_z():
    lines = [b"2025-01-13T07:30:00.123456789+00:00 stdout F one\n"]
    text = b"".join(LogRenderer(LogFilter(timestamps=True)).render(lines))
    assert text == STAMP + b" one\n"


def test_an_unfinished_line_ends_where_the_other_stream_writes():
    lines = [STAMP + b" stdout P no end\n", STAMP + b" stderr F error\n"]
    assert b"".join(LogRenderer(LogFilter()).render(lines)) == b"no end\nerror\n"


RAW = st.builds(
    b" ".join,
    st.tuples(
        st.sampled_from([STAMP, STAMP, b"2025-01-13T07:30:00.000000000+00:00", b"x", b""]),
        st.sampled_from([b"stdout", b"stderr", b"garbage"]),
        st.sampled_from([b"F", b"P", b"F:tag"]),
        st.sampled_from(
            [b"", b"one", b"a stdout F b", b"a stdout P b", b"\r", b"of a terminal\r", b"\xff \0"]
        ),
    ),
)
FILTERS = (LogFilter(), LogFilter(stream="Stderr"), LogFilter(timestamps=True))


@given(st.lists(st.lists(RAW, min_size=1), max_size=6), st.sampled_from(FILTERS))
def test_a_block_is_what_its_lines_are(blocks, wanted):
    whole, single = LogRenderer(wanted), LogRenderer(wanted)
    for lines in blocks:
        raw = [line + b"\n" for line in lines]
        assert whole.render_block(b"".join(raw)) == b"".join(single.render(raw))


@given(st.lists(st.text("ab \t", max_size=5), max_size=40), st.integers(0, 45), st.booleans())
def test_the_tail_of_a_file_is_its_last_lines(lines, wanted, unfinished):
    """Against the dumb way: split it all, take the last ones."""
    data = "".join(f"{line}\n" for line in lines).encode() + (b"rest" if unfinished else b"")
    start = tail_start(_blocks_from_end(io.BytesIO(data)), wanted)
    pieces = data.splitlines(keepends=True)
    assert data[start:] == b"".join(pieces[len(pieces) - wanted :] if wanted < len(pieces)
                                    else pieces)  # fmt: skip
