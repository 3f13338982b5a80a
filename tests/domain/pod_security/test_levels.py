"""What a namespace's labels ask for."""

from __future__ import annotations

import pytest

from podium.domain.pod_security.levels import LevelVersion, Policy, policy_of, stricter

ENFORCE, AUDIT, WARN = (
    f"pod-security.kubernetes.io/{mode}" for mode in ("enforce", "audit", "warn")
)
LEVEL = 'Invalid value: "x": must be one of privileged, baseline, restricted'
VERSION = 'must be "latest" or "v1.x"'


@pytest.mark.parametrize(
    ("labels", "policy"),
    [
        pytest.param({}, Policy(), id="none"),
        pytest.param({"app": "x", "pod-security.kubernetes.io/other": "x"}, Policy(), id="others"),
        pytest.param(
            {ENFORCE: "baseline", f"{ENFORCE}-version": "v1.0"},
            Policy(enforce=LevelVersion("baseline", 0)),
            id="enforce",
        ),
        pytest.param(
            {AUDIT: "restricted", f"{AUDIT}-version": "latest", WARN: "baseline"},
            Policy(audit=LevelVersion("restricted"), warn=LevelVersion("baseline")),
            id="audit-and-warn",
        ),
        pytest.param(
            {f"{WARN}-version": "v1.25"},
            Policy(warn=LevelVersion("privileged", 25)),
            id="a-version-alone",
        ),
    ],
)
def test_labels(labels: dict[str, str], policy: Policy) -> None:
    assert policy_of(labels) == (policy, [])


@pytest.mark.parametrize(
    ("labels", "policy", "wrong"),
    [
        pytest.param(
            {ENFORCE: "x"}, Policy(enforce=LevelVersion("restricted")),
            [f"metadata.labels[{ENFORCE}]: {LEVEL}"],
            id="enforced-is-the-strictest",
        ),
        pytest.param(
            {AUDIT: "x", WARN: "x"}, Policy(),
            [f"metadata.labels[{AUDIT}]: {LEVEL}", f"metadata.labels[{WARN}]: {LEVEL}"],
            id="nobody-is-warned",
        ),
        *(
            pytest.param(
                {ENFORCE: "baseline", f"{ENFORCE}-version": text},
                Policy(enforce=LevelVersion("baseline")),
                [f'metadata.labels[{ENFORCE}-version]: Invalid value: "{text}": {VERSION}'],
                id=f"version-{text}",
            )
            for text in ("", "1.24", "v1", "v2.0", "v1.024", "v1.24.0", "v1.x", "v1." + "9" * 60)
        ),
    ],
)  # fmt: skip
def test_wrong_labels(labels: dict[str, str], policy: Policy, wrong: list[str]) -> None:
    found, errors = policy_of(labels)
    assert found == policy
    assert [str(error) for error in errors] == wrong


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        (LevelVersion(), "privileged:latest"),
        (LevelVersion("restricted"), "restricted:latest"),
        (LevelVersion("baseline", 24), "baseline:v1.24"),
    ],
)
def test_text(wanted: LevelVersion, text: str) -> None:
    assert str(wanted) == text


def test_strictness_is_an_order() -> None:
    assert stricter("restricted", "baseline")
    assert stricter("baseline", "privileged")
    assert not stricter("baseline", "baseline")
    assert not stricter("privileged", "restricted")
