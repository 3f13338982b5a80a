"""runtime.oci.seccomp: what RuntimeDefault allows, to whom, where."""

from __future__ import annotations

from typing import Any

import pytest

from podium.runtime.oci.capabilities import DEFAULT, bounding_set
from podium.runtime.oci.seccomp import default_profile


def rules(profile: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [rule for rule in profile["syscalls"] if name in rule["names"]]


def allowed(profile: dict[str, Any], name: str) -> bool:
    return any(
        rule["action"] == "SCMP_ACT_ALLOW" and not rule.get("args") for rule in rules(profile, name)
    )


@pytest.mark.parametrize("name", ["read", "execve", "openat2", "landlock_restrict_self", "ptrace"])
def test_everyday_calls_are_allowed(name):
    assert allowed(default_profile(DEFAULT, "x86_64"), name)


@pytest.mark.parametrize(
    ("name", "capability"),
    [
        ("mount", "CAP_SYS_ADMIN"),
        ("unshare", "CAP_SYS_ADMIN"),
        ("bpf", "CAP_BPF"),
        ("init_module", "CAP_SYS_MODULE"),
        ("open_by_handle_at", "CAP_DAC_READ_SEARCH"),
        ("process_vm_readv", "CAP_SYS_PTRACE"),
        ("clock_settime", "CAP_SYS_TIME"),
        ("chroot", "CAP_SYS_CHROOT"),
        ("reboot", "CAP_SYS_BOOT"),
    ],
)
def test_some_calls_come_with_a_capability(name, capability):
    assert not allowed(default_profile((), "x86_64"), name)
    assert allowed(default_profile((capability,), "x86_64"), name)


@pytest.mark.parametrize("name", ["kexec_load", "io_uring_setup", "userfaultfd", "keyctl"])
def test_some_calls_are_never_allowed(name):
    assert not rules(default_profile(("CAP_SYS_ADMIN",), "x86_64"), name)


def test_without_sys_admin_clone_makes_no_namespace():
    profile = default_profile(DEFAULT, "x86_64")
    (clone,) = rules(profile, "clone")
    assert clone["args"] == [
        {"index": 0, "value": 0x7E020000, "op": "SCMP_CMP_MASKED_EQ", "valueTwo": 0}
    ]
    (clone3,) = rules(profile, "clone3")
    assert (clone3["action"], clone3["errnoRet"]) == ("SCMP_ACT_ERRNO", 38)


def test_personality_only_with_known_values():
    found = rules(default_profile(DEFAULT, "x86_64"), "personality")
    assert [rule["args"][0]["value"] for rule in found] == [0, 8, 0x20000, 0x20008, 0xFFFFFFFF]


@pytest.mark.parametrize(
    ("architecture", "names", "call"),
    [
        ("x86_64", ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"], "arch_prctl"),
        ("aarch64", ["SCMP_ARCH_ARM", "SCMP_ARCH_AARCH64"], "sync_file_range2"),
    ],
)
def test_architectures(architecture, names, call):
    profile = default_profile(DEFAULT, architecture)
    assert profile["architectures"] == names
    assert allowed(profile, call)


def test_everything_else_is_refused():
    profile = default_profile(DEFAULT, "x86_64")
    assert (profile["defaultAction"], profile["defaultErrnoRet"]) == ("SCMP_ACT_ERRNO", 1)


def test_the_bounding_set_is_read_from_the_kernels_bits():
    assert bounding_set("Name:\tx\nCapBnd:\t0000000000000021\n") == {"CAP_CHOWN", "CAP_KILL"}
