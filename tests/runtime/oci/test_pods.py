"""What containers of a Pod share and do not share, and what the kernel enforces: the real thing."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import threading
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from msgspec.structs import replace

from contracts.runtime import exited
from podium.runtime import linux
from podium.runtime.cgroups import Cgroups
from podium.runtime.mounts import mount_points
from podium.runtime.oci import namespaces
from podium.runtime.port import (
    Capability,
    ContainerConfig,
    ContainerState,
    ContainerStatus,
    DNSConfig,
    LinuxContainerResources,
    LinuxContainerSecurityContext,
    Mount,
    NamespaceMode,
    NamespaceOption,
    ProfileType,
    RuntimeFailure,
    SecurityProfile,
)
from support.oci import OciHarness, PlainImageConfig, until

pytestmark = pytest.mark.e2e


_SHOW_NAMESPACES = "for n in net pid; do busybox readlink /proc/self/ns/$n; done; sleep 100 & exit"


def own_namespaces(*kinds: str) -> list[str]:
    return [os.readlink(f"/proc/self/ns/{kind}") for kind in kinds]


def wait_until_empty(cgroup: str) -> None:
    deadline = time.monotonic() + 60
    while Cgroups.detect().processes(cgroup):
        assert time.monotonic() < deadline


def wait_for_end(pid: int) -> None:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([descriptor], [], [], 60)[0]
    finally:
        os.close(descriptor)


async def run(harness: OciHarness, pod: str, config: ContainerConfig) -> tuple[str, str]:
    """Start a container in the sandbox of *pod*, made where needed; return both IDs."""
    sandbox = harness.sandbox(pod)
    known = await harness.runtime.list_pod_sandbox(pod_uid=sandbox.metadata.uid)
    sandbox_id = known[0].id if known else await harness.runtime.run_pod_sandbox(sandbox)
    container_id = await harness.runtime.create_container(sandbox_id, config, sandbox)
    await harness.runtime.start_container(container_id)
    return sandbox_id, container_id


async def output(harness: OciHarness, pod: str, config: ContainerConfig) -> str:
    """Run a container to its end; return what it said."""
    _, container_id = await run(harness, pod, config)
    await exited(harness.runtime, container_id)
    return harness.log(pod, config.metadata.name)


async def finished(harness: OciHarness, pod: str, config: ContainerConfig) -> ContainerStatus:
    _, container_id = await run(harness, pod, config)
    return await exited(harness.runtime, container_id)


async def test_two_containers_of_a_pod_reach_each_other_on_localhost(harness: OciHarness):
    await run(harness, "web", harness.command("server", "echo hi | nc -l -p 8080"))
    client = "until nc 127.0.0.1 8080 </dev/null; do sleep 0.01; done"
    assert await output(harness, "web", harness.command("client", client)) == "hi\n"


async def test_two_containers_of_a_pod_share_host_name_shm_and_ipc(harness: OciHarness):
    show = "hostname; cat /etc/hostname; readlink /proc/self/ns/ipc; readlink /proc/self/ns/net"
    show = show.replace("readlink", "busybox readlink")
    first = await output(harness, "web", harness.command("a", f"{show}; echo x > /dev/shm/x"))
    second = await output(harness, "web", harness.command("b", f"{show}; cat /dev/shm/x"))
    assert first.startswith("web\nweb\nipc:")
    assert second == f"{first}x\n"


async def test_two_pods_share_nothing(harness: OciHarness):
    show = "for n in ipc net uts; do busybox readlink /proc/self/ns/$n; done; ls /dev/shm"
    first = await output(harness, "web", harness.command("a", f"echo x > /dev/shm/x; {show}"))
    second = await output(harness, "db", harness.command("a", show))
    assert not set(first.splitlines()) & set(second.splitlines())


async def test_containers_have_processes_and_cgroups_of_their_own(harness: OciHarness):
    show = "echo $$; busybox readlink /proc/self/ns/pid; cat /proc/self/cgroup"
    await run(harness, "web", harness.command("a", f"{show}; exec sleep 100"))
    second = await output(harness, "web", harness.command("b", show))
    await until(lambda: harness.log("web", "a").count("\n") >= second.count("\n"))
    first = harness.log("web", "a")
    assert first.startswith("1\npid:")
    assert second.startswith("1\npid:")
    for one, other in zip(first.splitlines()[1:], second.splitlines()[1:], strict=True):
        assert one != other
    assert f"{harness.cgroup_root}/pod-web/" in first


async def test_a_pods_address_is_on_eth0_and_the_gateway_answers(harness: OciHarness):
    config = harness.command(
        "a",
        "ip -4 addr show eth0; ip route; "
        f"busybox ping -c1 -W60 {harness.network.gateway} >/dev/null && echo pong",
    )
    sandbox_id, container_id = await run(harness, "web", config)
    await exited(harness.runtime, container_id)
    (address,) = (await harness.runtime.pod_sandbox_status(sandbox_id)).ips
    said = harness.log("web", "a")
    assert f"inet {address}/" in said
    assert f"default via {harness.network.gateway}" in said
    assert said.endswith("pong\n")


async def test_dns_configuration(harness: OciHarness):
    dns = DNSConfig(("10.96.0.10",), ("default.svc.cluster.local", "local"), ("ndots:5",))
    sandbox = replace(harness.sandbox("web"), dns_config=dns)
    sandbox_id = await harness.runtime.run_pod_sandbox(sandbox)
    config = harness.command("a", "cat /etc/resolv.conf")
    container_id = await harness.runtime.create_container(sandbox_id, config, sandbox)
    await harness.runtime.start_container(container_id)
    await exited(harness.runtime, container_id)
    assert harness.log("web", "a") == (
        "search default.svc.cluster.local local\nnameserver 10.96.0.10\noptions ndots:5\n"
    )


async def test_limits_land_in_the_cgroup(harness: OciHarness):
    resources = LinuxContainerResources(
        cpu_period=100_000, cpu_quota=50_000, cpu_shares=512, memory_limit_in_bytes=64 << 20
    )
    config = replace(harness.container("a"), resources=resources)
    _, container_id = await run(harness, "web", config)
    path = f"{harness.cgroup_root}/pod-web/{container_id}"
    cgroups = Path("/sys/fs/cgroup")
    if (cgroups / "cgroup.controllers").exists():
        assert (cgroups / path[1:] / "cpu.max").read_text() == "50000 100000\n"
        assert (cgroups / path[1:] / "memory.max").read_text() == f"{64 << 20}\n"
    else:
        cpu, memory = cgroups / "cpu" / path[1:], cgroups / "memory" / path[1:]
        assert (cpu / "cpu.cfs_quota_us").read_text() == "50000\n"
        assert (cpu / "cpu.shares").read_text() == "512\n"
        assert (memory / "memory.limit_in_bytes").read_text() == f"{64 << 20}\n"
    stats = await harness.runtime.container_stats(container_id)
    assert 0 < stats.memory_working_set_bytes < 64 << 20
    assert stats.cpu_usage_nanoseconds > 0


async def test_too_much_memory_is_oom_killed(harness: OciHarness):
    config = replace(
        harness.command("a", "x=a; while :; do x=$x$x$x; done"),
        resources=LinuxContainerResources(memory_limit_in_bytes=16 << 20),
    )
    status = await finished(harness, "web", config)
    assert (status.exit_code, status.reason) == (137, "OOMKilled")


async def test_sigkill_after_the_timeout(harness: OciHarness):
    script = "trap '' TERM; echo deaf; sleep 1000"
    _, container_id = await run(harness, "web", harness.command("a", script))
    await until(lambda: "deaf" in harness.log("web", "a"))
    started = time.monotonic()
    await harness.runtime.stop_container(container_id, 0.3)
    assert time.monotonic() - started >= 0.3
    assert (await harness.runtime.container_status(container_id)).exit_code == 137


async def test_the_images_stop_signal_is_used(harness: OciHarness):
    harness.images.image_config = PlainImageConfig(stop_signal="SIGUSR1")
    script = "trap 'exit 44' USR1; echo ready; while :; do sleep 0.02; done"
    _, container_id = await run(harness, "web", harness.command("a", script))
    await until(lambda: "ready" in harness.log("web", "a"))
    await harness.runtime.stop_container(container_id, 60)
    assert (await harness.runtime.container_status(container_id)).exit_code == 44


async def test_user_and_groups_of_the_image(harness: OciHarness):
    harness.images.image_config = PlainImageConfig(user="web")
    said = await output(harness, "web", harness.command("a", "id -u; id -g; id -G"))
    assert said.splitlines() == ["100", "101", "101 102"]


async def test_an_unknown_user_cannot_be_created_and_leaves_nothing(harness: OciHarness):
    harness.images.image_config = PlainImageConfig(user="nosuch")
    with pytest.raises(RuntimeFailure, match="no users found"):
        await run(harness, "web", harness.container("a"))
    assert await harness.runtime.list_containers() == []
    assert harness.images.holds == {}


async def test_an_image_whose_dev_leads_out_touches_nothing_of_the_node(
    harness: OciHarness, tmp_path: Path
):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "ptmx").write_text("the node's")
    (harness.images.layer / "dev").rmdir()
    (harness.images.layer / "dev").symlink_to(outside)
    with pytest.raises(RuntimeFailure, match="must be mounted on ordinary directory"):
        await run(harness, "web", harness.command("a", "true"))
    assert [file.read_text() for file in outside.iterdir()] == ["the node's"]


async def test_mounts_are_bound_and_readonly_where_asked(harness: OciHarness, tmp_path: Path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "file").write_text("content\n")
    config = harness.command(
        "a",
        "cat /in/file; touch /in/new 2>&1 | cat; touch /out/new && echo written",
        Mount("/in", str(tmp_path / "in"), readonly=True),
        Mount("/out", str(tmp_path / "made" / "here")),
    )
    said = await output(harness, "web", config)
    assert said == "content\ntouch: /in/new: Read-only file system\nwritten\n"
    assert (tmp_path / "made" / "here" / "new").exists()


async def test_an_image_is_mounted_held_and_let_go(harness: OciHarness):
    mounts = (
        Mount("/image", "", True, image="sha256:1"),
        Mount("/part", "", True, image="sha256:1", image_sub_path="bin"),
    )
    config = harness.command("a", "cmp /image/bin/sh /part/sh && echo same", *mounts)
    assert await output(harness, "web", config) == "same\n"
    [container] = await harness.runtime.list_containers()
    assert len([name for name in harness.images.holds if name.startswith(container.id)]) == 3
    await harness.runtime.remove_container(container.id)
    assert harness.images.holds == {}
    assert not [mount.path for mount in mount_points() if container.id in mount.path]


async def test_an_image_that_lacks_the_part_leaves_nothing(harness: OciHarness):
    mount = Mount("/part", "", True, image="sha256:1", image_sub_path="no/such")
    with pytest.raises(RuntimeFailure, match="image sub path"):
        await run(harness, "web", harness.command("a", "true", mount))
    assert harness.images.holds == {}


async def test_capabilities_seccomp_and_protected_paths(harness: OciHarness):
    context = LinuxContainerSecurityContext(
        capabilities=Capability(drop=("ALL",), add=("NET_BIND_SERVICE",)),
        seccomp=SecurityProfile(ProfileType.RUNTIME_DEFAULT),
        no_new_privs=True,
        readonly_paths=("/proc/sys",),
    )
    script = (
        (
            "grep -E 'CapEff|CapBnd|NoNewPrivs|Seccomp:' /proc/self/status; "
            "echo 1 > /proc/sys/kernel/panic; ls /proc/acpi /sys/firmware 2>/dev/null | head -3; "
            "busybox unshare -U true 2>&1"
        )
        .replace("grep", "busybox grep")
        .replace("head", "busybox head")
    )
    config = replace(harness.command("a", script), security_context=context)
    lines = (await output(harness, "web", config)).splitlines()
    assert lines[:4] == [
        "CapEff:\t0000000000000400",
        "CapBnd:\t0000000000000400",
        "NoNewPrivs:\t1",
        "Seccomp:\t2",
    ]
    said = "\n".join(lines[4:])
    assert "/proc/sys/kernel/panic: Read-only file system" in said
    assert "unshare(0x10000000): Operation not permitted" in said


@pytest.mark.parametrize(
    ("name", "why"),
    [("ip_local_port_range", "write {}: invalid argument"), ("nosuch", "open {}: no such file or")],
)
async def test_a_sysctl_that_cannot_be_set_is_named(harness: OciHarness, name: str, why: str):
    sysctls = {f"net.ipv4.{name}": "foo"}
    sandbox = harness.sandbox("web")
    sandbox = replace(sandbox, linux=replace(sandbox.linux, sysctls=sysctls))
    text = f"write sysctl key net.ipv4.{name}: {why.format(f'/proc/sys/net/ipv4/{name}')}"
    with pytest.raises(RuntimeFailure, match=f"runc create failed: .* container init: {text}"):
        await harness.runtime.run_pod_sandbox(sandbox)


async def test_the_hosts_network_and_processes(harness: OciHarness):
    options = NamespaceOption(network=NamespaceMode.NODE, pid=NamespaceMode.NODE)
    base = harness.sandbox("web")
    sandbox = replace(base, linux=replace(base.linux, namespace_options=options))
    sandbox_id = await harness.runtime.run_pod_sandbox(sandbox)
    assert (await harness.runtime.pod_sandbox_status(sandbox_id)).ips == ()
    config = replace(
        harness.command("a", _SHOW_NAMESPACES),
        security_context=LinuxContainerSecurityContext(namespace_options=options),
    )
    container_id = await harness.runtime.create_container(sandbox_id, config, sandbox)
    await harness.runtime.start_container(container_id)
    await exited(harness.runtime, container_id)
    said = harness.log("web", "a").splitlines()
    assert said == own_namespaces("net", "pid")
    await asyncio.to_thread(wait_until_empty, f"{harness.cgroup_root}/pod-web/{container_id}")


async def test_the_log_has_cris_line_format(harness: OciHarness):
    await output(harness, "web", harness.command("a", "echo out; echo err >&2; printf partial"))
    lines = (harness.directory / "logs" / "web" / "a" / "0.log").read_text().splitlines()
    kinds = sorted(tuple(line.split(" ")[1:]) for line in lines)
    assert kinds == [("stderr", "F", "err"), ("stdout", "F", "out"), ("stdout", "P", "partial")]


async def test_a_missing_working_directory_is_made(harness: OciHarness):
    config = replace(harness.command("a", "pwd"), working_dir="/made/here")
    assert await output(harness, "web", config) == "/made/here\n"


async def test_a_killed_conmon_is_an_exit_of_unknown_outcome(harness: OciHarness):
    _, container_id = await run(harness, "web", harness.container("a"))
    pid = (await harness.runtime.container_status(container_id)).pid
    conmon = int(harness.options.container(container_id).conmon_pid_file.read_text())
    os.kill(conmon, signal.SIGKILL)
    status = await exited(harness.runtime, container_id)
    assert (status.exit_code, status.reason) == (255, "Unknown")
    wait_for_end(pid)
    assert status.state is ContainerState.EXITED


async def test_nothing_waits_while_the_kernel_makes_namespaces_and_unmounts(
    harness: OciHarness, monkeypatch
):
    """It takes its time for it, and the event loop is everybody's."""
    threads: dict[str, set[int]] = {"pin": set(), "umount": set()}

    def note(module: ModuleType, name: str) -> None:
        real = getattr(module, name)

        def noted(*arguments: Any, **named: Any) -> Any:
            threads[name].add(threading.get_ident())
            return real(*arguments, **named)

        monkeypatch.setattr(module, name, noted)

    note(namespaces, "pin")
    note(linux, "umount")
    sandbox = harness.sandbox("web")
    sysctls = {"net.ipv4.ping_group_range": "0 1"}  # nothing that was made ahead has these
    sandbox = replace(sandbox, linux=replace(sandbox.linux, sysctls=sysctls))
    sandbox_id = await harness.runtime.run_pod_sandbox(sandbox)
    await harness.runtime.create_container(sandbox_id, harness.container("a"), sandbox)
    await harness.runtime.remove_pod_sandbox(sandbox_id)
    assert all(threads.values())
    assert threading.get_ident() not in threads["pin"] | threads["umount"]


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/etc/passwd/x", 'failed to stat "{0}": stat {0}: not a directory'),
        ("/proc/1/x", 'failed to mkdir "{0}": mkdir {0}: no such file or directory'),
    ],
)
async def test_a_host_path_that_cannot_be_made_is_named(harness: OciHarness, path: str, why: str):
    sandbox = harness.sandbox("web")
    sandbox_id = await harness.runtime.run_pod_sandbox(sandbox)
    config = replace(harness.container("main"), mounts=(Mount("/m", path),))
    text = f"failed to generate spec: {why.format(path)}$"
    with pytest.raises(RuntimeFailure, match=text):
        await harness.runtime.create_container(sandbox_id, config, sandbox)
