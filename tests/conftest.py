from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

# How fast a machine is says nothing about what is right, and what is tried is the same each time:
# a change is not blamed for what chance has found. ``PODIUM_FUZZ`` looks further, see
# ``support.fuzzing``.
settings.register_profile(
    "podium",
    deadline=None,
    derandomize="PODIUM_FUZZ" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("podium")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rewrite",
        action="store_true",
        help="write the transcripts of tests/scenarios anew; review the difference",
    )
    parser.addoption(
        "--every-side-effect",
        action="store_true",
        help="kill the kubelet after each side effect, not only after some",
    )
    parser.addoption(
        "--soak",
        default="40",
        metavar="PODS",
        help="how many Pods come and go in tests/e2e/test_soak.py (1000 takes six minutes)",
    )
