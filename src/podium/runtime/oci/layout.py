"""Where the runtime keeps what: records below the root, mounts and pid files below the run dir.

    ROOT/lock                      held by the process that owns this runtime
    ROOT/sandboxes/ID/             sandbox.json, resolv.conf, hostname
    ROOT/containers/ID/            container.json, upper, work, exit/ID (conmon writes it)
    RUN/runc/                      the low-level runtime's own state
    RUN/idmaps/ID/                 what a sandbox or container sees with other owners, mounted
    RUN/sandboxes/ID/              net, ipc, uts (pinned namespaces), shm (a tmpfs)
    RUN/containers/ID/             the OCI bundle: config.json, rootfs (an overlay), pid, conmon.pid

The root survives a reboot, the run dir need not. A directory below the root that has no record is
what a crash left of something half made or half removed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import msgspec

from podium.runtime.port import no_such_handler

NAMESPACES = ("network", "ipc", "uts")


class OciOptions(msgspec.Struct, frozen=True, dict=True):
    """*cgroup_root* is the cluster's cgroup; *runc* and *conmon* are found on PATH by default.

    *others* are low-level runtimes besides runc, by the handler's name that RuntimeClasses use.
    *patience* is how long (seconds) the low-level runtime gets to answer, *start_patience* to start
    a container, and *kill_patience* how long a killed container gets to be gone before something
    else is tried.
    """

    root: Path
    run_dir: Path
    cgroup_root: str = "/podium"
    runc: str = "runc"
    conmon: str = "conmon"
    others: Mapping[str, str] = msgspec.field(default_factory=lambda: {"crun": "crun"})
    patience: float = 10.0
    start_patience: float = 120.0
    kill_patience: float = 5.0

    def program(self, handler: str) -> str:
        """The low-level runtime called *handler*. Raises RuntimeFailure in containerd's words."""
        if handler in ("", "runc"):
            return self.runc
        if handler not in self.others:
            raise no_such_handler(handler)
        return self.others[handler]

    @property
    def handlers(self) -> Sequence[str]:
        """What RuntimeClasses may ask for; "" is what Pods without one get."""
        return ("", "runc", *self.others)

    @property
    def apparmor_profile(self) -> str:
        """Name of the cluster's own profile."""
        return self.cgroup_root.strip("/").replace("/", "-")

    @cached_property
    def sandboxes(self) -> Path:
        return self.root / "sandboxes"

    @cached_property
    def containers(self) -> Path:
        return self.root / "containers"

    @cached_property
    def runc_root(self) -> Path:
        return self.run_dir / "runc"

    @cached_property
    def sandbox_runs(self) -> Path:
        return self.run_dir / "sandboxes"

    @cached_property
    def bundles(self) -> Path:
        return self.run_dir / "containers"

    def idmaps(self, any_id: str) -> Path:
        """Apart from other directories: what is mounted here must never be removed as a tree."""
        return self.run_dir / "idmaps" / any_id

    def sandbox(self, sandbox_id: str) -> SandboxPaths:
        return SandboxPaths(self.sandboxes / sandbox_id, self.sandbox_runs / sandbox_id)

    def container(self, container_id: str) -> ContainerPaths:
        return ContainerPaths(
            container_id, self.containers / container_id, self.bundles / container_id
        )


class SandboxPaths(msgspec.Struct, frozen=True):
    directory: Path
    run: Path

    @property
    def record(self) -> Path:
        return self.directory / "sandbox.json"

    @property
    def resolv_conf(self) -> Path:
        return self.directory / "resolv.conf"

    @property
    def hostname(self) -> Path:
        return self.directory / "hostname"

    @property
    def shm(self) -> Path:
        return self.run / "shm"

    def namespace(self, kind: str) -> Path:
        return self.run / kind


class ContainerPaths(msgspec.Struct, frozen=True):
    id: str
    directory: Path
    bundle: Path

    @property
    def record(self) -> Path:
        return self.directory / "container.json"

    @property
    def upper(self) -> Path:
        return self.directory / "upper"

    @property
    def work(self) -> Path:
        return self.directory / "work"

    @property
    def exit_dir(self) -> Path:
        return self.directory / "exit"

    @property
    def exit_file(self) -> Path:
        return self.exit_dir / self.id

    @property
    def config(self) -> Path:
        return self.bundle / "config.json"

    @property
    def rootfs(self) -> Path:
        return self.bundle / "rootfs"

    @property
    def pid_file(self) -> Path:
        return self.bundle / "pid"

    @property
    def conmon_pid_file(self) -> Path:
        return self.bundle / "conmon.pid"

    @property
    def runc_log(self) -> Path:
        return self.bundle / "runc.log"
