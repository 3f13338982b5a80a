"""The kubelet's certificate, and who may talk to it."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

#: The API server's client certificate says this name, as upstream's kubeadm makes it.
API_SERVER_USER = "kube-apiserver-kubelet-client"
ADMIN_GROUP = "system:masters"


class ServerTls:
    """A TLS context that follows its files: a renewed certificate is served without a restart."""

    def __init__(self, cert_file: str, key_file: str, client_ca_file: str) -> None:
        self._files = (cert_file, key_file, client_ca_file)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.verify_mode = ssl.CERT_REQUIRED
        self._seen: tuple[float, ...] = ()
        self.reload()

    def reload(self) -> bool:
        """Load the files if they changed; tell whether they did. Raises OSError (SSLError too)."""
        seen = tuple(Path(path).stat().st_mtime for path in self._files)
        if seen == self._seen:
            return False
        cert_file, key_file, client_ca_file = self._files
        self.context.load_cert_chain(cert_file, key_file)
        self.context.load_verify_locations(client_ca_file)
        self._seen = seen
        return True


def authorized(certificate: Mapping[str, Any] | None) -> bool:
    """Whether a verified client certificate belongs to the API server or to an administrator."""
    names: dict[str, list[str]] = {}
    for part in (certificate or {}).get("subject", ()):
        for key, value in part:
            names.setdefault(key, []).append(value)
    return API_SERVER_USER in names.get("commonName", []) or ADMIN_GROUP in names.get(
        "organizationName", []
    )
