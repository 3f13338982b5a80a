"""Commands that are executed again and again: the same answers and rights at another cost."""

from __future__ import annotations

import asyncio
import fcntl
import os
import platform
import re
import signal
import termios
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from podium.runtime.oci import command_helper
from podium.runtime.oci.engine import Helper
from podium.runtime.oci.runtime import OciRuntime
from podium.runtime.port import (
    Capability,
    ExecSyncResponse,
    LinuxContainerResources,
    LinuxContainerSecurityContext,
    NamespaceMode,
    NamespaceOption,
    NotFound,
    ProfileType,
    RuntimeFailure,
    SecurityProfile,
)
from support.oci import OciHarness, open_files, until

pytestmark = pytest.mark.e2e

STRICT = LinuxContainerSecurityContext(
    run_as_user=100,
    run_as_group=101,
    supplemental_groups=(102,),
    no_new_privs=True,
    capabilities=Capability(add=("NET_RAW",), drop=("CHOWN",)),
    seccomp=SecurityProfile(ProfileType.RUNTIME_DEFAULT),
)


async def started(harness: OciHarness, **changes: object) -> str:
    sandbox = harness.sandbox("web")
    sandbox_id = await harness.runtime.run_pod_sandbox(sandbox)
    config = replace(harness.container("main"), **changes)
    container_id = await harness.runtime.create_container(sandbox_id, config, sandbox)
    await harness.runtime.start_container(container_id)
    return container_id


def shells(harness: OciHarness, container_id: str) -> list[int]:
    """Pids of the shells that the node has lent."""
    pids = harness.processes(container_id)
    return [pid for pid in pids if command(pid).startswith(b"/proc/self/fd/3/ash")]


def command(pid: int) -> bytes:
    """The words of a process, each ended by a zero byte; none where it has gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


async def gone(pid: int) -> None:
    """Return once the process has ended, whether its parent knows or not."""
    await until(lambda: not Path(f"/proc/{pid}/root/bin").exists())


async def twice(harness: OciHarness, container_id: str, *cmd: str) -> ExecSyncResponse:
    """Execute *cmd* the long way and the short one; both have to come to the same."""
    first = await harness.runtime.exec_sync(container_id, list(cmd))
    second = await harness.runtime.exec_sync(container_id, list(cmd))
    assert second == first
    return second


async def test_a_command_has_the_same_rights_and_surroundings(harness: OciHarness):
    """Whatever /proc tells of a process, but for what is its own: pids, times, memory."""
    container_id = await started(
        harness,
        envs=[("COLOUR", "light green"), ("LINES_", "a\nb")],
        working_dir="/tmp",
        security_context=STRICT,
        resources=LinuxContainerResources(memory_limit_in_bytes=64 << 20, oom_score_adj=500),
    )
    script = (
        "cat /proc/self/status | while read a; do case $a in Uid*|Gid*|Groups*|Cap*|NoNew*|"
        "Seccomp*|SigB*|SigI*|SigC*|Umask*|Cpus*) echo $a;; esac; done; cat /proc/self/limits "
        "/proc/self/cgroup /proc/self/oom_score_adj; ls -l /proc/self/ns /proc/self/fd; "
        "cat /proc/self/environ; pwd"
    )
    runtime = harness.runtime
    first = await runtime.exec_sync(container_id, ["sh", "-c", script])
    second = await runtime.exec_sync(container_id, ["sh", "-c", script])
    assert len(shells(harness, container_id)) == 1

    def told(answer: ExecSyncResponse) -> list[bytes]:
        """Of links what they lead to; pipes have numbers of their own, and nothing to read comes
        from one that is at its end or from /dev/null. The order of variables is nobody's."""
        assert answer.exit_code == 0, answer
        lines = answer.stdout.split(b"\n")
        links = [line.split(b" ", 8)[-1] if b" -> " in line else line for line in lines]
        plain = [re.sub(rb"pipe:.*|/dev/null", b"", link).split()[-3:] for link in links]
        return sorted(part for row in plain for part in b" ".join(row).split(b"\0"))

    assert set(told(second)) ^ set(told(first)) == set()
    assert b"COLOUR=light green" in second.stdout


ANSWERS: list[tuple[tuple[str, ...], ExecSyncResponse]] = [
    (("true",), ExecSyncResponse(b"", b"", 0)),
    (("sh", "-c", "echo out; echo err >&2; exit 7"), ExecSyncResponse(b"out\n", b"err\n", 7)),
    (("echo", "it's", "two\nlines", "", "$HOME `x` \\", "\u00e9"),
     ExecSyncResponse("it's two\nlines  $HOME `x` \\ \u00e9\n".encode(), b"", 0)),
    (("sh", "-c", "kill -9 $$"), ExecSyncResponse(b"", b"", 137)),
    (("sh", "-c", "exit 127"), ExecSyncResponse(b"", b"", 127)),
    (("sh", "-c", "cat; echo $#", "sh", "a b", "*"), ExecSyncResponse(b"2\n", b"", 0)),
]  # fmt: skip


async def test_answers_are_the_same(harness: OciHarness):
    container_id = await started(harness)
    for cmd, answer in ANSWERS:
        assert await twice(harness, container_id, *cmd) == answer, cmd
    assert len(shells(harness, container_id)) == 1


async def test_programs_are_the_images_own_by_whatever_name(harness: OciHarness):
    """The shell has some of its own, which it would like better."""
    container_id = await started(harness, envs=[("PATH", "/tmp:/bin")])
    script = "printf '#!/bin/sh\\necho my own $0 $*\\n' >/tmp/ls; chmod 755 /tmp/ls"
    await harness.runtime.exec_sync(container_id, ["sh", "-c", script])
    answer = await twice(harness, container_id, "ls", "-l", "it's")
    assert answer.stdout == b"my own /tmp/ls -l it's\n"
    answer = await twice(harness, container_id, "cat", "/proc/self/cmdline")
    assert answer.stdout == b"cat\0/proc/self/cmdline\0"
    assert len(shells(harness, container_id)) == 1


async def test_what_takes_too_long_is_killed_with_its_shell(harness: OciHarness):
    container_id = await started(harness)
    runtime = harness.runtime
    script = "[ -e /tmp/slow ] && exec sleep 4242; :"
    await twice(harness, container_id, "sh", "-c", script)
    [shell] = shells(harness, container_id)
    await runtime.exec_sync(container_id, ["touch", "/tmp/slow"])
    with pytest.raises(RuntimeFailure) as failure:
        await runtime.exec_sync(container_id, ["sh", "-c", script], 0.3)
    assert failure.value.code == "DeadlineExceeded"
    await until(lambda: not any(b"4242" in command(pid) for pid in harness.processes(container_id)))
    await runtime.exec_sync(container_id, ["busybox", "rm", "/tmp/slow"])
    await runtime.exec_sync(container_id, ["sh", "-c", script])
    assert shells(harness, container_id) not in ([], [shell])


async def test_the_start_of_a_shell_is_not_the_time_of_its_command(
    harness: OciHarness, monkeypatch: pytest.MonkeyPatch
):
    container_id = await started(harness)
    take, loop, allowed = command_helper.take, asyncio.get_running_loop(), 1.0

    async def slow(*about: Any) -> Helper | None:
        began = loop.time()
        helper = await take(*about)
        while loop.time() < began + allowed:
            await asyncio.sleep(0)
        return helper

    await harness.runtime.exec_sync(container_id, ["true"])
    monkeypatch.setattr(command_helper, "take", slow)
    answer = await harness.runtime.exec_sync(container_id, ["true"], allowed)
    assert answer.exit_code == 0
    assert len(shells(harness, container_id)) == 1


async def test_a_slow_command_holds_no_other_up_and_many_run_at_a_time(harness: OciHarness):
    container_id = await started(harness)
    runtime = harness.runtime
    await runtime.exec_sync(container_id, ["sleep", "0.2"])
    answers = await asyncio.gather(
        *(runtime.exec_sync(container_id, ["sleep", "0.2"]) for _ in range(5))
    )
    assert {answer.exit_code for answer in answers} == {0}
    assert 1 <= len(shells(harness, container_id)) <= command_helper.MOST + 2


async def test_a_shell_that_somebody_kills_is_replaced(harness: OciHarness):
    container_id = await started(harness)
    await twice(harness, container_id, "echo", "hello")
    # Who kills everybody does not reach the low-level runtime, but the shell, also an idle one.
    for code in (0, 0, 137):
        killing = await harness.runtime.exec_sync(container_id, ["sh", "-c", "kill -9 -1"])
        assert killing.exit_code == code
    answer = await harness.runtime.exec_sync(container_id, ["echo", "hello"])
    assert answer.stdout == b"hello\n"


async def test_what_a_killed_shell_has_not_read_is_executed_all_the_same(harness: OciHarness):
    """It has been killed with all others, but on a busy machine takes its time to end: what it is
    told meanwhile has not begun, and has not been killed."""
    container_id = await started(harness)
    cmd = ["sh", "-c", "echo hello; exit 7"]
    await twice(harness, container_id, *cmd)
    [shell] = shells(harness, container_id)
    [helper] = harness.runtime._engine.containers[container_id].helpers
    os.kill(shell, signal.SIGSTOP)
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        answer = tasks.create_task(harness.runtime.exec_sync(container_id, cmd))
        await until(lambda: unread(helper._control) > 0)
        os.kill(shell, signal.SIGKILL)
    assert answer.result() == ExecSyncResponse(b"hello\n", b"", 7)


def unread(control: int) -> int:
    """Bytes that were written to a socket and that nobody has read."""
    return int.from_bytes(fcntl.ioctl(control, termios.TIOCOUTQ, bytes(4)), "little")


async def test_a_shell_that_was_killed_while_idle_costs_no_command(harness: OciHarness):
    container_id = await started(harness)
    await twice(harness, container_id, "echo", "hello")
    [shell] = shells(harness, container_id)
    os.kill(shell, signal.SIGKILL)
    await gone(shell)
    answer = await twice(harness, container_id, "echo", "hello")
    assert answer == ExecSyncResponse(b"hello\n", b"", 0)
    assert shells(harness, container_id) not in ([], [shell])


async def test_a_command_that_has_gone_is_told_of_as_ever(harness: OciHarness):
    container_id = await started(harness)
    runtime = harness.runtime
    script = "cp /bin/busybox /tmp/echo; chmod 755 /tmp/echo"
    await runtime.exec_sync(container_id, ["/bin/busybox", "sh", "-c", script])
    await twice(harness, container_id, "/tmp/echo", "hello")
    await runtime.exec_sync(container_id, ["/bin/busybox", "rm", "/tmp/echo"])
    with pytest.raises(RuntimeFailure, match="OCI runtime exec failed: "):
        await runtime.exec_sync(container_id, ["/tmp/echo", "hello"])


async def test_a_command_fails_as_such_whose_container_goes_while_a_shell_is_started(
    harness: OciHarness, monkeypatch: pytest.MonkeyPatch
):
    container_id = await started(harness)
    take = command_helper.take

    async def meanwhile(*about: Any) -> Helper | None:
        await harness.runtime.remove_container(container_id)
        return await take(*about)

    monkeypatch.setattr(command_helper, "take", meanwhile)
    with pytest.raises(NotFound):
        await harness.runtime.exec_sync(container_id, ["true"])


async def test_variables_that_a_shell_would_change_take_the_long_way(harness: OciHarness):
    container_id = await started(harness, envs=[("with.dot", "1"), ("SHLVL", "7")])
    answer = await twice(harness, container_id, "cat", "/proc/self/environ")
    assert b"with.dot=1" in answer.stdout
    assert b"SHLVL=7" in answer.stdout
    assert shells(harness, container_id) == []


async def test_the_shell_ends_with_the_container(harness: OciHarness):
    container_id = await started(harness)
    before = len(open_files())
    await twice(harness, container_id, "true")
    [shell] = shells(harness, container_id)
    await harness.runtime.stop_container(container_id, 0)
    await gone(shell)
    await until(lambda: len(open_files()) <= before)
    await until(lambda: harness.processes(container_id) == [])


def parent(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"^PPid:\t(\d+)$", status, re.MULTILINE)[1])


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the tiny program is for x86-64")
async def test_the_end_of_a_container_does_not_wait_for_the_first_process_of_the_machine(
    harness: OciHarness,
):
    """Until its parent has waited for it, a process keeps its process namespace from ending."""
    container_id = await started(harness)
    await twice(harness, container_id, "true")
    [shell] = shells(harness, container_id)
    foster = parent(shell)
    assert parent(foster) == os.getpid()
    # Or the shell's end would not be seen.
    await until(lambda: os.listdir(f"/proc/{foster}/fd") == [])
    await harness.runtime.stop_container(container_id, 0)
    await until(lambda: not Path(f"/proc/{foster}").exists())


async def test_a_command_ends_with_its_container_also_where_processes_are_shared(
    harness: OciHarness,
):
    """There the first process of a container goes alone: the shell is let go, and not told of."""
    options = NamespaceOption(pid=NamespaceMode.POD)
    sandbox = harness.sandbox("web")
    sandbox = replace(sandbox, linux=replace(sandbox.linux, namespace_options=options))
    sandbox_id = await harness.runtime.run_pod_sandbox(sandbox)
    context = LinuxContainerSecurityContext(namespace_options=options)
    config = replace(harness.container("main"), security_context=context)
    container_id = await harness.runtime.create_container(sandbox_id, config, sandbox)
    await harness.runtime.start_container(container_id)
    script = "[ -e /first ] && touch /begun && exec sleep 1000; touch /first"
    cmd = ["sh", "-c", script]
    assert (await harness.runtime.exec_sync(container_id, cmd)).exit_code == 0

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        answer = tasks.create_task(harness.runtime.exec_sync(container_id, cmd))
        begun = harness.options.container(container_id).rootfs / "begun"
        await until(begun.exists)
        await harness.end(container_id, 0)
    assert answer.result().exit_code == command_helper.KILLED
    await until(lambda: not harness.processes(container_id))


async def test_the_shell_ends_with_the_runtime_and_the_container_does_not(harness: OciHarness):
    """Whatever ends the process: the kernel closes what the shell reads."""
    container_id = await started(harness)
    await twice(harness, container_id, "true")
    await harness.runtime.__aexit__(None, None, None)
    await until(lambda: not shells(harness, container_id))
    assert harness.processes(container_id)
    async with OciRuntime(harness.options, harness.images, harness.network) as runtime:
        for _ in range(2):
            assert (await runtime.exec_sync(container_id, ["echo", "hello"])).stdout == b"hello\n"
