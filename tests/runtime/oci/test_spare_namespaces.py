"""Namespaces made ahead are what a sandbox would have made; nothing is left of them."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from podium.runtime.oci import namespaces, spare_namespaces
from podium.runtime.oci.layout import OciOptions, SandboxPaths
from podium.runtime.oci.spare_namespaces import SpareNamespaces, SpareSet
from support.oci import OciHarness, until

KINDS = ("network", "uts", "ipc")
FILES = {"network": "net", "uts": "uts", "ipc": "ipc"}


@pytest.fixture
def paths(tmp_path: Path) -> Iterator[SandboxPaths]:
    paths = OciOptions(tmp_path / "root", tmp_path / "run").sandbox("one")
    paths.run.mkdir(parents=True)
    yield paths
    namespaces.unpin(paths)


def descriptors() -> set[str]:
    """The namespaces that this process holds by descriptors."""
    links = set()
    for number in os.listdir("/proc/self/fd"):
        try:
            links.add(os.readlink(f"/proc/self/fd/{number}"))
        except FileNotFoundError:  # the one of this listing
            continue
    return {link for link in links if link.startswith(("net:", "ipc:", "uts:"))}


def inside(paths: SandboxPaths) -> str:
    """What a process in the namespaces sees of them."""
    entered = [f"--{FILES[kind]}={paths.namespace(kind)}" for kind in KINDS]
    script = (
        "hostname; cat /proc/sys/kernel/shm_rmid_forced /proc/sys/net/ipv4/ping_group_range "
        "/proc/sys/net/ipv4/ip_unprivileged_port_start /proc/net/dev; ip -br link"
    )
    command = ["nsenter", *entered, "sh", "-c", script]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_a_spare_set_is_what_a_sandbox_would_have_made(paths: SandboxPaths) -> None:
    with closing(SpareSet()) as spare:
        spare.pin(paths, KINDS, "web-1")
    made_ahead = inside(paths)
    namespaces.unpin(paths)
    namespaces.pin(paths, KINDS, "web-1", namespaces.network_sysctls())
    assert made_ahead == inside(paths)
    assert made_ahead.startswith("web-1\n")
    assert "lo               UNKNOWN" in made_ahead


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("sysctls", "ahead"), [({}, True), ({"net.ipv4.ping_group_range": "5 6"}, False)]
)
async def test_a_sandbox_without_sysctls_of_its_own_gets_what_was_made_ahead(
    harness: OciHarness, monkeypatch: pytest.MonkeyPatch, sysctls: dict[str, str], ahead: bool
) -> None:
    config = harness.sandbox("web")
    config = replace(config, linux=replace(config.linux, sysctls=sysctls))
    with closing(SpareSet()) as spare:
        inodes = {os.fstat(descriptor).st_ino for descriptor in spare._descriptors.values()}
        monkeypatch.setattr(SpareNamespaces, "take", lambda _: spare)
        paths = harness.options.sandbox(await harness.runtime.run_pod_sandbox(config))
    assert (inodes == {paths.namespace(kind).stat().st_ino for kind in KINDS}) is ahead
    assert ("\n5\t6\n" in inside(paths)) is not ahead


def test_only_the_kinds_asked_for_are_pinned_and_none_is_held(paths: SandboxPaths) -> None:
    before = descriptors()
    with closing(SpareSet()) as spare:
        assert len(descriptors() - before) == 3
        spare.pin(paths, ("network", "uts"), "web-1")
    assert descriptors() == before
    assert namespaces.pinned(paths, ("network", "uts"))
    assert not paths.namespace("ipc").exists()


async def taken(spares: SpareNamespaces) -> SpareSet:
    async with asyncio.timeout(60):
        while (spare := spares.take()) is None:
            await asyncio.sleep(0.001)
    return spare


async def test_a_set_is_made_once_nobody_has_asked_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(spare_namespaces, "PAUSE", 0)
    before, spares = descriptors(), SpareNamespaces()
    assert spares.take() is None
    spares.make_later()
    spares.make_later()
    with closing(await taken(spares)):
        assert spares.take() is None
        assert len(descriptors() - before) == 3
    spares.make_later()
    (await taken(spares)).close()
    assert descriptors() == before


@pytest.mark.parametrize("how_far", ["not begun", "under way"])
async def test_none_is_made_or_held_once_they_are_closed(
    monkeypatch: pytest.MonkeyPatch, how_far: str
) -> None:
    monkeypatch.setattr(spare_namespaces, "PAUSE", 0)
    before, spares, make = descriptors(), SpareNamespaces(), namespaces.make
    begun, closed = threading.Event(), threading.Event()

    def slowly(sysctls: Mapping[str, str]) -> dict[str, int]:
        made = make(sysctls)
        begun.set()
        assert closed.wait(60)
        return made

    monkeypatch.setattr(namespaces, "make", slowly)
    spares.make_later()
    if how_far == "under way":
        await until(begun.is_set)
    spares.close()
    spares.make_later()
    closed.set()
    await until(lambda: descriptors() == before)
    await asyncio.get_running_loop().shutdown_default_executor()
    assert begun.is_set() is (how_far == "under way")
    assert spares.take() is None
    assert descriptors() == before


async def test_where_none_can_be_made_that_is_said_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(spare_namespaces, "PAUSE", 0)
    spares = SpareNamespaces()
    with monkeypatch.context() as broken:
        broken.setattr(namespaces, "make", _no_room)
        spares.make_later()
        async with asyncio.timeout(60):
            while not caplog.records:
                await asyncio.sleep(0.001)
    assert caplog.records[0].levelno == logging.WARNING
    assert spares.take() is None
    spares.make_later()
    (await taken(spares)).close()


def _no_room(_: Mapping[str, str]) -> dict[str, int]:
    raise OSError(28, "No space left on device")
