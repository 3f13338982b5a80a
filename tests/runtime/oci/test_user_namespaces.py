"""Sandboxes with users of their own: who is who, inside and on the node."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from contracts.runtime import exited
from podium.runtime import linux
from podium.runtime.oci.runtime import OciRuntime
from podium.runtime.port import (
    Capability,
    IDMapping,
    LinuxContainerSecurityContext,
    Mount,
    NamespaceMode,
    NamespaceOption,
    PodSandboxConfig,
    PodSandboxState,
    RuntimeFailure,
    UserNamespace,
)
from support.leaks import leaked, snapshot
from support.oci import OciHarness, oci, until

pytestmark = pytest.mark.e2e

FIRST = 12 * 65536
MAPPED = [IDMapping(FIRST, 0, 65536)]
USERS = UserNamespace(NamespaceMode.POD, MAPPED, MAPPED)


@pytest.fixture
async def harness(cidr: str) -> AsyncIterator[OciHarness]:
    """Below a directory that everybody may pass: mapped users are nobody on the node."""
    directory = Path(tempfile.mkdtemp(prefix="podium-users-"))
    directory.chmod(0o711)
    marks = [str(directory)]
    before = snapshot(*marks)
    try:
        async with oci(directory, cidr) as made:
            marks.append(made.id)
            yield made
        assert leaked(before, *marks) == {}
    finally:
        shutil.rmtree(directory)


def owned(harness: OciHarness, name: str = "web", **options: NamespaceMode) -> PodSandboxConfig:
    sandbox = harness.sandbox(name)
    wanted = NamespaceOption(userns_options=USERS, **options)
    return replace(sandbox, linux=replace(sandbox.linux, namespace_options=wanted))


def context(**fields: object) -> LinuxContainerSecurityContext:
    options = NamespaceOption(userns_options=USERS)
    return replace(LinuxContainerSecurityContext(namespace_options=options), **fields)  # type: ignore[arg-type]


async def said(harness: OciHarness, script: str, *mounts: Mount, **fields: object) -> str:
    """Run *script* in a container of a sandbox with users of its own; return what it said."""
    sandbox = owned(harness)
    known = await harness.runtime.list_pod_sandbox(pod_uid=sandbox.metadata.uid)
    sandbox_id = known[0].id if known else await harness.runtime.run_pod_sandbox(sandbox)
    config = harness.command("a", f"exec 2>&1; {script}", *mounts)
    config = replace(config, security_context=context(**fields))
    container_id = await harness.runtime.create_container(sandbox_id, config, sandbox)
    await harness.runtime.start_container(container_id)
    await exited(harness.runtime, container_id)
    return harness.log("web", "a")


async def test_root_is_somebody_else_on_the_node(harness: OciHarness):
    volume = harness.directory / "volume"
    volume.mkdir(mode=0o700)
    (volume / "there").touch(mode=0o600)
    script = (
        "id -u; busybox stat -c %u:%g / /bin/busybox /v /v/there /etc/hostname /dev/shm; "
        "echo hi > /v/new; touch /new /dev/shm/new; hostname; busybox cat /proc/self/uid_map"
    )
    sandbox = owned(harness)
    sandbox_id = await harness.runtime.run_pod_sandbox(sandbox)
    config = harness.command("a", f"{script}; echo done; sleep 1000", Mount("/v", str(volume)))
    config = replace(config, security_context=context())
    container_id = await harness.runtime.create_container(sandbox_id, config, sandbox)
    await harness.runtime.start_container(container_id)
    await until(lambda: "done" in harness.log("web", "a"))
    asked = await harness.runtime.exec_sync(container_id, ["id", "-u"])
    assert asked.stdout == b"0\n"
    pids = harness.processes(container_id)
    assert pids
    assert {os.stat(f"/proc/{pid}").st_uid for pid in pids} == {FIRST}
    await harness.runtime.stop_container(container_id, 0)
    lines = harness.log("web", "a").splitlines()
    assert lines[:7] == ["0"] + ["0:0"] * 6
    assert lines[7] == "web"
    assert lines[8].split() == ["0", str(FIRST), "65536"]
    assert (volume / "new").stat().st_uid == 0
    upper = harness.options.container(container_id).upper
    assert (upper / "new").stat().st_uid == FIRST
    await harness.runtime.remove_pod_sandbox(sandbox_id)
    assert (volume / "there").exists()
    assert list(harness.options.idmaps("").iterdir()) == []


async def test_what_capabilities_reach(harness: OciHarness):
    everything = Capability(add=("ALL",))
    script = (
        "mount -t tmpfs x /tmp && echo mounted; ip link set lo down && echo own network; "
        "busybox chroot / true && echo chroot; echo 1 > /proc/sys/vm/drop_caches; "
        "busybox date -s 2020-01-01 | grep -v 2020"
    )
    text = await said(harness, script.replace("grep", "busybox grep"), capabilities=everything)
    assert text.splitlines()[:3] == ["mounted", "own network", "chroot"]
    assert "drop_caches: Permission denied" in text
    assert "can't set date: Operation not permitted" in text


async def test_files_that_are_mounted_alone(harness: OciHarness):
    file = harness.directory / "hosts"
    file.write_text("one\n")
    file.chmod(0o600)
    script = "busybox cat /etc/hosts; echo two >> /etc/hosts"
    assert await said(harness, script, Mount("/etc/hosts", str(file))) == "one\n"
    assert file.read_text() == "one\ntwo\n"


async def test_what_is_read_only_stays_so(harness: OciHarness):
    volume = harness.directory / "volume"
    volume.mkdir()
    linux.mount("tmpfs", str(volume), "tmpfs", linux.MS_NOSUID | linux.MS_NODEV)
    try:
        script = "echo > /v/x; mount -o remount,rw,bind /v; echo > /v/y"
        everything = Capability(add=("ALL",))
        mount = Mount("/v", str(volume), readonly=True)
        text = await said(harness, script, mount, capabilities=everything)
        assert "can't create /v/x: Read-only file system" in text
        assert "can't create /v/y: Read-only file system" in text
        for container in await harness.runtime.list_containers():
            await harness.runtime.remove_container(container.id)
    finally:
        linux.umount(str(volume))


async def test_processes_that_the_pod_shares(harness: OciHarness):
    sandbox = owned(harness, pid=NamespaceMode.POD)
    sandbox_id = await harness.runtime.run_pod_sandbox(sandbox)
    options = NamespaceOption(pid=NamespaceMode.POD, userns_options=USERS)
    look = "until ps | busybox grep 77200; do :; done; mount -t proc x /tmp && echo ok"
    ids = []
    for name, script in (("a", "exec sleep 77200"), ("b", look)):
        config = harness.command(name, script)
        wish = LinuxContainerSecurityContext(
            namespace_options=options, capabilities=Capability(add=("SYS_ADMIN",))
        )
        config = replace(config, security_context=wish)
        ids.append(await harness.runtime.create_container(sandbox_id, config, sandbox))
        await harness.runtime.start_container(ids[-1])
    await exited(harness.runtime, ids[1])
    text = harness.log("web", "b")
    assert "sleep 77200" in text
    assert text.endswith("ok\n")
    await harness.runtime.remove_pod_sandbox(sandbox_id)


async def test_the_next_process_goes_on_with_it(harness: OciHarness):
    sandbox = owned(harness)
    sandbox_id = await harness.runtime.run_pod_sandbox(sandbox)
    await harness.runtime.__aexit__(None, None, None)
    async with OciRuntime(harness.options, harness.images, harness.network) as runtime:
        (known,) = await runtime.list_pod_sandbox()
        assert (known.id, known.state) == (sandbox_id, PodSandboxState.READY)
        config = replace(harness.command("a", "id -u"), security_context=context())
        container_id = await runtime.create_container(sandbox_id, config, sandbox)
        await runtime.start_container(container_id)
        await exited(runtime, container_id)
        assert harness.log("web", "a") == "0\n"
        await runtime.remove_pod_sandbox(sandbox_id)


async def test_what_cannot_have_other_owners_is_refused(harness: OciHarness):
    with pytest.raises(RuntimeFailure, match="failed to set MOUNT_ATTR_IDMAP on /proc: "):
        await said(harness, "true", Mount("/p", "/proc"))
    assert await harness.runtime.list_containers() == []


async def test_a_way_that_is_closed_is_told(harness: OciHarness):
    harness.directory.chmod(0o700)
    try:
        with pytest.raises(RuntimeFailure, match=r"is closed to others \(mode 700\)"):
            await harness.runtime.run_pod_sandbox(owned(harness))
    finally:
        harness.directory.chmod(0o711)
    assert await harness.runtime.list_pod_sandbox() == []


async def test_only_the_pods_root_gets_to_its_root_directory(harness: OciHarness):
    sandbox = owned(harness)
    sandbox_id = await harness.runtime.run_pod_sandbox(sandbox)
    config = replace(harness.command("a", "true"), security_context=context())
    container_id = await harness.runtime.create_container(sandbox_id, config, sandbox)
    status = harness.options.container(container_id).bundle.stat()
    assert (status.st_mode & 0o777, status.st_uid, status.st_gid) == (0o710, 0, FIRST)
