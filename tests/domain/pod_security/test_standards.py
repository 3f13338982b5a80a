"""Which checks a level has in which version."""

from __future__ import annotations

import pytest

from podium.domain.pod_security import standards
from podium.domain.pod_security.levels import LEVELS, LevelVersion
from podium.domain.pod_security.standards import checks, evaluate
from support.objects import pod

VERSIONS = range(standards.NEWEST + 1)
#: First version, and the last one before a check of the restricted level takes its place.
BASELINE = {
    "appArmorProfile": (0, None),
    "capabilities_baseline": (0, 21),
    "hostNamespaces": (0, None),
    "hostPathVolumes": (0, -1),
    "hostPorts": (0, None),
    "hostProbesAndHostLifecycle": (34, None),
    "privileged": (0, None),
    "procMount": (0, 34),
    "seLinuxOptions": (0, None),
    "seccompProfile_baseline": (0, 18),
    "sysctls": (0, None),
    "windowsHostProcess": (0, None),
}
RESTRICTED = {
    "allowPrivilegeEscalation": 8,
    "capabilities_restricted": 22,
    "procMount_restricted": 35,
    "restrictedVolumes": 0,
    "runAsNonRoot": 0,
    "runAsUser": 23,
    "seccompProfile_restricted": 19,
}


@pytest.mark.parametrize("version", VERSIONS)
def test_baseline(version: int) -> None:
    expected = [name for name, (since, _) in BASELINE.items() if since <= version]
    assert list(checks(LevelVersion("baseline", version))) == expected


@pytest.mark.parametrize("version", VERSIONS)
def test_restricted(version: int) -> None:
    kept = [
        name
        for name, (since, until) in BASELINE.items()
        if since <= version and (until is None or version <= until)
    ]
    added = [name for name, since in RESTRICTED.items() if since <= version]
    assert list(checks(LevelVersion("restricted", version))) == kept + added


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("version", [None, standards.NEWEST + 1, 10**6])
def test_versions_to_come_are_the_newest(level: str, version: int | None) -> None:
    newest = checks(LevelVersion(level, standards.NEWEST))
    assert checks(LevelVersion(level, version)) is newest or not newest


@pytest.mark.parametrize("version", [None, *VERSIONS])
def test_privileged_allows_all(version: int | None) -> None:
    made = pod({"hostNetwork": True, "hostPID": True})
    assert not evaluate(LevelVersion("privileged", version), made)


@pytest.mark.parametrize("version", [None, *VERSIONS])
def test_baseline_allows_what_says_nothing(version: int | None) -> None:
    assert not evaluate(LevelVersion("baseline", version), pod())


def test_the_texts() -> None:
    made = pod({
        "hostNetwork": True, "hostPID": True, "hostIPC": True,
        "volumes": [{"name": "v", "hostPath": {"path": "/"}}],
    })  # fmt: skip
    found = evaluate(LevelVersion("baseline"), made)
    assert standards.details(found) == (
        "host namespaces (hostNetwork=true, hostPID=true, hostIPC=true), "
        'hostPath volumes (volume "v")'
    )
    assert standards.reasons(found) == "host namespaces, hostPath volumes"
