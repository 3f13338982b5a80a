from __future__ import annotations

import pytest

from podium.domain.pods.sysctls import SysctlAllowlist, dotted, pod_sysctls
from support.pods import make_pod


def asking(*names, **spec):
    sysctls = [{"name": name, "value": "1"} for name in names]
    return make_pod("a", securityContext={"sysctls": sysctls}, **spec)


@pytest.mark.parametrize(
    ("names", "spec", "problem"),
    [
        pytest.param([], {}, "", id="none"),
        pytest.param(["net.ipv4.tcp_syncookies"], {}, "", id="safe"),
        pytest.param(["kernel/shm_rmid_forced"], {}, "", id="safe-with-slashes"),
        pytest.param(
            ["kernel.msgmax"], {}, 'forbidden sysctl: "kernel.msgmax" not allowlisted', id="unsafe"
        ),
        pytest.param(
            ["vm.swappiness"], {}, 'forbidden sysctl: "vm.swappiness" not allowlisted',
            id="not-even-namespaced",
        ),
        pytest.param(
            ["net.ipv4.tcp_rmem", "net.core.somaxconn"], {},
            'forbidden sysctl: "net.core.somaxconn" not allowlisted', id="one-of-two",
        ),
        pytest.param(
            ["net.ipv4.tcp_syncookies"], {"hostNetwork": True},
            'forbidden sysctl: "net.ipv4.tcp_syncookies" not allowed with host net enabled',
            id="the-hosts-network",
        ),
        pytest.param(
            ["kernel.shm_rmid_forced"], {"hostIPC": True},
            'forbidden sysctl: "kernel.shm_rmid_forced" not allowed with host ipc enabled',
            id="the-hosts-ipc",
        ),
    ],
)  # fmt: skip
def test_what_a_node_takes_by_default(names, spec, problem):
    assert SysctlAllowlist.of().problem(asking(*names, **spec)) == problem


def test_what_the_administrator_allows():
    rules = SysctlAllowlist.of(["kernel.msg*", "net.core.somaxconn", "net/ipv4/conf/*"])
    assert rules.problem(asking("kernel.msgmax", "net.core.somaxconn")) == ""
    assert rules.problem(asking("net.ipv4.conf.eth0/1.forwarding")) == ""
    assert rules.problem(asking("kernel.sem")) != ""
    assert "host net" in rules.problem(asking("net.core.somaxconn", hostNetwork=True))


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("vm.*", 'the sysctl "vm.*" are not known to be namespaced'),
        ("kernel.panic", 'the sysctl "kernel.panic" are not known to be namespaced'),
        ("net..x", 'sysctl "net..x" must have at most 253 characters and match regex '),
        ("*net", 'sysctl "*net" must have'),
    ],
)
def test_patterns_that_cannot_be(pattern, text):
    with pytest.raises(ValueError, match="sysctl") as caught:
        SysctlAllowlist.of([pattern])
    assert str(caught.value).startswith(text)


def test_names_are_passed_on_with_dots():
    assert pod_sysctls(asking("kernel/sem", "net.ipv4.conf.eth0/1.x")) == {
        "kernel.sem": "1",
        "net.ipv4.conf.eth0/1.x": "1",
    }
    assert dotted("net/ipv4/conf/eth0.1/x") == "net.ipv4.conf.eth0/1.x"
