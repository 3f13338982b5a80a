"""From a container's CRI configuration to the OCI runtime specification's ``config.json``. Pure.

Defaults are those of containerd's CRI plugin: what is mounted, the order in which environment
variables override one another, what a privileged container is not kept from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from podium.runtime.oci.capabilities import NAMES, wanted
from podium.runtime.oci.devices import Device
from podium.runtime.oci.seccomp import default_profile
from podium.runtime.port import (
    ContainerConfig,
    IDMapping,
    LinuxContainerResources,
    LinuxContainerUser,
    Mount,
    MountPropagation,
    NamespaceMode,
    ProfileType,
    RuntimeFailure,
    UserNamespace,
)
from podium.runtime.rootfs import ImageConfig

OCI_VERSION = "1.0.2"
_PROPAGATION = {
    MountPropagation.PRIVATE: "rprivate",
    MountPropagation.HOST_TO_CONTAINER: "rslave",
    MountPropagation.BIDIRECTIONAL: "rshared",
}
DEFAULT_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class NoSpec(RuntimeFailure):
    """Something that the specification cannot be made with."""


class NodeAbilities(msgspec.Struct, frozen=True):
    """What this process can give a container on this machine."""

    bounding_set: frozenset[str]
    lowest_oom_score_adj: int = -1000
    architecture: str = "x86_64"
    unified_cgroups: bool = False
    swap_accounting: bool = False
    apparmor: bool = False


class SandboxView(msgspec.Struct, frozen=True):
    """What a container takes from its sandbox. A namespace that is the host's has no path."""

    hostname: str
    resolv_conf: str
    hostname_file: str
    shm: str
    namespaces: Mapping[str, str]  #: ``network``, ``ipc``, ``uts`` → path
    processes: str = ""  #: the process namespace of modes ``POD`` and ``TARGET``
    #: Its path is among the namespaces, as ``user``.
    users: UserNamespace = msgspec.field(default_factory=UserNamespace)


class Adaptation(msgspec.Struct, frozen=True):
    """What the node could not give as asked: worth one line in the log."""

    missing_capabilities: Sequence[str] = ()
    oom_score_adj: int | None = None  #: what was asked for, where a higher value had to do


def build_spec(
    config: ContainerConfig,
    image: ImageConfig,
    user: LinuxContainerUser,
    sandbox: SandboxView,
    node: NodeAbilities,
    *,
    rootfs: str,
    cgroup_path: str,
    seccomp: Mapping[str, Any] | None = None,
    devices: Sequence[Device] = (),
    apparmor: str = "",
) -> dict[str, Any]:
    """Return ``config.json``. *seccomp* is the loaded profile of type ``Localhost``, *devices* are
    the node's, for a privileged container, *apparmor* is the name of a profile.

    Raises RuntimeFailure when neither the Pod nor the image says what to run.
    """
    context = config.security_context
    capabilities = [name for name in wanted_capabilities(config) if name in node.bounding_set]
    linux: dict[str, Any] = {
        "cgroupsPath": cgroup_path,
        "namespaces": _namespaces(config, sandbox, node),
        "resources": resources(config.resources, node, privileged=context.privileged),
    }
    for name, entries in (
        ("uidMappings", sandbox.users.uids),
        ("gidMappings", sandbox.users.gids),
    ):
        if entries:
            linux[name] = [_mapping(entry) for entry in entries]
    if context.privileged:
        linux["devices"] = [device.spec() for device in devices]
    else:
        linux["maskedPaths"] = list(context.masked_paths)
        linux["readonlyPaths"] = list(context.readonly_paths)
        match context.seccomp.profile_type:
            case ProfileType.RUNTIME_DEFAULT:
                linux["seccomp"] = default_profile(capabilities, node.architecture)
            case ProfileType.LOCALHOST:
                linux["seccomp"] = seccomp
    propagation = root_propagation(config.mounts)
    if propagation:
        linux["rootfsPropagation"] = propagation
    process = _process(config, image, user, sandbox, node, capabilities)
    if apparmor:
        process["apparmorProfile"] = apparmor
    return {
        "ociVersion": OCI_VERSION,
        "process": process,
        "root": {"path": rootfs, "readonly": context.readonly_rootfs},
        "mounts": mounts(config, sandbox),
        "linux": linux,
    }


def wanted_capabilities(config: ContainerConfig) -> Sequence[str]:
    context = config.security_context
    return NAMES if context.privileged else wanted(context.capabilities)


def adaptation(config: ContainerConfig, node: NodeAbilities) -> Adaptation:
    """Say what of *config* the node cannot give."""
    missing = [name for name in wanted_capabilities(config) if name not in node.bounding_set]
    score = config.resources.oom_score_adj
    too_low = score is not None and score < node.lowest_oom_score_adj
    return Adaptation(missing, score if too_low else None)


def process_args(config: ContainerConfig, image: ImageConfig) -> list[str]:
    """Combine command and args with the image's entrypoint and cmd.

    A command replaces both of the image's; args alone replace its cmd.
    """
    command, args = list(config.command), list(config.args)
    if not command:
        args = args or list(image.cmd)
        command = [] if list(image.entrypoint) == [""] else list(image.entrypoint)
    if not command and not args:
        raise NoSpec("failed to generate spec: no command specified")
    return command + args


def environment(config: ContainerConfig, image: ImageConfig, hostname: str) -> list[str]:
    """Later entries replace earlier ones of the same name, at the earlier one's place."""
    entries = [DEFAULT_PATH]
    if config.tty:
        entries.append("TERM=xterm")
    entries.append(f"HOSTNAME={hostname}")
    entries += image.env
    entries += [f"{name}={value}" for name, value in config.envs]
    values: dict[str, str] = {}
    for entry in entries:
        values[entry.partition("=")[0]] = entry
    return list(values.values())


def mounts(config: ContainerConfig, sandbox: SandboxView) -> list[dict[str, Any]]:
    """The defaults that the container does not replace, then its own, parents before children."""
    own = {_clean(mount.container_path) for mount in config.mounts}
    readonly = config.security_context.readonly_rootfs
    defaults = _default_mounts(config)
    result = [dict(mount) for mount in defaults if mount["destination"] not in own]
    managed = (
        Mount("/etc/hostname", sandbox.hostname_file, readonly),
        Mount("/etc/resolv.conf", sandbox.resolv_conf, readonly),
        Mount("/dev/shm", sandbox.shm),
    )
    result += [_bind(mount) for mount in managed if mount.container_path not in own]
    result += [_bind(mount) for mount in config.mounts]
    return sorted(result, key=lambda mount: _depth(mount["destination"]))


def resources(
    wish: LinuxContainerResources, node: NodeAbilities, *, privileged: bool = False
) -> dict[str, Any]:
    cpu: dict[str, int] = {}
    if wish.cpu_shares:
        cpu["shares"] = wish.cpu_shares
    if wish.cpu_quota:
        cpu["quota"] = wish.cpu_quota
        cpu["period"] = wish.cpu_period or 100_000
    memory: dict[str, int] = {}
    if wish.memory_limit_in_bytes:
        memory["limit"] = wish.memory_limit_in_bytes
        if node.swap_accounting and not node.unified_cgroups:
            memory["swap"] = wish.memory_limit_in_bytes  # no swap beyond the limit
    result: dict[str, Any] = {"devices": [{"allow": privileged, "access": "rwm"}]}
    if wish.hugepage_limits:
        result["hugepageLimits"] = [
            {"pageSize": size, "limit": limit} for size, limit in wish.hugepage_limits
        ]
    if node.unified_cgroups:
        files = dict(wish.unified)
        if node.swap_accounting:
            files["memory.swap.max"] = "0"  # no swap, also where memory has no limit
        if files:
            result["unified"] = files
    if cpu:
        result["cpu"] = cpu
    if memory:
        result["memory"] = memory
    return result


def _process(
    config: ContainerConfig,
    image: ImageConfig,
    user: LinuxContainerUser,
    sandbox: SandboxView,
    node: NodeAbilities,
    capabilities: Sequence[str],
) -> dict[str, Any]:
    process: dict[str, Any] = {
        "terminal": config.tty,
        "user": {
            "uid": user.uid,
            "gid": user.gid,
            "additionalGids": list(user.supplemental_groups),
        },
        "args": process_args(config, image),
        "env": environment(config, image, sandbox.hostname),
        "cwd": config.working_dir or image.working_dir or "/",
        "capabilities": {
            kind: list(capabilities) for kind in ("bounding", "effective", "permitted")
        },
        "noNewPrivileges": config.security_context.no_new_privs,
    }
    if config.resources.oom_score_adj is not None:
        process["oomScoreAdj"] = max(config.resources.oom_score_adj, node.lowest_oom_score_adj)
    return process


def _namespaces(
    config: ContainerConfig, sandbox: SandboxView, node: NodeAbilities
) -> list[dict[str, str]]:
    result = [{"type": "mount"}]
    match config.security_context.namespace_options.pid:
        case NamespaceMode.CONTAINER:
            result.append({"type": "pid"})
        case NamespaceMode.POD | NamespaceMode.TARGET:
            result.append({"type": "pid", "path": sandbox.processes})
    result += [{"type": kind, "path": path} for kind, path in sandbox.namespaces.items()]
    if node.unified_cgroups and not config.security_context.privileged:
        result.append({"type": "cgroup"})
    return result


def _mapping(entry: IDMapping) -> dict[str, int]:
    return {"containerID": entry.container_id, "hostID": entry.host_id, "size": entry.length}


def _bind(mount: Mount) -> dict[str, Any]:
    return {
        "destination": mount.container_path,
        "type": "bind",
        "source": mount.host_path,
        "options": [
            "rbind",
            _PROPAGATION[mount.propagation],
            _access(mount),
            *(("noexec",) if mount.image else ()),
        ],
    }


def _access(mount: Mount) -> str:
    if mount.readonly:
        return "rro" if mount.recursive_read_only else "ro"
    return "rw"


def root_propagation(mounts: Sequence[Mount]) -> str:
    """How the root has to be for *mounts* to hear of the node's; "" where none wants to."""
    wanted = {mount.propagation for mount in mounts}
    if MountPropagation.BIDIRECTIONAL in wanted:
        return _PROPAGATION[MountPropagation.BIDIRECTIONAL]
    if MountPropagation.HOST_TO_CONTAINER in wanted:
        return _PROPAGATION[MountPropagation.HOST_TO_CONTAINER]
    return ""


def _mount(destination: str, kind: str, *options: str) -> Mapping[str, Any]:
    return {
        "destination": destination,
        "type": kind,
        "source": kind,
        "options": ["nosuid", *options],
    }


def _default_mounts(config: ContainerConfig) -> Sequence[Mapping[str, Any]]:
    """A privileged container may write to cgroups, and to /sys where it is the node's own; that of
    a Pod's network is read-only upstream too, whose sandbox has mounted it so first."""
    context = config.security_context
    on_host_network = context.namespace_options.network is NamespaceMode.NODE
    cgroup = "rw" if context.privileged else "ro"
    sys = "rw" if context.privileged and on_host_network else "ro"
    return (
        _mount("/proc", "proc", "noexec", "nodev"),
        _mount("/dev", "tmpfs", "strictatime", "mode=755", "size=65536k"),
        _mount(
            "/dev/pts", "devpts", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"
        ),
        _mount("/dev/mqueue", "mqueue", "noexec", "nodev"),
        _mount("/sys", "sysfs", "noexec", "nodev", sys),
        _mount("/sys/fs/cgroup", "cgroup", "noexec", "nodev", "relatime", cgroup),
    )


def _clean(path: str) -> str:
    return "/" + "/".join(part for part in path.split("/") if part not in ("", "."))


def _depth(path: str) -> int:
    return _clean(path).count("/") if _clean(path) != "/" else 0
