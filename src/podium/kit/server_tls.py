"""A server's TLS: its certificate and the CA of its clients, read again when they change."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterable
from pathlib import Path

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


class ServerTls:
    """The TLS of a server whose files may be replaced while it listens.

    *context* is what the server listens with. Every handshake is carried on with the context of
    the files as they were read last, so that a CA that was replaced is trusted no longer;
    connections that are open stay. Clients may show a certificate or none; one that is shown has
    to be of *client_ca_file*'s.

    Making one raises OSError or ssl.SSLError.
    """

    def __init__(
        self, cert_file: str | Path, key_file: str | Path, client_ca_file: str | Path
    ) -> None:
        self._files = Path(cert_file), Path(key_file), Path(client_ca_file)
        self._versions = FileVersions(self._files)
        self._latest = _context(*self._files)
        self.context = _context(*self._files)
        self.context.sni_callback = self._use_latest

    def reload(self) -> None:
        """Take the files as they are now. Raises OSError or ssl.SSLError."""
        self._latest = _context(*self._files)

    def _use_latest(
        self, handshake: ssl.SSLObject | ssl.SSLSocket, _name: str | None, _: ssl.SSLContext
    ) -> None:
        """Called by OpenSSL for every ClientHello, also for one that names no server."""
        handshake.context = self._latest

    async def keep_current(self, clock: Clock) -> None:
        """Reload the files whenever they change, until cancelled."""
        is_behind = False
        while True:
            await clock.sleep(CHECK_EVERY)
            try:
                is_behind = self._versions.changed() or is_behind
                if is_behind:
                    self.reload()
                    is_behind = False
                    logger.info("certificates reloaded")
            except (OSError, ssl.SSLError) as error:
                # Halfway through being replaced, perhaps; they are read again at the next look.
                logger.warning("certificates could not be read", extra={"error": str(error)})


def _context(cert_file: Path, key_file: Path, client_ca_file: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_OPTIONAL
    context.set_alpn_protocols(["http/1.1"])
    # A session that is resumed would not be verified against the CA of today.
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    context.load_cert_chain(cert_file, key_file)
    context.load_verify_locations(client_ca_file)
    return context
