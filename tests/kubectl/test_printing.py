"""Texts: alignment, ages, YAML, labels of fields."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from podium.kubectl.printing import ages
from podium.kubectl.printing.describe_generic import smart_label
from podium.kubectl.printing.table import Aligner, cell
from podium.kubectl.printing.tabwriter import align
from podium.kubectl.printing.yaml_text import dump


@pytest.mark.parametrize(
    ("text", "aligned"),
    [
        pytest.param("a:\tb\nlong:\tc", "a:     b\nlong:  c", id="one-column"),
        pytest.param("a:\tb\nplain\nlong:\tc", "a:  b\nplain\nlong:  c", id="blocks-are-apart"),
        pytest.param("a\tb\tc\nlonger\t1", "a       b  c\nlonger  1", id="columns-end"),
        pytest.param("\tx\nab\ty", "    x\nab  y", id="an-empty-cell"),
    ],
)
def test_tabs(text, aligned):
    assert align(text) == aligned


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "<invalid>"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (125, "2m5s"),
        (600, "10m"),
        (10_799, "179m"),
        (10_800, "3h"),
        (3 * 3600 + 60, "3h1m"),
        (8 * 3600 + 60, "8h"),
        (48 * 3600, "2d"),
        (50 * 3600, "2d2h"),
        (8 * 86400, "8d"),
        (730 * 86400, "2y"),
        (735 * 86400, "2y5d"),
    ],
)
def test_ages(seconds, text):
    assert ages.human(seconds) == text


def test_columns_are_as_wide_as_their_widest_cell():
    rows = [["NAME", "AGE"], ["a-long-name", "1s"], ["b", "2s"]]
    assert Aligner().lines(rows) == ["NAME          AGE", "a-long-name   1s", "b             2s"]


@pytest.mark.parametrize(
    ("value", "text"), [(None, "<nil>"), (True, "true"), (3, "3"), ("a\nb", "a..."), ("", "")]
)
def test_cells(value, text):
    assert cell(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("yes", '"yes"'),
        ("1", '"1"'),
        ("1.0", '"1.0"'),
        ("0x1f", '"0x1f"'),
        ("", '""'),
        ("null", '"null"'),
        ("2026-11-28T04:35:52Z", '"2026-11-28T04:35:52Z"'),
        ("1:30", '"1:30"'),
        ("plain", "plain"),
        ("1.2.3", "1.2.3"),
        ("it's: # odd", "'it''s: # odd'"),
        ("two\nlines\n", "|\n  two\n  lines"),
    ],
)
def test_texts_in_yaml(value, text):
    assert dump({"k": value}) == f"k: {text}\n"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(VALUES)
def test_yaml_reads_as_it_was_written(value):
    try:
        text = dump(value)
        found = yaml.safe_load(text)
    except (UnicodeEncodeError, yaml.reader.ReaderError):
        return  # control characters, which no API object carries
    assert json.dumps(found, sort_keys=True) == json.dumps(value, sort_keys=True)


@pytest.mark.parametrize(
    ("name", "words"),
    [("creationTimestamp", "Creation Timestamp"), ("clusterIP", "Cluster IP"), ("uid", "UID"),
     ("apiVersion", "API Version")],
)  # fmt: skip
def test_labels_of_fields(name, words):
    assert smart_label(name) == words
