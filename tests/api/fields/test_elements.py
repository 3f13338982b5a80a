"""How conflicts and errors show paths."""

from __future__ import annotations

import pytest

from podium.api.fields import elements


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        pytest.param(("f:data", "f:a.b"), ".data.a.b", id="fields"),
        pytest.param(
            ("f:spec", "f:containers", 'k:{"name":"c"}', "f:image"),
            '.spec.containers[name="c"].image',
            id="by-key",
        ),
        pytest.param(
            ("f:ports", 'k:{"containerPort":80,"protocol":"TCP"}'),
            '.ports[containerPort=80,protocol="TCP"]',
            id="by-two-keys",
        ),
        pytest.param(("f:finalizers", 'v:"a/b"'), '.finalizers[="a/b"]', id="value"),
        pytest.param(("f:args", "i:2"), ".args[2]", id="place"),
    ],
)  # fmt: skip
def test_paths_are_shown_as_upstream_shows_them(path: tuple[str, ...], shown: str) -> None:
    assert elements.show_path(path) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (3, "3"),
        (1.5, "1.5"),
        ('a"b', '"a\\"b"'),
        ([1, "x"], '[1,"x"]'),
        ({"b": 1, "a": [True]}, "{a=[true];b=1}"),
    ],
)
def test_values_are_shown_as_upstream_shows_them(value: object, shown: str) -> None:
    assert elements.show_value(value) == shown


def test_keys_are_sorted_and_escaped() -> None:
    assert elements.keyed({"b": 'x"y', "a": 1}) == 'k:{"a":1,"b":"x\\"y"}'
