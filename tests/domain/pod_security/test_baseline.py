"""The checks of the baseline level, one table each."""

from __future__ import annotations

from typing import Any

import pytest

from podium.domain.pod_security.levels import LevelVersion
from podium.domain.pod_security.standards import checks
from support.objects import container, pod


def judge(check: str, version: int | None, spec: dict[str, Any], **metadata: Any) -> str:
    """What the check says of a Pod: nothing, or reason and detail."""
    violation = checks(LevelVersion("baseline", version))[check](pod(spec, **metadata))
    return "" if violation is None else str(violation)


def secured(**names: dict[str, Any]) -> dict[str, Any]:
    """A Pod whose containers have these security contexts."""
    made = [container(name=name, securityContext=context) for name, context in names.items()]
    return {"containers": made}


def everywhere(context: dict[str, Any]) -> dict[str, Any]:
    """A Pod with one container of each sort, all with the same security context."""
    return {
        "initContainers": [container(name="i", securityContext=context)],
        "containers": [container(name="c", securityContext=context)],
        "ephemeralContainers": [container(name="e", securityContext=context)],
    }


@pytest.mark.parametrize(
    ("context", "said"),
    [
        pytest.param({"privileged": False}, "", id="no"),
        pytest.param({}, "", id="silent"),
        pytest.param(
            {"privileged": True},
            'privileged (containers "i", "c", "e" must not set securityContext.privileged=true)',
            id="yes",
        ),
    ],
)
def test_privileged(context: dict[str, Any], said: str) -> None:
    assert judge("privileged", None, everywhere(context)) == said


APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"


def armor(profile: str) -> dict[str, Any]:
    return {"appArmorProfile": {"type": profile}}


@pytest.mark.parametrize("version", [0, None])
@pytest.mark.parametrize(
    ("spec", "annotations", "said"),
    [
        pytest.param({"securityContext": armor("RuntimeDefault"), **secured(a=armor("Localhost"))},
                     {APP_ARMOR + "a": "localhost/x", APP_ARMOR + "b": "runtime/default",
                      APP_ARMOR + "c": ""}, "", id="allowed"),
        pytest.param(secured(a=armor("Unconfined")), {},
                     'forbidden AppArmor profile (container "a" must not set AppArmor profile '
                     'type to "Unconfined")', id="a-container"),
        pytest.param({"securityContext": armor("Unconfined"),
                      **secured(a=armor("Unconfined"), b=armor("x"), c=armor("Localhost"))}, {},
                     'forbidden AppArmor profiles (pod and containers "a", "b" must not set '
                     'AppArmor profile type to "Unconfined", "x")', id="pod-and-containers"),
        pytest.param({}, {APP_ARMOR + "a": "unconfined"},
                     "forbidden AppArmor profile (annotation must not set AppArmor profile type "
                     f'to "{APP_ARMOR}a="unconfined"")', id="an-annotation"),
        pytest.param({"securityContext": armor("Unconfined")},
                     {APP_ARMOR + "b": "x", APP_ARMOR + "a": "unconfined"},
                     "forbidden AppArmor profiles (pod and annotations must not set AppArmor "
                     f'profile type to "Unconfined", "{APP_ARMOR}a="unconfined"", '
                     f'"{APP_ARMOR}b="x"")', id="annotations-and-the-pod"),
    ],
)  # fmt: skip
def test_app_armor(
    version: int | None, spec: dict[str, Any], annotations: dict[str, str], said: str
) -> None:
    assert judge("appArmorProfile", version, spec, annotations=annotations) == said


def adding(*capabilities: str) -> dict[str, Any]:
    return {"capabilities": {"add": list(capabilities)}}


@pytest.mark.parametrize("version", [0, 35, None])
@pytest.mark.parametrize(
    ("spec", "said"),
    [
        pytest.param(secured(a=adding(), b=adding("CHOWN", "SYS_CHROOT"), c={}), "", id="default"),
        pytest.param(secured(a=adding("NET_RAW")),
                     'non-default capabilities (container "a" must not include "NET_RAW" in '
                     "securityContext.capabilities.add)", id="one"),
        pytest.param(secured(b=adding("SYS_TIME", "KILL"), a=adding("NET_RAW"), c=adding("MKNOD"))
                     | {"hostUsers": False},
                     'non-default capabilities (containers "b", "a" must not include "NET_RAW", '
                     '"SYS_TIME" in securityContext.capabilities.add)', id="several"),
    ],
)  # fmt: skip
def test_capabilities(version: int | None, spec: dict[str, Any], said: str) -> None:
    assert judge("capabilities_baseline", version, spec) == said


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        pytest.param({"hostNetwork": False}, "", id="none"),
        pytest.param({"hostNetwork": True}, "host namespaces (hostNetwork=true)", id="network"),
        pytest.param({"hostPID": True}, "host namespaces (hostPID=true)", id="pid"),
        pytest.param({"hostIPC": True, "hostPID": True},
                     "host namespaces (hostPID=true, hostIPC=true)", id="two"),
    ],
)  # fmt: skip
def test_host_namespaces(spec: dict[str, Any], said: str) -> None:
    assert judge("hostNamespaces", None, spec) == said


@pytest.mark.parametrize(
    ("names", "said"),
    [
        pytest.param("", "", id="none"),
        pytest.param("a", 'hostPath volumes (volume "a")', id="one"),
        pytest.param("ba", 'hostPath volumes (volumes "b", "a")', id="two"),
    ],
)
def test_host_paths(names: str, said: str) -> None:
    volumes: list[dict[str, Any]] = [{"name": n, "hostPath": {"path": "/"}} for n in names]
    spec = {"volumes": [{"name": "z", "emptyDir": {}}, *volumes]}
    assert judge("hostPathVolumes", None, spec) == said


def ported(*ports: int) -> dict[str, Any]:
    return {"ports": [{"containerPort": 1, "hostPort": port} for port in ports]}


@pytest.mark.parametrize(
    ("containers", "said"),
    [
        pytest.param([container(**ported(0))], "", id="none"),
        pytest.param([container(**ported(80))], 'hostPort (container "c" uses hostPort 80)',
                     id="one"),
        pytest.param([container(name="b", **ported(80, 443)), container(name="a", **ported(80))],
                     'hostPort (containers "b", "a" use hostPorts 443, 80)', id="several"),
    ],
)  # fmt: skip
def test_host_ports(containers: list[dict[str, Any]], said: str) -> None:
    assert judge("hostPorts", None, {"containers": containers}) == said


def probed(host: str) -> dict[str, Any]:
    return {"httpGet": {"port": 80, "host": host}}


@pytest.mark.parametrize(
    ("containers", "said"),
    [
        pytest.param([container(livenessProbe=probed(""), lifecycle={"preStop": probed("")})], "",
                     id="none"),
        *(
            pytest.param([container(**{probe: probed("a")})],
                         'probe or lifecycle host (container "c" uses probe or lifecycle host "a")',
                         id=probe)
            for probe in ("livenessProbe", "readinessProbe", "startupProbe")
        ),
        *(
            pytest.param([container(lifecycle={hook: {"tcpSocket": {"host": "a", "port": 1}}})],
                         'probe or lifecycle host (container "c" uses probe or lifecycle host "a")',
                         id=hook)
            for hook in ("postStart", "preStop")
        ),
        pytest.param([container(name="b", livenessProbe=probed("y")),
                      container(name="a", readinessProbe=probed("x"), startupProbe=probed("y"))],
                     'probe or lifecycle host (containers "a", "b" use probe or lifecycle hosts '
                     '"x", "y")', id="several"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("version", [34, None])
def test_probe_hosts(version: int | None, containers: list[dict[str, Any]], said: str) -> None:
    assert judge("hostProbesAndHostLifecycle", version, {"containers": containers}) == said


@pytest.mark.parametrize(
    ("version", "own_users", "said"),
    [
        pytest.param(0, True, True, id="once-always"),
        pytest.param(34, True, True, id="until-1.34"),
        pytest.param(35, True, False, id="since-1.35-not-in-a-user-namespace"),
        pytest.param(None, True, False, id="latest-not-in-a-user-namespace"),
        pytest.param(35, False, True, id="since-1.35-for-others"),
    ],
)
def test_proc_mount(version: int | None, own_users: bool, said: bool) -> None:
    spec = secured(a={"procMount": "Unmasked"}, b={"procMount": "Default"}, c={"procMount": "x"})
    text = (
        'procMount (containers "a", "c" must not set securityContext.procMount to "Unmasked", "x")'
    )
    judged = judge("procMount", version, spec | {"hostUsers": not own_users})
    assert judged == (text if said else "")


def selinux(**options: str) -> dict[str, Any]:
    return {"seLinuxOptions": options}


@pytest.mark.parametrize(
    ("version", "spec", "said"),
    [
        pytest.param(0, secured(a=selinux(type="container_t"), b=selinux(level="x"),
                                c=selinux(type="container_kvm_t")), "", id="allowed"),
        pytest.param(30, secured(a=selinux(type="container_engine_t")),
                     'seLinuxOptions (container "a" set forbidden securityContext.seLinuxOptions: '
                     'type "container_engine_t")', id="engine-not-yet"),
        pytest.param(31, secured(a=selinux(type="container_engine_t")), "", id="engine"),
        pytest.param(None, {"securityContext": selinux(user="u", role="r")},
                     "seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: user may "
                     "not be set; role may not be set)", id="user-and-role"),
        pytest.param(None, {"securityContext": selinux(type="b"),
                            **secured(a=selinux(type="a", role="r"), b=selinux(type="b"))},
                     'seLinuxOptions (pod and containers "a", "b" set forbidden '
                     'securityContext.seLinuxOptions: types "a", "b"; role may not be set)',
                     id="types"),
    ],
)  # fmt: skip
def test_selinux(version: int | None, spec: dict[str, Any], said: str) -> None:
    assert judge("seLinuxOptions", version, spec) == said


POD = "seccomp.security.alpha.kubernetes.io/pod"
PART = "container.seccomp.security.alpha.kubernetes.io/"


@pytest.mark.parametrize(
    ("annotations", "said"),
    [
        pytest.param({POD: "runtime/default", PART + "a": "docker/default",
                      PART + "b": "localhost/x", PART + "other": "unconfined"}, "", id="allowed"),
        pytest.param({POD: "unconfined"},
                     f'seccompProfile (forbidden annotation {POD}="unconfined")', id="pod"),
        pytest.param({POD: "", PART + "a": "x"},
                     f'seccompProfile (forbidden annotations {PART}a="x", {POD}="")', id="both"),
    ],
)  # fmt: skip
def test_seccomp_annotations(annotations: dict[str, str], said: str) -> None:
    spec = secured(a={}, b={"seccompProfile": {"type": "Unconfined"}})
    for version in (0, 18):
        judged = judge("seccompProfile_baseline", version, spec, annotations=annotations)
        assert judged == said


def seccomp(profile: str) -> dict[str, Any]:
    return {"seccompProfile": {"type": profile}}


@pytest.mark.parametrize("version", [19, None])
@pytest.mark.parametrize(
    ("spec", "said"),
    [
        pytest.param({"securityContext": seccomp("Localhost"),
                      **secured(a=seccomp("RuntimeDefault"), b={})}, "", id="allowed"),
        pytest.param({"securityContext": seccomp("Unconfined")},
                     "seccompProfile (pod must not set securityContext.seccompProfile.type to "
                     '"Unconfined")', id="pod"),
        pytest.param({"securityContext": seccomp("Unconfined"),
                      **secured(a=seccomp("x"), b=seccomp("Unconfined"))},
                     'seccompProfile (pod and containers "a", "b" must not set '
                     'securityContext.seccompProfile.type to "Unconfined", "x")', id="all"),
    ],
)  # fmt: skip
def test_seccomp(version: int | None, spec: dict[str, Any], said: str) -> None:
    judged = judge("seccompProfile_baseline", version, spec, annotations={POD: "unconfined"})
    assert judged == said


SYSCTLS = {
    "kernel.shm_rmid_forced": 0,
    "net.ipv4.ip_local_port_range": 0,
    "net.ipv4.tcp_syncookies": 0,
    "net.ipv4.ping_group_range": 0,
    "net.ipv4.ip_unprivileged_port_start": 0,
    "net.ipv4.ip_local_reserved_ports": 27,
    "net.ipv4.tcp_keepalive_time": 29,
    "net.ipv4.tcp_fin_timeout": 29,
    "net.ipv4.tcp_keepalive_intvl": 29,
    "net.ipv4.tcp_keepalive_probes": 29,
    "net.ipv4.tcp_rmem": 32,
    "net.ipv4.tcp_wmem": 32,
    "net.ipv4.tcp_slow_start_after_idle": 37,
    "net.ipv4.tcp_notsent_lowat": 37,
}


@pytest.mark.parametrize(("name", "since"), SYSCTLS.items())
def test_sysctls(name: str, since: int) -> None:
    spec = {"securityContext": {"sysctls": [{"name": name, "value": "1"}]}}
    for version in range(38):
        expected = "" if version >= since else f"forbidden sysctls ({name})"
        assert judge("sysctls", version, spec) == expected


def test_all_forbidden_sysctls_are_told() -> None:
    names = ("b", "net.ipv4.tcp_rmem", "a")
    spec = {"securityContext": {"sysctls": [{"name": n, "value": "1"} for n in names]}}
    assert judge("sysctls", None, spec) == "forbidden sysctls (b, a)"


@pytest.mark.parametrize(
    ("of_pod", "of_container", "said"),
    [
        pytest.param(False, None, "", id="no"),
        pytest.param(True, None, "pod", id="pod"),
        pytest.param(None, True, 'container "a"', id="container"),
        pytest.param(True, True, 'pod and container "a"', id="both"),
    ],
)
def test_host_process(of_pod: bool | None, of_container: bool | None, said: str) -> None:
    spec = {
        "securityContext": {"windowsOptions": {"hostProcess": of_pod}},
        **secured(a={"windowsOptions": {"hostProcess": of_container}}),
    }
    text = f"hostProcess ({said} must not set securityContext.windowsOptions.hostProcess=true)"
    assert judge("windowsHostProcess", None, spec) == (text if said else "")
