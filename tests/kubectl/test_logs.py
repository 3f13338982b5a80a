"""What ``kubectl logs`` asks the server for."""

from __future__ import annotations

from unittest.mock import NonCallableMock

import pytest

from podium.kubectl.command import Invocation
from podium.kubectl.flags import parse
from podium.kubectl.verbs import logs


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("2500ms", "3"), ("1499ms", "1"), ("500ms", "1"), ("300ms", "0"), ("1h", "3600")],
)
def test_halves_of_seconds_are_rounded_up(text, seconds):
    parsed = parse(logs.COMMAND.flags, ["web", f"--since={text}"])
    session = NonCallableMock()  # nobody is asked
    invocation = Invocation("kubectl logs", parsed.values, parsed.words, None, session)
    assert logs._query(invocation) == [("sinceSeconds", seconds)]
