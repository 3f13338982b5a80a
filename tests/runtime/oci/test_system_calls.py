"""What the default seccomp profile refuses and lets through, asked of the kernel from inside."""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path

import pytest
from msgspec.structs import replace

from podium.runtime.port import LinuxContainerSecurityContext, ProfileType, SecurityProfile
from support.oci import OciHarness
from support.programs import system_call, system_call_32

pytestmark = pytest.mark.skipif(os.uname().machine != "x86_64", reason="programs for x86-64")

_CLONE_NEWUSER, _X32 = 0x10000000, 0x40000000
#: name → (number, arguments); without a filter the kernel says something else than EPERM.
REFUSED = {
    "mount": (165,),
    "umount2": (166,),
    "unshare a user namespace": (272, _CLONE_NEWUSER),
    "clone into a user namespace": (56, _CLONE_NEWUSER | signal.SIGCHLD),
    "setns": (308, 0xFFFF),
    "keyctl": (250, 0),
    "add_key": (248,),
    "bpf": (321, 0xFF),
    "perf_event_open": (298,),
    "userfaultfd": (323, 0xFF),
    "io_uring_setup": (425,),
    "process_vm_readv": (310, 0xFFFFFF),
    "kexec_load": (246, 0, 0, 0),
    "open_by_handle_at": (304,),
    "init_module": (175,),
    "personality with another domain": (135, 0x0400000),
    "socket of a virtual machine's host": (41, 40, 1),
}
ALLOWED = {"getpid": (39,), "personality query": (135, 0xFFFFFFFF), "socket": (41, 1, 1)}


async def results(
    harness: OciHarness, programs: dict[str, bytes], profile: ProfileType
) -> dict[str, int]:
    """Run each program in one container; return their exit codes as the shell sees them."""
    names = [f"call{number}" for number in range(len(programs))]
    for name, content in zip(names, programs.values(), strict=True):
        path = harness.images.layer / "bin" / name
        path.write_bytes(content)
        path.chmod(0o755)
    script = "; ".join(f"{name} 2>/dev/null; echo $?" for name in names)
    context = LinuxContainerSecurityContext(seccomp=SecurityProfile(profile))
    config = replace(harness.command("calls", script), security_context=context)
    sandbox = harness.sandbox("pod")
    sandbox_id = await harness.runtime.run_pod_sandbox(sandbox)
    container_id = await harness.runtime.create_container(sandbox_id, config, sandbox)
    events = harness.runtime.get_container_events()
    await harness.runtime.start_container(container_id)
    while not (await harness.runtime.container_status(container_id)).finished_at:
        await anext(events)
    codes = [int(line) for line in harness.log("pod", "calls").splitlines() if line.isdigit()]
    return dict(zip(programs, codes, strict=True))


async def test_what_would_reach_beyond_the_container_is_refused(harness: OciHarness):
    programs = {name: system_call(*call) for name, call in REFUSED.items()}
    found = await results(harness, programs, ProfileType.RUNTIME_DEFAULT)
    assert found == dict.fromkeys(REFUSED, errno.EPERM)


async def test_programs_go_on_working(harness: OciHarness):
    programs = {name: system_call(*call) for name, call in ALLOWED.items()}
    found = await results(harness, programs, ProfileType.RUNTIME_DEFAULT)
    assert found == dict.fromkeys(ALLOWED, 0)


async def test_clone3_falls_back_and_x32_is_no_way_around(harness: OciHarness):
    programs = {"clone3": system_call(435), "x32": system_call(_X32 | 39)}
    found = await results(harness, programs, ProfileType.RUNTIME_DEFAULT)
    assert found == {"clone3": errno.ENOSYS, "x32": 128 + signal.SIGSYS}


@pytest.mark.skipif(not Path("/proc/sys/abi/vsyscall32").exists(), reason="no 32-bit programs here")
async def test_32_bit_programs_run(harness: OciHarness):
    programs = {"getpid": system_call_32(20)}
    found = await results(harness, programs, ProfileType.RUNTIME_DEFAULT)
    assert found == {"getpid": 7}


async def test_unconfined_means_without_a_filter(harness: OciHarness):
    programs = {name: system_call(*call) for name, call in REFUSED.items()}
    found = await results(harness, programs, ProfileType.UNCONFINED)
    assert errno.EPERM not in found.values()
