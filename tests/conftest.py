from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

# How fast a machine is says nothing about what is right.
settings.register_profile("podium", deadline=None, suppress_health_check=[HealthCheck.too_slow])
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
