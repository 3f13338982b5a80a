"""What an API server is started with."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import msgspec


class ApiServerOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Files are read again when they change: a renewed certificate is served without a restart.

    ``kubelet_*`` are what the server shows to, and trusts of, the nodes' HTTPS doors; an empty
    ``kubelet_ca_file`` stands for the client CA. ``advertise_address`` is where Pods find the
    server: the only endpoint of the ``kubernetes`` Service.
    """

    data_dir: Path
    bind_addresses: tuple[str, ...] = ("127.0.0.1",)
    #: 0 takes a free port; the one taken is what ``on_ready`` gets.
    port: int = 6443
    tls_cert_file: Path
    tls_key_file: Path
    client_ca_file: Path
    service_account_key_file: Path
    service_account_issuer: str = "https://kubernetes.default.svc.cluster.local"
    service_cidr: str = "10.96.0.0/12"
    advertise_address: str = "127.0.0.1"
    kubelet_client_cert_file: Path | None = None
    kubelet_client_key_file: Path | None = None
    kubelet_ca_file: Path | None = None
    event_ttl_seconds: int = 3600
    #: Users by token, in the form of upstream's ``--token-auth-file``; read at start.
    token_auth_file: Path | None = None

    @property
    def store_file(self) -> Path:
        return self.data_dir / "state.db"

    @property
    def kubernetes_service_ip(self) -> str:
        """The first address of the Service CIDR, which upstream gives to ``kubernetes``."""
        return str(ipaddress.ip_network(self.service_cidr)[1])
