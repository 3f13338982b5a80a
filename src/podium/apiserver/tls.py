"""The server's TLS: its certificate and the CA of its clients, read again when they change."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterable
from pathlib import Path

from podium.apiserver.options import ApiServerOptions
from podium.kit.clock import Clock

logger = logging.getLogger(__name__)

#: How often files are looked at, in seconds.
CHECK_EVERY = 10.0


class FileVersions:
    """Tells whether any of some files has been replaced since it was last asked."""

    def __init__(self, files: Iterable[Path]) -> None:
        self._files = tuple(files)
        self._seen = self._look()

    def changed(self) -> bool:
        now = self._look()
        if now == self._seen:
            return False
        self._seen = now
        return True

    def _look(self) -> tuple[tuple[int, int, int], ...]:
        stats = (file.stat() for file in self._files)
        return tuple((stat.st_mtime_ns, stat.st_ino, stat.st_size) for stat in stats)


def server_context(options: ApiServerOptions) -> ssl.SSLContext:
    """Return a context that asks for a client certificate and accepts none too.

    A certificate that is given has to be one of the CA's for clients: the handshake fails
    otherwise.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_OPTIONAL
    context.set_alpn_protocols(["http/1.1"])
    load(context, options)
    return context


def load(context: ssl.SSLContext, options: ApiServerOptions) -> None:
    """Take the files as they are now, for connections from here on."""
    context.load_cert_chain(options.tls_cert_file, options.tls_key_file)
    context.load_verify_locations(options.client_ca_file)


async def keep_current(context: ssl.SSLContext, options: ApiServerOptions, clock: Clock) -> None:
    """Load the files into *context* whenever they change; connections that are open stay.

    A CA that is replaced is added to the one before, which stays trusted until a restart.
    """
    versions = FileVersions((options.tls_cert_file, options.tls_key_file, options.client_ca_file))
    while True:
        await clock.sleep(CHECK_EVERY)
        try:
            if versions.changed():
                load(context, options)
                logger.info("certificates reloaded")
        except (OSError, ssl.SSLError) as error:
            # Halfway through being replaced; the next look sees them whole.
            logger.warning("certificates could not be read", extra={"error": str(error)})
