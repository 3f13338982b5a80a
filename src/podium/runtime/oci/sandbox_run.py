"""RunPodSandbox: namespaces, shared memory, an address, the files a Pod's containers share."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path

import msgspec

from podium.kit.threads import run_in_thread
from podium.runtime.oci import namespace_init, namespaces, user_namespace
from podium.runtime.oci.engine import Engine
from podium.runtime.oci.layout import SandboxPaths
from podium.runtime.oci.records import SandboxRecord
from podium.runtime.oci.sandbox_stop import destroy
from podium.runtime.oci.sandbox_watch import watch
from podium.runtime.port import (
    ContainerEventType,
    DNSConfig,
    NamespaceMode,
    NamespaceOption,
    PodSandboxConfig,
    RuntimeFailure,
)

#: Pins namespaces of these kinds, with this host name.
Pin = Callable[[SandboxPaths, Collection[str], str], None]


async def run_pod_sandbox(engine: Engine, config: PodSandboxConfig, handler: str) -> str:
    """Make a sandbox; what was made of it is removed when that fails or is cancelled."""
    engine.options.program(handler)
    _refuse_unserved(config.linux.namespace_options)
    record = SandboxRecord(secrets.token_hex(32), config, engine.now(), handler=handler)
    paths = engine.sandbox_paths(record.id)
    paths.directory.mkdir(parents=True)
    live = engine.save_sandbox(record)
    async with live.busy:
        try:
            ips = await _make(engine, record)
        except BaseException as exc:
            await destroy(engine, record.id)
            if isinstance(exc, OSError):
                problem = f"{exc.filename}: {exc.strerror}" if exc.filename else exc.strerror
                raise RuntimeFailure(f"failed to create pod sandbox: {problem}") from exc
            raise
        engine.save_sandbox(msgspec.structs.replace(record, created=True, ips=ips))
        if record.shares_processes:
            watch(engine, live)
    engine.publish(ContainerEventType.STARTED, record.id, record.id)
    return record.id


def namespace_kinds(options: NamespaceOption) -> list[str]:
    """Which namespaces a sandbox has of its own; the host name goes with the network."""
    kinds = []
    if options.network is not NamespaceMode.NODE:
        kinds += ["network", "uts"]
    if options.ipc is not NamespaceMode.NODE:
        kinds.append("ipc")
    return kinds


def resolv_conf(dns: DNSConfig | None, host: Path = Path("/etc/resolv.conf")) -> str:
    """Return /etc/resolv.conf for *dns*; the host's own where there is none."""
    if dns is None:
        try:
            return host.read_text()
        except FileNotFoundError:
            return ""
    text = f"search {' '.join(dns.searches)}\n" if dns.searches else ""
    text += "".join(f"nameserver {server}\n" for server in dns.servers)
    return text + (f"options {' '.join(dns.options)}\n" if dns.options else "")


def sandbox_hostname(config: PodSandboxConfig) -> str:
    return config.hostname or socket.gethostname()


async def _make(engine: Engine, record: SandboxRecord) -> tuple[str, ...]:
    config = record.config
    spare = engine.spare_namespaces.take() if _may_be_made_ahead(config) else None
    engine.spare_namespaces.make_later()
    if spare is not None:
        with closing(spare):
            _make_on_disk(engine, record, spare.pin)
    else:
        pin = partial(namespaces.pin, sysctls=_sysctls(config))
        await run_in_thread(partial(_make_on_disk, engine, record, pin))
    if config.linux.namespace_options.network is NamespaceMode.NODE:
        return ()
    namespace = str(engine.sandbox_paths(record.id).namespace("network"))
    return (await engine.network.attach(namespace, record.id, config.port_mappings),)


def _may_be_made_ahead(config: PodSandboxConfig) -> bool:
    options = config.linux.namespace_options
    if options.userns_options.mode is NamespaceMode.POD or options.pid is NamespaceMode.POD:
        return False
    return options.network is not NamespaceMode.NODE and not config.linux.sysctls


def _make_on_disk(engine: Engine, record: SandboxRecord, pin: Pin) -> None:
    """Not in the event loop where *pin* has to make the namespaces: the kernel may take tens of
    milliseconds for one of the network."""
    config, paths = record.config, engine.sandbox_paths(record.id)
    options = config.linux.namespace_options
    hostname = sandbox_hostname(config)
    paths.run.mkdir(parents=True, mode=0o711)
    if options.userns_options.mode is NamespaceMode.POD:
        _make_owned_namespaces(engine, record)
    else:
        pin(paths, namespace_kinds(options), hostname)
        if options.pid is NamespaceMode.POD:
            _share_processes(engine, record)
    if options.ipc is not NamespaceMode.NODE:
        namespaces.mount_shm(paths)
    for path, text in (
        (paths.hostname, f"{hostname}\n"),
        (paths.resolv_conf, resolv_conf(config.dns_config)),
    ):
        path.write_text(text)
        path.chmod(0o644)


def _sysctls(config: PodSandboxConfig) -> Mapping[str, str]:
    """What the Pod sets, and the defaults where it has a network of its own."""
    own, options = config.linux.sysctls, config.linux.namespace_options
    if options.network is NamespaceMode.NODE:
        return own
    mapped = options.userns_options.gids
    groups = [(entry.host_id, entry.host_id + entry.length - 1) for entry in mapped]
    return {**namespaces.network_sysctls(*groups[:1]), **own}


def _make_owned_namespaces(engine: Engine, record: SandboxRecord) -> None:
    """Make the Pod's user namespace, and its others as that one's."""
    config, paths = record.config, engine.sandbox_paths(record.id)
    options = config.linux.namespace_options
    kinds = namespace_kinds(options)
    user_namespace.check_passage(engine.options.bundles)
    user_namespace.pin(paths, kinds, options.userns_options)
    sysctls = _sysctls(config)
    of_network = {name: value for name, value in sysctls.items() if name.startswith("net.")}
    namespaces.furnish(paths, kinds, sandbox_hostname(config), of_network)
    for name in sysctls.keys() - of_network.keys():
        user_namespace.write_sysctl(paths, name, sysctls[name])
    if options.pid is NamespaceMode.POD:
        _share_processes(engine, record)


def _share_processes(engine: Engine, record: SandboxRecord) -> None:
    """Make the process namespace of the Pod, with its first process in a cgroup of its own."""
    cgroup = engine.init_cgroup(record)
    engine.cgroups.create(cgroup)
    paths = engine.sandbox_paths(record.id)
    mark, owner = str(paths.run), paths.namespace("user")
    owned = record.config.linux.namespace_options.userns_options.mode is NamespaceMode.POD
    pid = engine.inits[record.id] = namespace_init.spawn(mark, str(owner) if owned else "")
    engine.cgroups.join(cgroup, pid)
    if owned:
        pid = namespace_init.first_of(pid, mark)
        engine.cgroups.join(cgroup, pid)
    namespaces.pin_processes(paths, pid)


def _refuse_unserved(options: NamespaceOption) -> None:
    if options.pid is NamespaceMode.TARGET:
        raise RuntimeFailure(
            f"namespace mode {options.pid.value} for process IDs is not supported", "Unimplemented"
        )
