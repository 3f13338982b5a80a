"""What a cluster is on this machine: its flags, remembered in its data directory, and its paths."""

from __future__ import annotations

import ipaddress
import os
import secrets
import socket
from pathlib import Path

import msgspec

from podium.api import names
from podium.kit.files import write_atomic

DEFAULT_DATA_DIR = Path("/var/lib/podium")
DEFAULT_RUN_DIR = Path("/run/podium")
#: Where the clusters of one machine agree on what belongs to the machine (IP forwarding).
SHARED_DIR = Path("/run/podium-shared")
_FILE = "cluster.json"
#: What separates mount options (and runc's namespace paths), conmon's log drivers, and escapes.
_NOT_IN_PATHS = (",", ":", "\\")


class ConfigError(Exception):
    """A flag or a remembered value that cannot be; the text says which and what to do."""


class ClusterConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One cluster's settings. ``id`` tells its links, cgroups and nft tables from others'."""

    id: str
    data_dir: Path
    run_dir: Path
    port: int = 6443
    bind: str = "127.0.0.1"
    node_name: str = ""
    pod_cidr: str = "10.42.0.0/16"
    service_cidr: str = "10.96.0.0/12"
    kubelet_port: int = 10250
    kubelet_config: Path | None = None
    registry_config: Path | None = None
    token_auth_file: Path | None = None
    log_level: str = "info"

    @property
    def server_address(self) -> str:
        """Where clients on this machine reach the API server: over loopback where they can."""
        address = ipaddress.ip_address(self.bind)
        if address.is_unspecified:
            return "127.0.0.1" if address.version == 4 else "::1"
        return str(address)

    @property
    def server(self) -> str:
        """The URL in the kubeconfig."""
        host = f"[{self.server_address}]" if ":" in self.server_address else self.server_address
        return f"https://{host}:{self.port}"

    @property
    def gateway(self) -> str:
        """The node's own address on the Pods' bridge: the first of the Pod CIDR."""
        return str(ipaddress.ip_network(self.pod_cidr)[1])

    @property
    def kubernetes_service_ip(self) -> str:
        """The address of the ``kubernetes`` Service: the first of the Service CIDR."""
        return str(ipaddress.ip_network(self.service_cidr)[1])

    @property
    def dns_service_ip(self) -> str:
        """Where Pods look for DNS: the tenth address of the Service CIDR."""
        return str(ipaddress.ip_network(self.service_cidr)[10])

    @property
    def bind_addresses(self) -> tuple[str, ...]:
        """Where the API server listens: as asked, and where Pods reach it."""
        if ipaddress.ip_address(self.bind).is_unspecified:
            return (self.bind,)
        return tuple(dict.fromkeys((self.bind, self.gateway)))

    @property
    def node_ip(self) -> str:
        """The node's InternalIP, where its HTTPS door is.

        A cluster that listens on loopback is this machine's own, and so is its node: it is found
        at the bridge, by Pods and host alike. Otherwise it is where the API server is, or the
        address that leads to the rest of the world.
        """
        address = ipaddress.ip_address(self.bind)
        if address.is_loopback:
            return self.gateway
        return _outward_address() or self.gateway if address.is_unspecified else self.bind

    @property
    def link_name(self) -> str:
        """Name of the bridge and of the nft table; 15 characters, the longest a link may have."""
        return f"podium-{self.id}"

    @property
    def cgroup_root(self) -> str:
        return f"/podium-{self.id}"

    @property
    def pki_dir(self) -> Path:
        return self.data_dir / "pki"

    @property
    def kubeconfig(self) -> Path:
        return self.data_dir / "kubeconfig"

    @property
    def images_dir(self) -> Path:
        return self.data_dir / "images"

    @property
    def runtime_dir(self) -> Path:
        return self.data_dir / "runtime"

    @property
    def network_dir(self) -> Path:
        return self.data_dir / "network"

    @property
    def kubelet_dir(self) -> Path:
        return self.data_dir / "kubelet"

    @property
    def storage_dir(self) -> Path:
        """The volumes of the default StorageClass."""
        return self.data_dir / "local-path"

    @property
    def log_dir(self) -> Path:
        """Containers' logs."""
        return self.data_dir / "logs"

    @property
    def lock_file(self) -> Path:
        """Held by the supervisor while the cluster is up; contains its pid."""
        return self.data_dir / "up.lock"

    @property
    def run_dirs(self) -> tuple[Path, ...]:
        """What of the run directory is the cluster's own: the runtime's part and the kubelet's."""
        return self.run_dir / "runtime", self.run_dir / "kubelet"

    @property
    def own_files(self) -> tuple[Path, ...]:
        """All that the cluster has made in its data directory, what identifies it last."""
        directories = (
            self.pki_dir,
            self.images_dir,
            self.runtime_dir,
            self.network_dir,
            self.kubelet_dir,
            self.storage_dir,
            self.log_dir,
        )
        return (
            *directories,
            self.kubeconfig,
            *self.data_dir.glob("state.db*"),
            self.lock_file,
            self.data_dir / _FILE,
        )

    def save(self) -> None:
        write_atomic(self.data_dir / _FILE, msgspec.json.format(_encode(self)))


def load(data_dir: Path) -> ClusterConfig | None:
    """Return what *data_dir* remembers, None where no cluster has been. Raises ConfigError."""
    path = data_dir / _FILE
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise ConfigError(f"--data-dir {data_dir}: {exc.strerror}") from exc
    try:
        config = msgspec.json.decode(raw, type=ClusterConfig, dec_hook=_decode_path)
    except msgspec.DecodeError as exc:
        raise ConfigError(f"{path}: {exc}") from exc
    # The directory may have been moved; where it is now counts.
    return msgspec.structs.replace(config, data_dir=data_dir)


def make(data_dir: Path, flags: dict[str, object]) -> ClusterConfig:
    """Return the settings of the cluster in *data_dir*: what it remembers, overridden by *flags*.

    Flags that were not given are absent or None. Raises ConfigError.
    """
    given = {key: value for key, value in flags.items() if value is not None}
    remembered = load(data_dir)
    if remembered is None:
        cluster_id = secrets.token_hex(4)
        default_run_dir = (
            DEFAULT_RUN_DIR
            if data_dir == DEFAULT_DATA_DIR
            else DEFAULT_RUN_DIR.with_name(f"{DEFAULT_RUN_DIR.name}-{cluster_id}")
        )
        remembered = ClusterConfig(
            id=cluster_id,
            data_dir=data_dir,
            run_dir=default_run_dir,
            node_name=socket.gethostname().lower(),
        )
    else:
        _refuse_change(remembered, given)
    config = msgspec.structs.replace(remembered, **given)
    check(config)
    return config


def _refuse_change(remembered: ClusterConfig, given: dict[str, object]) -> None:
    """Refuse other address ranges than before: objects, links and rules are made of them."""
    for flag, before in (
        ("pod_cidr", remembered.pod_cidr),
        ("service_cidr", remembered.service_cidr),
    ):
        if given.get(flag, before) != before:
            raise ConfigError(
                f"--{flag.replace('_', '-')} of the cluster in {remembered.data_dir} is {before} "
                "and stays so; choose another --data-dir, or remove all that is in this one with "
                f"'podium down --purge --data-dir {remembered.data_dir}'"
            )


def check(config: ClusterConfig) -> None:
    """Refuse what cannot work. Raises ConfigError that names the flag."""
    for flag, directory in (("--data-dir", config.data_dir), ("--run-dir", config.run_dir)):
        if not str(directory).isprintable() or set(str(directory)) & set(_NOT_IN_PATHS):
            raise ConfigError(
                f"{flag} {str(directory)!r} has a character that mounts, runc or conmon would "
                f"misread (one of {' '.join(_NOT_IN_PATHS)} or an unprintable one)"
            )
    pods = _network("--pod-cidr", config.pod_cidr)
    services = _network("--service-cidr", config.service_cidr)
    if pods.overlaps(services):
        raise ConfigError(
            f"--pod-cidr {pods} and --service-cidr {services} overlap; choose two that do not"
        )
    if pods.num_addresses < 8:
        raise ConfigError(f"--pod-cidr {pods} has no room for Pods; use a /24 or larger")
    if services.num_addresses < 16:
        raise ConfigError(
            f"--service-cidr {services} has no room for Services; use a /24 or larger"
        )
    if wrong := names.dns1123_subdomain(config.node_name):
        raise ConfigError(f"--node-name {config.node_name!r} cannot be a Node's name: {wrong[0]}")
    try:
        ipaddress.ip_address(config.bind)
    except ValueError:
        raise ConfigError(f"--bind {config.bind!r} is not an IP address") from None
    for flag, port in (("--port", config.port), ("--kubelet-port", config.kubelet_port)):
        if not 1 <= port <= 65535:
            raise ConfigError(f"{flag} {port} is not a port number (1 to 65535)")
    for flag, path in (
        ("--kubelet-config", config.kubelet_config),
        ("--registry-config", config.registry_config),
        ("--token-auth-file", config.token_auth_file),
    ):
        if path is not None and not os.access(path, os.R_OK):
            raise ConfigError(f"{flag} {path}: cannot be read")


def _outward_address() -> str:
    """Return this machine's address on the way out, "" where there is none; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1: only the route matters
        except OSError:
            return ""
        address: str = probe.getsockname()[0]
        return address


def _network(flag: str, text: str) -> ipaddress.IPv4Network:
    try:
        return ipaddress.IPv4Network(text)
    except ValueError as exc:
        raise ConfigError(f"{flag} {text!r} is not an IPv4 network: {exc}") from None


def _encode(config: ClusterConfig) -> bytes:
    return msgspec.json.encode(config, enc_hook=str)


def _decode_path(wanted: type, value: object) -> object:
    if wanted is Path:
        return Path(str(value))
    raise msgspec.ValidationError(f"unexpected {wanted}")
