"""The kubelet's certificate, and whose certificates it takes."""

from __future__ import annotations

import ssl
from pathlib import Path


class ServerTls:
    """A TLS context that follows its files: a renewed certificate is served without a restart."""

    def __init__(self, cert_file: str, key_file: str, client_ca_file: str) -> None:
        self._files = (cert_file, key_file, client_ca_file)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        # A certificate that is shown must be one of the CA's; tokens come without any.
        self.context.verify_mode = ssl.CERT_OPTIONAL
        # A session that is resumed would not be verified against the CA of today.
        self.context.options |= ssl.OP_NO_TICKET
        self.context.num_tickets = 0
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
