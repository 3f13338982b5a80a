"""What ``securityContext`` does to real processes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.cluster import Cluster
from support.images import Entry, busybox_archive, layer
from support.outcomes import Outcome, outcomes

#: ``web`` is user 100 of group 101, and the image lists it in group 102.
NAMED, NUMBERED, PLAIN = "localhost/named:1", "localhost/numbered:1", "localhost/plain:1"
ACCOUNTS = layer(
    Entry("etc/passwd", b"root:x:0:0::/root:/bin/sh\nweb:x:100:101::/:/bin/sh\n"),
    Entry("etc/group", b"root:x:0:\nweb:x:101:\nextra:x:102:web\n"),
)
STATUS = "grep -E '^(CapEff|CapBnd|Seccomp|NoNewPrivs)' /proc/self/status"
#: A profile that is nobody's default: it answers mkdir with ENOSPC.
NO_ROOM = {
    "defaultAction": "SCMP_ACT_ALLOW",
    "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}],
}


def running(script: str, image: str = PLAIN, pod: Any = None, **own: Any) -> dict[str, Any]:
    """A Pod's spec with one container; *own* is its security context, *pod* the Pod's."""
    container = {"name": "c", "image": image, "command": ["sh", "-c", f"exec 2>&1; {script}"]}
    return {
        "containers": [{**container, "securityContext": own}],
        "securityContext": pod or {},
    }


SYSCTL = "/proc/sys/net/core/somaxconn"
IDS = "id -u; id -g; id -G"
PODS = {
    "image-name": running(IDS, NAMED),
    "image-number": running(IDS, NUMBERED),
    "strict": running(
        IDS, NAMED, {"supplementalGroupsPolicy": "Strict", "supplementalGroups": [7]}
    ),
    "merge": running(IDS, NAMED, {"supplementalGroups": [7], "fsGroup": 8}),
    "own-user": running(IDS, PLAIN, {"runAsUser": 5}, runAsUser=6, runAsGroup=66),
    "named-nonroot": running("id", NAMED, runAsNonRoot=True),
    "numbered-nonroot": running(IDS, NUMBERED, runAsNonRoot=True),
    "zero-nonroot": running("id", NUMBERED, {"runAsNonRoot": True}, runAsUser=0),
    "no-caps": running(STATUS, capabilities={"drop": ["ALL"]}),
    "some-caps": running(STATUS, capabilities={"drop": ["ALL"], "add": ["CHOWN", "NET_ADMIN"]}),
    "read-only": running(
        "touch /x; touch /dev/shm/x && echo shared memory", readOnlyRootFilesystem=True
    ),
    "unconfined": running(STATUS, seccompProfile={"type": "Unconfined"}),
    "localhost": running(
        "mkdir /tmp/x; echo $?",
        seccompProfile={"type": "Localhost", "localhostProfile": "a/b.json"},
    ),
    "localhost-bad": running(
        "true", seccompProfile={"type": "Localhost", "localhostProfile": "bad.json"}
    ),
    "privileged": running(
        f"mount -t tmpfs x /tmp && umount /tmp && echo mounted; echo 64000 > {SYSCTL} "
        f"&& cat {SYSCTL}; ls /dev",
        privileged=True,
    ),
    "sysctls": running(
        "cat /proc/sys/net/ipv4/ip_local_port_range /proc/sys/kernel/shm_rmid_forced",
        pod={
            "sysctls": [
                {"name": "net.ipv4.ip_local_port_range", "value": "2000 3000"},
                {"name": "kernel/shm_rmid_forced", "value": "1"},
            ]
        },
    ),
    "low-port": running("timeout 1 nc -l -p 80; [ $? = 143 ] && echo heard", runAsUser=1000),
    "apparmor": running("true", appArmorProfile={"type": "RuntimeDefault"}),
    "apparmor-off": running("echo ran", appArmorProfile={"type": "Unconfined"}),
    "selinux": running("echo ran", seLinuxOptions={"level": "s0:c1,c2"}),
    "unprivileged": running(f"mount -t tmpfs x /tmp; echo 1 > {SYSCTL}; ls /dev"),
}  # fmt: skip


@pytest.fixture(scope="module")
def seen(shared: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Outcome]]:
    directory = tmp_path_factory.mktemp("images")
    for name, user in ((NAMED, "web"), (NUMBERED, "4711:4712"), (PLAIN, "")):
        archive = busybox_archive(directory / "image.tar", name, layers=[ACCOUNTS], user=user)
        shared.podium("image", "load", str(archive))
    profiles: Path = shared.data_dir / "kubelet" / "seccomp"
    (profiles / "a").mkdir(parents=True)
    (profiles / "a" / "b.json").write_text(json.dumps(NO_ROOM))
    (profiles / "bad.json").write_text("no profile")
    yield outcomes(shared, "test-security", PODS)
    for name in (NAMED, NUMBERED, PLAIN):
        shared.podium("image", "rm", "--force", name, check=False)


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("image-name", ["100", "101", "101 102"]),
        ("image-number", ["4711", "0", "0"]),
        ("strict", ["100", "101", "101 7"]),
        ("merge", ["100", "101", "101 7 8 102"]),
        ("own-user", ["6", "66", "66"]),
        ("numbered-nonroot", ["4711", "0", "0"]),
    ],
)
def test_users_and_groups(seen: dict[str, Outcome], name: str, ids: list[str]):
    assert seen[name].lines == ids
    (status,) = seen[name].status["containerStatuses"]
    linux = status["user"]["linux"]
    assert [linux["uid"], linux["gid"]] == [int(number) for number in ids[:2]]
    assert set(linux["supplementalGroups"]) == {int(number) for number in ids[2].split()}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "named-nonroot",
            "container has runAsNonRoot and image has non-numeric user (web), cannot verify user "
            "is non-root",
        ),
        ("zero-nonroot", "container's runAsUser breaks non-root policy"),
    ],
)
def test_who_may_not_be_root(seen: dict[str, Outcome], name: str, text: str):
    uid = seen[name].pod["metadata"]["uid"]
    assert seen[name].message == f'{text} (pod: "{name}_test-security({uid})", container: c)'


def test_capabilities(seen: dict[str, Outcome]):
    def effective(name: str) -> int:
        (line,) = (line for line in seen[name].lines if line.startswith("CapEff"))
        return int(line.split()[1], 16)

    assert effective("no-caps") == 0
    assert effective("some-caps") == 1 << 0 | 1 << 12


def test_a_read_only_root(seen: dict[str, Outcome]):
    assert "touch: /x: Read-only file system" in seen["read-only"].log
    assert seen["read-only"].lines[-1] == "shared memory"


def test_seccomp_profiles(seen: dict[str, Outcome]):
    assert "Seccomp:\t0" in seen["unconfined"].lines
    assert seen["localhost"].lines[-1] == "1"
    assert "No space left on device" in seen["localhost"].log


def test_a_seccomp_profile_that_is_none(seen: dict[str, Outcome], shared: Cluster):
    path = shared.data_dir / "kubelet/seccomp/bad.json"
    text = f'cannot load seccomp profile "{path}": decoding seccomp profile failed'
    assert text in seen["localhost-bad"].message


def test_a_privileged_container_may_what_others_may_not(seen: dict[str, Outcome]):
    assert seen["privileged"].lines[:2] == ["mounted", "64000"]
    log = seen["unprivileged"].log
    assert "mount: permission denied" in log
    assert "Read-only file system" in log
    assert "kmsg" not in log
    assert "kmsg" in seen["privileged"].log


def test_sysctls_are_the_pods_own(seen: dict[str, Outcome]):
    assert [line.split() for line in seen["sysctls"].lines] == [["2000", "3000"], ["1"]]
    assert Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split() != ["2000", "3000"]


def test_anybody_may_listen_on_a_low_port(seen: dict[str, Outcome]):
    assert seen["low-port"].lines[-1] == "heard"


def test_a_pod_whose_apparmor_profile_cannot_be_enforced_stays_pending(seen: dict[str, Outcome]):
    status = seen["apparmor"].status
    assert status["phase"] == "Pending"
    assert status["message"] == "Cannot enforce AppArmor: AppArmor is not enabled on the host"
    assert status["containerStatuses"][0]["state"]["waiting"]["reason"] == "Blocked"
    assert seen["apparmor-off"].lines == ["ran"]


def test_selinux_options_have_no_effect_without_selinux(seen: dict[str, Outcome]):
    assert seen["selinux"].lines == ["ran"]
