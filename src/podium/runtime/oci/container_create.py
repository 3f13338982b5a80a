"""CreateContainer: a mounted root and a rendered ``config.json``; nothing runs yet."""

from __future__ import annotations

import json
import logging
import os
import secrets
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from podium.kit.answering import silent
from podium.kit.files import write_atomic
from podium.runtime.mounts import mount_of
from podium.runtime.oci import apparmor, idmaps, image_mounts, user_namespace
from podium.runtime.oci.container_remove import destroy
from podium.runtime.oci.devices import node_devices
from podium.runtime.oci.engine import Engine
from podium.runtime.oci.records import ContainerRecord, SandboxRecord
from podium.runtime.oci.rootfs_mount import mount_rootfs, read_in_root
from podium.runtime.oci.sandbox_run import namespace_kinds, sandbox_hostname
from podium.runtime.oci.spec import NoSpec, SandboxView, adaptation, build_spec
from podium.runtime.oci.users import resolve, user_string
from podium.runtime.port import (
    ContainerConfig,
    ContainerEventType,
    ContainerState,
    LinuxContainerSecurityContext,
    Mount,
    MountPropagation,
    NamespaceMode,
    NamespaceOption,
    PodSandboxConfig,
    PodSandboxState,
    ProfileType,
    RuntimeFailure,
    no_utf_8,
)
from podium.runtime.rootfs import ImageConfig

logger = logging.getLogger(__name__)

_said: set[str] = set()


async def create_container(
    engine: Engine, sandbox_id: str, config: ContainerConfig, sandbox_config: PodSandboxConfig
) -> str:
    """Prepare a container; what was made of it is removed when that fails or is cancelled."""
    sandbox = engine.sandbox(sandbox_id).record
    if sandbox.state is not PodSandboxState.READY:
        raise RuntimeFailure(f'sandbox container "{sandbox_id}" is not running')
    image = engine.images.config(config.image)
    names = await engine.images.image_status(config.image)
    profile = await apparmor.profile_for(
        config.security_context,
        engine.options.apparmor_profile,
        available=engine.node.apparmor,
    )
    container_id = secrets.token_hex(32)
    cgroup_parent = sandbox.config.linux.cgroup_parent or engine.options.cgroup_root
    record = ContainerRecord(
        id=container_id,
        sandbox_id=sandbox_id,
        config=config,
        created_at=engine.now(),
        cgroup_path=f"{cgroup_parent}/{container_id}",
        log_path=_log_path(sandbox_config, config),
        image=names.repo_tags[0] if names and names.repo_tags else config.user_specified_image,
        image_ref=names.repo_digests[0] if names and names.repo_digests else config.image,
        stop_signal=config.stop_signal or image.stop_signal or "SIGTERM",
        handler=sandbox.handler,
    )
    await _answering(engine, config)
    async with AsyncExitStack() as half_made:
        half_made.push_async_callback(destroy, engine, record.id)
        try:
            _make(engine, record, sandbox, image, profile)
        except NoSpec as exc:
            text = f'failed to generate container "{container_id}" spec: {exc}'
            raise RuntimeFailure(text) from exc
        except UnicodeEncodeError as exc:
            raise no_utf_8() from exc
        except OSError as exc:
            raise RuntimeFailure(f"failed to create containerd container: {exc}") from exc
        half_made.pop_all()
    engine.publish(ContainerEventType.CREATED, record.id, sandbox_id)
    return container_id


def _make(
    engine: Engine,
    record: ContainerRecord,
    sandbox: SandboxRecord,
    image: ImageConfig,
    profile: str,
) -> None:
    config, paths = record.config, engine.container_paths(record.id)
    paths.directory.mkdir(parents=True)
    engine.save_container(record)
    paths.exit_dir.mkdir()
    _make_bundle(paths.bundle, sandbox)
    engine.images.hold(config.image, record.id)
    owner = str(engine.sandbox_paths(sandbox.id).namespace("user")) if sandbox.owns_users else ""
    layers = engine.images.layers(config.image)
    if owner:
        layers = idmaps.layers(engine.options.idmaps(sandbox.id), layers, owner)
    mount_rootfs(paths, layers)
    user = resolve(
        user_string(config.security_context, image.user),
        read_in_root(str(paths.rootfs), "/etc/passwd"),
        read_in_root(str(paths.rootfs), "/etc/group"),
        config.security_context.supplemental_groups,
        config.security_context.supplemental_groups_policy,
    )
    # On disk with the start, which writes the record anyway.
    engine.containers[record.id].record = msgspec.structs.replace(record, user=user)
    mounts = image_mounts.mount_images(
        engine, record.id, config.mounts, own_users=sandbox.owns_users
    )
    config = replace(config, mounts=mounts)
    _make_mount_sources(config)
    if record.log_path:
        os.makedirs(os.path.dirname(record.log_path), exist_ok=True)
    _say_adaptation(engine, config)
    spec = build_spec(
        config,
        image,
        user,
        _view(engine, sandbox, config),
        engine.node,
        rootfs=str(paths.rootfs),
        cgroup_path=record.cgroup_path,
        seccomp=_localhost_profile(config.security_context),
        devices=tuple(node_devices()) if config.security_context.privileged else (),
        apparmor=profile,
    )
    if owner:
        spec["mounts"] = idmaps.mounts(engine.options.idmaps(record.id), spec["mounts"], owner)
    write_atomic(paths.config, msgspec.json.encode(spec), sync=False)


def _make_bundle(bundle: Path, sandbox: SandboxRecord) -> None:
    """Below it lie setuid programs of images: only root gets there, and root of the Pod's users."""
    bundle.mkdir(mode=0o700)
    if sandbox.owns_users:
        _, group = user_namespace.owner(sandbox.config.linux.namespace_options.userns_options)
        os.chown(bundle, 0, group)
        bundle.chmod(0o710)


def _view(engine: Engine, sandbox: SandboxRecord, config: ContainerConfig) -> SandboxView:
    paths = engine.sandbox_paths(sandbox.id)
    options = sandbox.config.linux.namespace_options
    kinds = [*["user"] * sandbox.owns_users, *namespace_kinds(options)]
    return SandboxView(
        hostname=sandbox_hostname(sandbox.config),
        resolv_conf=str(paths.resolv_conf),
        hostname_file=str(paths.hostname),
        shm="/dev/shm" if options.ipc is NamespaceMode.NODE else str(paths.shm),
        namespaces={kind: str(paths.namespace(kind)) for kind in kinds},
        users=options.userns_options,
        processes=_process_namespace(engine, sandbox, config.security_context.namespace_options),
    )


def _process_namespace(engine: Engine, sandbox: SandboxRecord, options: NamespaceOption) -> str:
    """The process namespace to join; "" for one of the container's own, and for the host's."""
    if options.pid is NamespaceMode.POD:
        return str(engine.sandbox_paths(sandbox.id).namespace("pid"))
    if options.pid is not NamespaceMode.TARGET:
        return ""
    live = engine.containers.get(options.target_id)
    problem = ""
    if live is None:
        problem = f'container "{options.target_id}" does not exist: not found'
    elif live.record.sandbox_id != sandbox.id:
        problem = (
            f'container "{options.target_id}" (sandbox {live.record.sandbox_id}) does not belong '
            f"to sandbox {sandbox.id}"
        )
    elif live.record.state is not ContainerState.RUNNING:
        state = live.record.state.value
        problem = f'container "{options.target_id}" is not running - in state {state}'
    if live is None or problem:
        raise NoSpec(f"invalid target container: {problem}")
    return f"/proc/{live.record.pid}/ns/pid"


def _log_path(sandbox: PodSandboxConfig, config: ContainerConfig) -> str:
    if not sandbox.log_directory or not config.log_path:
        return ""
    return os.path.join(sandbox.log_directory, config.log_path)


async def _answering(engine: Engine, config: ContainerConfig) -> None:
    """Have what is mounted touched first: a dead file system would hold up everything."""
    paths = [mount.host_path for mount in config.mounts if mount.host_path]
    dead = await silent(paths, engine.options.patience)
    if dead:
        text = f"what is to be mounted does not answer: {', '.join(sorted(dead))}"
        raise RuntimeFailure(f"failed to create containerd container: {text}")


def _make_mount_sources(config: ContainerConfig) -> None:
    """A host path that is not there becomes a directory, as containerd has it. Raises NoSpec."""
    for mount in config.mounts:
        _make_mount_source(mount.host_path)
        if mount.propagation is not MountPropagation.PRIVATE:
            _check_propagation(mount)


def _make_mount_source(path: str) -> None:
    call = "stat"
    try:
        try:
            os.stat(path)
        except FileNotFoundError:
            call = "mkdir"
            os.makedirs(path)
    except OSError as exc:
        why = (exc.strerror or str(exc)).lower()
        text = f'failed to {call} "{path}": {call} {exc.filename}: {why}'
        raise NoSpec(f"failed to generate spec: {text}") from exc


def _check_propagation(mount: Mount) -> None:
    """Raise NoSpec where mounts cannot travel between the node and the container."""
    lies_on = mount_of(mount.host_path)
    both = mount.propagation is MountPropagation.BIDIRECTIONAL
    if lies_on.shared or (lies_on.slave and not both):
        return
    raise NoSpec(
        f'failed to generate spec: path "{mount.host_path}" is mounted on '
        f'"{lies_on.path}" but it is not a shared {"" if both else "or slave "}mount'
    )


def _localhost_profile(context: LinuxContainerSecurityContext) -> Any:
    """Load the profile; a privileged container has none."""
    if context.privileged or context.seccomp.profile_type is not ProfileType.LOCALHOST:
        return None
    path = context.seccomp.localhost_ref
    try:
        return json.loads(Path(path).read_bytes())
    except OSError as exc:
        raise RuntimeFailure(
            f'failed to create containerd container: cannot load seccomp profile "{path}": '
            f"open {path}: {(exc.strerror or str(exc)).lower()}"
        ) from exc
    except ValueError as exc:
        raise RuntimeFailure(
            f'failed to create containerd container: cannot load seccomp profile "{path}": '
            f"decoding seccomp profile failed: {exc}"
        ) from exc


def _say_adaptation(engine: Engine, config: ContainerConfig) -> None:
    """Log what this node cannot give, each thing once in the life of the process."""
    adapted = adaptation(config, engine.node)
    for name in adapted.missing_capabilities:
        _once(
            f"capability {name}",
            "containers do without a capability that this process does not have itself",
            capability=name,
        )
    if adapted.oom_score_adj is not None:
        _once(
            "oom_score_adj",
            "containers get a higher oom_score_adj than asked for: this needs CAP_SYS_RESOURCE",
            lowest=engine.node.lowest_oom_score_adj,
        )


def _once(key: str, message: str, **extra: object) -> None:
    if key not in _said:
        _said.add(key)
        logger.warning(message, extra=extra)
