"""The checks that the restricted level adds, one table each."""

from __future__ import annotations

from typing import Any

import pytest

from podium.domain.pod_security.levels import LevelVersion
from podium.domain.pod_security.standards import checks, evaluate
from support.objects import container, pod

WINDOWS = {"os": {"name": "windows"}}
HARDENED: dict[str, Any] = {
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    "containers": [container(securityContext={
        "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]},
    })],
}  # fmt: skip


def judge(check: str, version: int | None, spec: dict[str, Any]) -> str:
    violation = checks(LevelVersion("restricted", version))[check](pod(spec))
    return "" if violation is None else str(violation)


def secured(**names: dict[str, Any]) -> dict[str, Any]:
    made = [container(name=name, securityContext=context) for name, context in names.items()]
    return {"containers": made}


@pytest.mark.parametrize("version", [None, *range(38)])
def test_a_hardened_pod_is_allowed(version: int | None) -> None:
    assert not evaluate(LevelVersion("restricted", version), pod(HARDENED))


@pytest.mark.parametrize(
    ("version", "spec", "said"),
    [
        pytest.param(8, secured(a={"allowPrivilegeEscalation": False}), "", id="given-up"),
        pytest.param(None, secured(a={"allowPrivilegeEscalation": True}, b={}),
                     'containers "a", "b"', id="kept"),
        pytest.param(24, secured(a={}) | WINDOWS, 'container "a"', id="windows-until-1.24"),
        pytest.param(25, secured(a={}) | WINDOWS, "", id="windows-since-1.25"),
    ],
)  # fmt: skip
def test_privilege_escalation(version: int | None, spec: dict[str, Any], said: str) -> None:
    text = (
        f"allowPrivilegeEscalation != false ({said} must set "
        "securityContext.allowPrivilegeEscalation=false)"
    )
    assert judge("allowPrivilegeEscalation", version, spec) == (text if said else "")


def capable(drop: list[str], add: list[str]) -> dict[str, Any]:
    return {"capabilities": {"drop": drop, "add": add}}


@pytest.mark.parametrize(
    ("version", "spec", "said"),
    [
        pytest.param(22, secured(a=capable(["KILL", "ALL"], ["NET_BIND_SERVICE"])), "", id="none"),
        pytest.param(None, secured(a={}, b=capable(["all"], [])),
                     'containers "a", "b" must set securityContext.capabilities.drop=["ALL"]',
                     id="kept"),
        pytest.param(None, secured(a=capable(["ALL"], ["KILL", "CHOWN"])),
                     'container "a" must not include "CHOWN", "KILL" in '
                     "securityContext.capabilities.add", id="added"),
        pytest.param(None, secured(a={}, b=capable([], ["KILL"])),
                     'containers "a", "b" must set securityContext.capabilities.drop=["ALL"]; '
                     'container "b" must not include "KILL" in securityContext.capabilities.add',
                     id="both"),
        pytest.param(24, secured(a={}) | WINDOWS,
                     'container "a" must set securityContext.capabilities.drop=["ALL"]',
                     id="windows-until-1.24"),
        pytest.param(25, secured(a={}) | WINDOWS, "", id="windows-since-1.25"),
    ],
)  # fmt: skip
def test_capabilities(version: int | None, spec: dict[str, Any], said: str) -> None:
    expected = f"unrestricted capabilities ({said})" if said else ""
    assert judge("capabilities_restricted", version, spec) == expected


@pytest.mark.parametrize("version", [35, None])
def test_proc_mount_even_in_a_user_namespace(version: int | None) -> None:
    spec = secured(a={"procMount": "Unmasked"}) | {"hostUsers": False}
    assert judge("procMount_restricted", version, spec) == (
        'procMount (container "a" must not set securityContext.procMount to "Unmasked")'
    )


ALLOWED = {
    "configMap": {"name": "x"}, "csi": {"driver": "x"}, "downwardAPI": {}, "emptyDir": {},
    "ephemeral": {}, "image": {}, "persistentVolumeClaim": {"claimName": "x"}, "projected": {},
    "secret": {"secretName": "x"},
}  # fmt: skip
RESTRICTED = {
    "awsElasticBlockStore": {"volumeID": "x"}, "azureDisk": {"diskName": "x", "diskURI": "x"},
    "azureFile": {}, "cephfs": {}, "cinder": {"volumeID": "x"}, "fc": {},
    "flexVolume": {"driver": "x"}, "flocker": {}, "gcePersistentDisk": {"pdName": "x"},
    "gitRepo": {"repository": "x"}, "glusterfs": {}, "hostPath": {"path": "/"}, "iscsi": {},
    "nfs": {}, "photonPersistentDisk": {"pdID": "x"}, "portworxVolume": {"volumeID": "x"},
    "quobyte": {}, "rbd": {}, "scaleIO": {}, "storageos": {}, "vsphereVolume": {"volumePath": "x"},
}  # fmt: skip


@pytest.mark.parametrize("version", [0, None])
@pytest.mark.parametrize("source", [*ALLOWED, *RESTRICTED])
def test_volume_types(version: int | None, source: str) -> None:
    spec = {"volumes": [{"name": "v", source: (ALLOWED | RESTRICTED)[source]}]}
    text = f'restricted volume types (volume "v" uses restricted volume type "{source}")'
    assert judge("restrictedVolumes", version, spec) == (text if source in RESTRICTED else "")


def test_several_volumes() -> None:
    volumes = [{"name": "b", "nfs": {}}, {"name": "a", "hostPath": {"path": "/"}}]
    assert judge("restrictedVolumes", None, {"volumes": volumes}) == (
        'restricted volume types (volumes "b", "a" use restricted volume types "hostPath", "nfs")'
    )


YES, NO = {"runAsNonRoot": True}, {"runAsNonRoot": False}


@pytest.mark.parametrize(
    ("version", "spec", "said"),
    [
        pytest.param(0, secured(a={}) | {"securityContext": YES}, "", id="pod"),
        pytest.param(0, secured(a=YES), "", id="containers"),
        pytest.param(0, secured(a=YES, b={}),
                     'pod or container "b" must set securityContext.runAsNonRoot=true',
                     id="silent"),
        pytest.param(None, secured(a=NO, b={}) | {"securityContext": YES},
                     'container "a" must not set securityContext.runAsNonRoot=false', id="a-no"),
        pytest.param(None, secured(a=NO, b=NO) | {"securityContext": NO},
                     'pod and containers "a", "b" must not set securityContext.runAsNonRoot=false',
                     id="all-no"),
        pytest.param(34, secured(a={}) | {"hostUsers": False},
                     'pod or container "a" must set securityContext.runAsNonRoot=true',
                     id="user-namespace-until-1.34"),
        pytest.param(35, secured(a=NO) | {"hostUsers": False}, "", id="user-namespace-since-1.35"),
        pytest.param(35, secured(a=YES, b={}) | WINDOWS,
                     'pod or container "b" must set securityContext.runAsNonRoot=true',
                     id="windows-too"),
    ],
)  # fmt: skip
def test_run_as_non_root(version: int | None, spec: dict[str, Any], said: str) -> None:
    expected = f"runAsNonRoot != true ({said})" if said else ""
    assert judge("runAsNonRoot", version, spec) == expected


ROOT = {"runAsUser": 0}


@pytest.mark.parametrize(
    ("version", "spec", "said"),
    [
        pytest.param(23, secured(a={"runAsUser": 1}, b={}), "", id="others"),
        pytest.param(23, secured(a=ROOT), 'container "a"', id="container"),
        pytest.param(None, secured(a=ROOT, b=ROOT) | {"securityContext": ROOT},
                     'pod and containers "a", "b"', id="all"),
        pytest.param(34, secured(a=ROOT) | {"hostUsers": False}, 'container "a"',
                     id="user-namespace-until-1.34"),
        pytest.param(35, secured(a=ROOT) | {"hostUsers": False}, "",
                     id="user-namespace-since-1.35"),
    ],
)  # fmt: skip
def test_run_as_user(version: int | None, spec: dict[str, Any], said: str) -> None:
    expected = f"runAsUser=0 ({said} must not set runAsUser=0)" if said else ""
    assert judge("runAsUser", version, spec) == expected


def seccomp(profile: str) -> dict[str, Any]:
    return {"seccompProfile": {"type": profile}}


@pytest.mark.parametrize(
    ("version", "spec", "said"),
    [
        pytest.param(19, secured(a={}) | {"securityContext": seccomp("RuntimeDefault")}, "",
                     id="pod"),
        pytest.param(19, secured(a=seccomp("Localhost")), "", id="container"),
        pytest.param(None, secured(a={}, b=seccomp("Localhost")),
                     'pod or container "a" must set securityContext.seccompProfile.type to '
                     '"RuntimeDefault" or "Localhost"', id="silent"),
        pytest.param(None, secured(a={}) | {"securityContext": seccomp("Unconfined")},
                     'pod must not set securityContext.seccompProfile.type to "Unconfined"',
                     id="unconfined"),
        pytest.param(24, secured(a={}) | WINDOWS,
                     'pod or container "a" must set securityContext.seccompProfile.type to '
                     '"RuntimeDefault" or "Localhost"', id="windows-until-1.24"),
        pytest.param(25, secured(a={}) | WINDOWS, "", id="windows-since-1.25"),
    ],
)  # fmt: skip
def test_seccomp(version: int | None, spec: dict[str, Any], said: str) -> None:
    expected = f"seccompProfile ({said})" if said else ""
    assert judge("seccompProfile_restricted", version, spec) == expected
