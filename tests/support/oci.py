"""An embedded runtime on an image made on the spot, for tests that run real containers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from msgspec.structs import replace

from podium.runtime.image_port import Image
from podium.runtime.network.bridge import BridgeNetwork
from podium.runtime.network.ruleset import ServiceRule
from podium.runtime.oci.cleanup import cleanup
from podium.runtime.oci.layout import OciOptions
from podium.runtime.oci.runtime import OciRuntime
from podium.runtime.port import (
    ContainerConfig,
    ContainerMetadata,
    LinuxPodSandboxConfig,
    Mount,
    PodSandboxConfig,
    PodSandboxMetadata,
)

_APPLETS = """
sh sleep cat stty ls hostname ip wget httpd mount id df echo touch kill ps nc ipcs true false
""".split()
_PASSWD = "root:x:0:0:root:/root:/bin/sh\nweb:x:100:101::/:/bin/sh\n"
_GROUP = "root:x:0:\nweb:x:101:\nextra:x:102:web,other\n"


@dataclass(frozen=True, slots=True)
class PlainImageConfig:
    entrypoint: Sequence[str] = ()
    cmd: Sequence[str] = ("sleep", "1000")
    env: Sequence[str] = ()
    working_dir: str = ""
    user: str = ""
    stop_signal: str = ""


@dataclass
class OneImage:
    """``ImageRootfs`` with one image: busybox, in one unpacked layer."""

    layer: Path
    image_config: PlainImageConfig = PlainImageConfig()
    holds: dict[str, str] = field(default_factory=dict)

    @classmethod
    def make(cls, directory: Path) -> OneImage:
        layer = directory / "layers" / secrets.token_hex(16)
        for name in ("bin", "etc", "tmp", "proc", "sys", "dev"):
            (layer / name).mkdir(parents=True)
        (layer / "tmp").chmod(0o1777)
        shutil.copy("/bin/busybox", layer / "bin" / "busybox")
        for applet in _APPLETS:
            (layer / "bin" / applet).symlink_to("busybox")
        (layer / "etc" / "passwd").write_text(_PASSWD)
        (layer / "etc" / "group").write_text(_GROUP)
        return cls(layer)

    def layers(self, image_id: str) -> Sequence[str]:
        return (str(self.layer),)

    def config(self, image_id: str) -> PlainImageConfig:
        return self.image_config

    def hold(self, image_id: str, container_id: str) -> None:
        self.holds[container_id] = image_id

    def release(self, container_id: str) -> None:
        self.holds.pop(container_id, None)

    async def image_status(self, image: str) -> Image | None:
        return Image("sha256:1", ("docker.io/library/bb:1",), ("docker.io/library/bb@sha256:2",), 1)


@dataclass
class OciHarness:
    """A cluster's runtime in *directory*; the harness of the contract suite too."""

    directory: Path
    id: str
    images: OneImage
    network: BridgeNetwork
    options: OciOptions
    runtime: OciRuntime

    @property
    def cgroup_root(self) -> str:
        return self.options.cgroup_root

    def sandbox(self, name: str) -> PodSandboxConfig:
        return PodSandboxConfig(
            PodSandboxMetadata(name, f"uid-{name}", "default"),
            hostname=name,
            log_directory=str(self.directory / "logs" / name),
            linux=LinuxPodSandboxConfig(cgroup_parent=f"{self.cgroup_root}/pod-{name}"),
        )

    def container(self, name: str) -> ContainerConfig:
        """A container that runs until SIGTERM, or until a file ``/end`` says with which code."""
        return self.command(
            name,
            "trap 'exit 143' TERM; touch /up 2>/dev/null; "
            "while ! [ -s /end ]; do sleep 0.01; done; exit $(cat /end)",
        )

    def unstartable(self, name: str) -> ContainerConfig:
        return replace(self.command(name, ""), command=("/no/such/command",))

    def command(self, name: str, script: str, *mounts: Mount) -> ContainerConfig:
        """A container that runs *script* in a shell."""
        return ContainerConfig(
            ContainerMetadata(name),
            "sha256:1",
            command=("sh", "-c", script),
            log_path=f"{name}/0.log",
            mounts=mounts,
        )

    async def end(self, container_id: str, code: int) -> None:
        rootfs = self.options.container(container_id).rootfs
        (rootfs / "end.new").write_text(str(code))
        os.replace(rootfs / "end.new", rootfs / "end")

    async def executing(self, container_id: str, cmd: Sequence[str]) -> None:
        wanted = "".join(f"{word}\0" for word in cmd)

        def runs() -> bool:
            processes = self.processes(container_id)
            return any(_read(Path(f"/proc/{pid}/cmdline")) == wanted for pid in processes)

        await until(runs)

    def processes(self, container_id: str) -> list[int]:
        """Process IDs in the container's cgroup."""
        return [pid for pid in pids() if container_id in _read(Path(f"/proc/{pid}/cgroup"))]

    def log(self, sandbox: str, container: str) -> str:
        """What the container said in whole lines so far, without time stamps."""
        text = (self.directory / "logs" / sandbox / container / "0.log").read_text()
        lines = text[: text.rfind("\n") + 1].splitlines()
        return "".join(line.split(" ", 3)[3] + "\n" for line in lines)

    async def listens(self, container_id: str) -> None:
        """Return once the process of a :meth:`container` that was started would hear SIGTERM."""
        await until((self.options.container(container_id).rootfs / "up").exists)


def open_files() -> list[str]:
    """What this process has open, but for namespaces: the next sandbox's are made ahead, whenever
    there is time for that."""
    found = []
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # as the directory that is listed
            found.append(os.readlink(f"/proc/self/fd/{number}"))
    return [link for link in found if not link.startswith(("net:", "ipc:", "uts:"))]


def pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


async def until(condition: Callable[[], bool]) -> None:
    """Return once *condition* holds; fail after a minute."""
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def oci(
    directory: Path,
    cidr: str,
    *,
    service: ServiceRule | None = None,
    others: Mapping[str, str] = MappingProxyType({}),
    **changes: Any,
) -> AsyncIterator[OciHarness]:
    """A cluster's runtime and network; all of it is gone afterwards, whatever happened.

    *changes* are of the runtime's options.
    """
    cluster = f"podium-t{secrets.token_hex(3)}"
    images = OneImage.make(directory)
    network = BridgeNetwork(cluster, cidr, directory / "network", service=service)
    root, run_dir = directory / "root", directory / "run"
    options = OciOptions(root, run_dir, f"/{cluster}", others=others, **changes)
    try:
        await network.setup()
        async with OciRuntime(options, images, network) as runtime:
            yield OciHarness(directory, cluster, images, network, options, runtime)
    finally:
        await cleanup(options, network)
