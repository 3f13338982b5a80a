"""What proves our identity on each request, read again when its files change.

Certificates are renewed while we run. A TLS context per renewal, handed to each request, makes
new connections use the new certificate; those made with the old one are not taken from the pool
again and time out there.
"""

from __future__ import annotations

import os
import ssl

from podium.client.config import ClientConfig
from podium.client.errors import ConfigurationError

#: Seconds between two looks at the files; they change a few times a year.
CHECK_INTERVAL = 1.0

Fingerprint = tuple[tuple[int, int, int], ...]


class Credentials:
    """The TLS context and the headers of the moment."""

    def __init__(self, config: ClientConfig) -> None:
        self._config = config
        self._files = [
            path
            for path in (config.ca_file, config.cert_file, config.key_file, config.token_file)
            if path
        ]
        self._checked = float("-inf")
        self._fingerprint: Fingerprint = ()
        self._context: ssl.SSLContext | None = None
        self._headers: dict[str, str] = {}
        self._loaded = False

    def at(self, monotonic: float) -> tuple[ssl.SSLContext | None, dict[str, str]]:
        """Return TLS context (None for plain HTTP) and headers for a request made now.

        Raises ConfigurationError when they cannot be loaded the first time. Later on what is
        loaded stays in use until the files can be read again: a renewal replaces several files,
        and a request may fall in between.
        """
        if monotonic - self._checked >= CHECK_INTERVAL:
            self._checked = monotonic
            self._reload()
        return self._context, self._headers

    def _reload(self) -> None:
        try:
            fingerprint = tuple(_identity(path) for path in self._files)
            if self._loaded and fingerprint == self._fingerprint:
                return
            context, headers = _context(self._config), _headers(self._config)
        except (OSError, ssl.SSLError) as exc:
            if self._loaded:
                return
            raise ConfigurationError(f"credentials for {self._config.server}: {exc}") from exc
        self._context, self._headers = context, headers
        self._fingerprint, self._loaded = fingerprint, True


def _identity(path: str) -> tuple[int, int, int]:
    stat = os.stat(path)
    return stat.st_ino, stat.st_mtime_ns, stat.st_size


def _headers(config: ClientConfig) -> dict[str, str]:
    token = config.token
    if config.token_file:
        with open(config.token_file, encoding="ascii") as file:
            token = file.read().strip()
    return {"Authorization": f"Bearer {token}"} if token else {}


def _context(config: ClientConfig) -> ssl.SSLContext | None:
    if not config.server.startswith("https://"):
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if config.insecure_skip_tls_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif config.ca_file or config.ca_data:
        ca_data = config.ca_data.decode("ascii") or None
        context.load_verify_locations(cafile=config.ca_file or None, cadata=ca_data)
    else:
        context.load_default_certs()
    if config.cert_file:
        context.load_cert_chain(config.cert_file, config.key_file or None)
    elif config.cert_data:
        _load_chain_from_memory(context, config.cert_data, config.key_data)
    return context


def _load_chain_from_memory(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """Load a chain that is in no file; OpenSSL's interface in Python reads nothing but files."""
    descriptor = os.memfd_create("client-certificate", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, certificate.rstrip() + b"\n" + key)
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)
