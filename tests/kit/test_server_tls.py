"""Certificates and CAs that are replaced under a server that listens."""

from __future__ import annotations

import asyncio
import errno
import ssl
from pathlib import Path

import pytest

from podium.kit.clock import VirtualClock
from podium.kit.server_tls import CHECK_EVERY, FileVersions, ServerTls
from support.pki import Authority, Pair


class Site:
    """A server that says who its client is, and the files it reads."""

    def __init__(self, directory: Path) -> None:
        self.authority = Authority(directory / "server")
        self.clients = Authority(directory / "clients", "clients")
        pair = self.authority.server(hosts=("127.0.0.1",))
        self.cert, self.key, self.client_ca = pair.cert, pair.key, self.clients.cert_file
        self.tls = ServerTls(self.cert, self.key, self.client_ca)

    async def visit(self, pair: Pair | None = None, newest: int | None = None) -> tuple[bytes, str]:
        """Return the server's certificate, and whom it takes the client for ("": nobody).

        Raises OSError when the handshake fails.
        """

        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            peer = writer.get_extra_info("peercert") or {}
            names = dict(part[0] for part in peer.get("subject", ()))
            writer.write(names.get("commonName", "").encode() + b"\n")
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=self.tls.context)
        async with server:
            port = server.sockets[0].getsockname()[1]
            context = ssl.create_default_context(cafile=str(self.authority.cert_file))
            if newest:
                context.maximum_version = ssl.TLSVersion(newest)
            if pair is not None:
                context.load_cert_chain(pair.cert, pair.key)
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
            try:
                line = await reader.readline()
                if not line:
                    raise ConnectionError("disconnected")
                shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
                return shown, line.decode().strip()
            finally:
                writer.close()


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


async def test_a_client_may_show_a_certificate_or_none(site):
    assert (await site.visit(site.clients.client("alice")))[1] == "alice"
    assert (await site.visit())[1] == ""


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_replaced_ca_is_trusted_no_longer(site, tmp_path, newest):
    alice = site.clients.client("alice")
    assert (await site.visit(alice, newest))[1] == "alice"
    others = Authority(tmp_path / "others", "others")
    others.cert_file.replace(site.client_ca)
    site.tls.reload()
    assert (await site.visit(others.client("bob"), newest))[1] == "bob"
    with pytest.raises((ConnectionError, ssl.SSLError)):
        await site.visit(alice, newest)


async def test_a_renewed_certificate_is_served_without_restart(site):
    versions = FileVersions((site.cert, site.key))
    assert not versions.changed()
    first, _ = await site.visit()
    renewed = site.authority.server(hosts=("127.0.0.1",))
    renewed.key.replace(site.key)
    renewed.cert.replace(site.cert)
    assert versions.changed()
    site.tls.reload()
    assert (await site.visit())[0] != first


async def test_files_that_could_not_be_read_just_then_are_read_at_the_next_look(site, monkeypatch):
    first, _ = await site.visit()
    renewed = site.authority.server(hosts=("127.0.0.1",))
    renewed.key.replace(site.key)
    renewed.cert.replace(site.cert)
    reload, failures = site.tls.reload, [OSError(errno.EMFILE, "Too many open files")]

    def failing_once():
        if failures:
            raise failures.pop()
        reload()

    monkeypatch.setattr(site.tls, "reload", failing_once)
    clock = VirtualClock()
    keeping = asyncio.create_task(site.tls.keep_current(clock))
    await clock.advance(CHECK_EVERY)
    assert not failures
    assert (await site.visit())[0] == first
    await clock.advance(CHECK_EVERY)
    assert (await site.visit())[0] != first
    keeping.cancel()
    await asyncio.wait({keeping})
