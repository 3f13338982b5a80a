"""What a kubelet is started with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from podium.client.config import ClientConfig
from podium.kubelet.config import KubeletConfiguration


class KubeletOptions(msgspec.Struct, frozen=True, kw_only=True):
    """One node.

    ``root_dir`` keeps what survives a reboot (a Pod's directory is ``root_dir/pods/<uid>``),
    ``run_dir`` what must not (volumes that hold secrets; it should be a tmpfs), ``log_dir`` the
    containers' logs. ``cgroup_root`` is below every hierarchy's root.
    """

    client_config: ClientConfig
    node_name: str
    node_ip: str
    root_dir: Path
    run_dir: Path
    log_dir: Path
    port: int = 10250
    bind_address: str = "0.0.0.0"
    tls_cert_file: str = ""
    tls_key_file: str = ""
    client_ca_file: str = ""
    pod_cidr: str = ""
    cgroup_root: str = "/podium"
    config: KubeletConfiguration = msgspec.field(default_factory=KubeletConfiguration)
    labels: Mapping[str, str] = msgspec.field(default_factory=dict)
    event_pause: float = 0.0  #: see EventRecorder

    def pod_dir(self, uid: str) -> Path:
        return self.root_dir / "pods" / uid

    @property
    def seccomp_dir(self) -> Path:
        """Where ``localhostProfile`` is looked for; the administrator puts files there."""
        return self.root_dir / "seccomp"

    def secret_dir(self, uid: str) -> Path:
        """Where the volumes live that must not reach a disk."""
        return self.run_dir / "pods" / uid
