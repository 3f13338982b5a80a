"""Tolerations of two sources made one list."""

from __future__ import annotations

import pytest

from podium.api.types.core_v1 import Toleration
from podium.domain.scheduling.tolerations import merged


def of(key: str, operator: str = "Exists", effect: str = "", **more: object) -> Toleration:
    return Toleration(key=key, operator=operator, effect=effect, **more)  # type: ignore[arg-type]


A, B, ANY = of("a"), of("b"), of("")
A_IS_X = of("a", "Equal", value="x")
A_NO_EXECUTE = of("a", effect="NoExecute")
A_MINUTE = of("a", effect="NoExecute", toleration_seconds=60)
A_SECOND = of("a", effect="NoExecute", toleration_seconds=1)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        pytest.param([A], [B], [A, B], id="different"),
        pytest.param([A], [A], [A], id="equal"),
        pytest.param([A_IS_X], [A], [A], id="the-wider-replaces"),
        pytest.param([A], [A_IS_X], [A], id="the-narrower-is-dropped"),
        pytest.param([A, B, A_IS_X], [ANY], [ANY], id="all"),
        pytest.param([A_NO_EXECUTE], [A], [A], id="every-effect"),
        pytest.param([A_SECOND], [A_MINUTE], [A_MINUTE], id="longer"),
        pytest.param([A_MINUTE], [A_NO_EXECUTE], [A_NO_EXECUTE], id="for-ever"),
        pytest.param([A_NO_EXECUTE], [A_MINUTE], [A_NO_EXECUTE], id="not-for-long"),
        pytest.param([A_IS_X], [of("a", "Equal", value="y")],
                     [A_IS_X, of("a", "Equal", value="y")], id="other-values"),
        pytest.param([A_IS_X], [of("a", "", value="x")], [of("a", "", value="x")],
                     id="no-operator"),
    ],
)  # fmt: skip
def test_merged(
    first: list[Toleration], second: list[Toleration], expected: list[Toleration]
) -> None:
    assert merged(first, second) == expected
