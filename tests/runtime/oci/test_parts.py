"""Small pure parts of the embedded runtime: signals, logs, records."""

from __future__ import annotations

import fcntl
import os
import signal
from pathlib import Path

import msgspec
import pytest

from podium.kit.clock import SystemClock
from podium.runtime.oci import conmon, records
from podium.runtime.oci.conmon import ContainerIO, command, last_error
from podium.runtime.oci.container_stop import signal_number
from podium.runtime.oci.layout import OciOptions
from podium.runtime.oci.lock import lock
from podium.runtime.oci.records import ContainerRecord
from podium.runtime.oci.sandbox_run import resolv_conf
from podium.runtime.port import (
    ContainerConfig,
    ContainerMetadata,
    ContainerState,
    DNSConfig,
    Mount,
    RuntimeFailure,
)

CREATED = ContainerRecord(
    "c1",
    "s1",
    ContainerConfig(
        ContainerMetadata("c", 3), "i", envs=(("A", "1"),), mounts=(Mount("/a", "/b", True),)
    ),
    created_at=10,
    cgroup_path="/x/c1",
)
RUNNING = msgspec.structs.replace(CREATED, started_at=20, pid=7)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("SIGTERM", signal.SIGTERM),
        ("TERM", signal.SIGTERM),
        ("sigquit", signal.SIGQUIT),
        ("9", signal.SIGKILL),
        ("SIGRTMIN+3", signal.SIGRTMIN + 3),
        ("RTMAX", signal.SIGRTMAX),
        ("nonsense", signal.SIGTERM),
        ("", signal.SIGTERM),
        ("0", signal.SIGTERM),
        ("65", signal.SIGTERM),
        ("²", signal.SIGTERM),
        ("9" * 5000, signal.SIGTERM),
        ("SIGTERM+60", signal.SIGTERM),
        ("SIGRTMIN+", signal.SIGTERM),
        ("SIGRTMIN+-3", signal.SIGTERM),
    ],
)
def test_signal_number(text, number):
    assert signal_number(text) == number


@pytest.mark.parametrize(
    ("code", "oom", "reason"),
    [
        pytest.param(0, False, "Completed", id="0"),
        pytest.param(1, False, "Error", id="another"),
        pytest.param(137, False, "Error", id="killed"),
        pytest.param(137, True, "OOMKilled", id="killed-for-memory"),
    ],
)
def test_reasons(code, oom, reason):
    ended = records.exited(RUNNING, code=code, finished_at=30, oom=oom)
    status = records.container_status(ended)
    assert status.state is ContainerState.EXITED
    assert (status.exit_code, status.reason, status.pid) == (code, reason, 0)
    assert (status.started_at, status.finished_at) == (20, 30)


def test_states():
    assert CREATED.state is ContainerState.CREATED
    assert RUNNING.state is ContainerState.RUNNING
    refused = records.not_started(CREATED, 40, "no such file")
    status = records.container_status(refused)
    assert (status.exit_code, status.reason, status.message) == (128, "StartError", "no such file")
    assert (status.started_at, status.finished_at) == (0, 40)
    gone = records.lost(RUNNING, 50)
    assert (gone.exit_code, gone.reason, gone.finished_at) == (255, "Unknown", 50)


def test_a_record_is_the_same_after_a_round_on_disk():
    encoded = msgspec.json.encode(RUNNING)
    decoded = msgspec.json.decode(encoded, type=ContainerRecord)
    assert msgspec.json.encode(decoded) == encoded
    assert decoded.config.mounts[0] == Mount("/a", "/b", True)


def test_the_last_error_counts(tmp_path: Path):
    log = tmp_path / "log"
    log.write_text(
        '{"level":"warning","msg":"cgroup"}\n{"level":"error","msg":"first"}\nnot json\n'
        '{"level":"error","msg":"runc create failed: last"}\n{"level":"info","msg":"bye"}\n'
    )
    assert last_error(log) == "runc create failed: last"
    assert last_error(tmp_path / "missing") == ""


def test_conmon_is_told_where_everything_is():
    options = OciOptions(Path("/d"), Path("/r"))
    argv = command(options, options.container("c1"), ContainerIO("/log/0.log"), options.runc)
    text = " ".join(argv)
    assert "--exit-dir /d/containers/c1/exit" in text
    assert "--bundle /r/containers/c1" in text
    assert "--log-path k8s-file:/log/0.log" in text
    assert "--terminal" not in argv
    assert "--terminal" in command(
        options, options.container("c1"), ContainerIO("/l", True), options.runc
    )


@pytest.mark.parametrize(
    ("dns", "text"),
    [
        pytest.param(None, "nameserver 9.9.9.9\n", id="the-hosts"),
        pytest.param(DNSConfig(), "", id="empty"),
        pytest.param(
            DNSConfig(("1.1.1.1", "2.2.2.2"), ("a", "b"), ("ndots:5", "debug")),
            "search a b\nnameserver 1.1.1.1\nnameserver 2.2.2.2\noptions ndots:5 debug\n",
            id="all-of-it",
        ),
    ],
)
def test_resolv_conf(dns, text, tmp_path: Path):
    (tmp_path / "resolv.conf").write_text("nameserver 9.9.9.9\n")
    assert resolv_conf(dns, tmp_path / "resolv.conf") == text


async def test_one_process_a_root(tmp_path: Path):
    clock = SystemClock()
    async with lock(tmp_path, clock):
        with pytest.raises(RuntimeFailure, match="another process"):
            async with lock(tmp_path, clock):
                pass
    async with lock(tmp_path, clock):
        pass


async def test_a_child_of_a_killed_holder_is_waited_for(tmp_path: Path):
    """Between fork and exec a child still has its parent's lock."""
    inherited = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(inherited, fcntl.LOCK_EX)

    pauses: list[float] = []

    class ChildGoes(SystemClock):
        async def sleep(self, seconds: float) -> None:
            pauses.append(seconds)
            os.close(inherited)

    async with lock(tmp_path, ChildGoes()):
        assert len(pauses) == 1, "it was not had while the child had it, and at once then"


async def test_a_conmon_that_does_not_listen_holds_nobody_up(tmp_path, monkeypatch):
    monkeypatch.setattr(conmon, "PATIENCE", 0.02)
    os.mkfifo(tmp_path / "ctl")
    theirs = os.open(tmp_path / "ctl", os.O_RDWR)
    try:
        await conmon.tell(tmp_path, conmon.RESIZE, 24, 80)
        with pytest.raises(TimeoutError, match="does not listen"):
            await conmon.tell(tmp_path, conmon.REOPEN_LOGS)
        assert os.read(theirs, 100) == b"1 24 80\n"
    finally:
        os.close(theirs)
