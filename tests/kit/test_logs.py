"""One line a record, whatever is in it."""

from __future__ import annotations

import fcntl
import logging
import os

import pytest

from podium.kit.logs import KeyValueFormatter, is_blocked, quote


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param("default/web", "default/web", id="plain-word"),
        pytest.param(5, "5", id="number"),
        pytest.param("two words", '"two words"', id="blank"),
        pytest.param('say "hi"', '"say \\"hi\\""', id="quotes"),
        pytest.param("a\nb", '"a\\nb"', id="newline-stays-on-the-line"),
        pytest.param("a\rb\x1b[2J", '"a\\rb\\x1b[2J"', id="no-orders-to-a-terminal"),
        pytest.param("é", "é", id="any-script"),
        pytest.param("a=b", '"a=b"', id="equals-sign"),
        pytest.param("", '""', id="empty"),
        pytest.param("back\\slash n", '"back\\\\slash n"', id="backslash"),
    ],
)
def test_values(value, text):
    assert quote(value) == text


def test_extras_become_fields():
    record = logging.makeLogRecord(
        {
            "msg": "pod %s",
            "args": ("x",),
            "levelname": "WARNING",
            "created": 0.0,
            "msecs": 0.0,
            "pod": "a/b",
        }
    )
    line = KeyValueFormatter("kubelet").format(record)
    assert line == (
        'time=1970-01-01T00:00:00.000Z level=warning component=kubelet msg="pod x" pod=a/b'
    )


def test_a_log_that_nobody_reads_is_noticed():
    reader, writer = os.pipe()
    try:
        assert not is_blocked(writer)
        os.set_blocking(writer, False)
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
        assert os.write(writer, b"x" * 65536) == 4096
        assert is_blocked(writer)
        os.read(reader, 4096)
        assert not is_blocked(writer)
    finally:
        os.close(reader)
        os.close(writer)
