"""TLS with client certificates, also while they are being renewed."""

from __future__ import annotations

import ssl

import pytest
from aiohttp import web

from podium.api import scheme
from podium.client.client import Client
from podium.client.config import ClientConfig
from podium.client.errors import ConfigurationError, Unreachable
from podium.kit.clock import VirtualClock
from support.http_peer import config_map, serving
from support.pki import Authority


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path / "pki")


@pytest.fixture
async def tls_peer(authority):
    pair = authority.server()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority.cert_file)
    context.load_cert_chain(pair.cert, pair.key)
    context.verify_mode = ssl.CERT_REQUIRED
    async with serving(context) as peer:
        peer.callers = []

        async def handler(request: web.Request) -> web.StreamResponse:
            certificate = request.transport.get_extra_info("peercert")
            subject = dict(entry[0] for entry in certificate["subject"])
            peer.callers.append(subject["commonName"])
            return web.json_response(config_map("a", 1))

        peer.handler = handler
        yield peer


def get(client: Client):
    return client.get(scheme.CONFIGMAPS, "a", "ns")


def config(peer, authority, pair, **more) -> ClientConfig:
    ca = str(authority.cert_file)
    return ClientConfig(
        peer.server, ca_file=ca, cert_file=str(pair.cert), key_file=str(pair.key), **more
    )


async def test_a_renewed_certificate_is_used_without_a_restart(tls_peer, authority, tmp_path):
    pair = authority.client("first")
    clock = VirtualClock()
    async with Client(config(tls_peer, authority, pair), clock) as client:
        await get(client)
        renewed = authority.client("second")
        pair.cert.write_bytes(b"half writt")  # a look in the middle of a renewal
        await clock.advance(1)
        await get(client)
        pair.cert.write_bytes(renewed.cert.read_bytes())
        pair.key.write_bytes(renewed.key.read_bytes())
        await clock.advance(1)
        await get(client)
    assert tls_peer.callers == ["first", "first", "second"]


async def test_certificates_may_come_from_memory(tls_peer, authority):
    pair = authority.client("inline")
    inline = ClientConfig(
        tls_peer.server,
        ca_data=authority.cert_file.read_bytes(),
        cert_data=pair.cert.read_bytes(),
        key_data=pair.key.read_bytes(),
    )
    async with Client(inline) as client:
        await get(client)
    assert tls_peer.callers == ["inline"]


async def test_a_server_of_another_authority_is_not_talked_to(tls_peer, authority, tmp_path):
    other = Authority(tmp_path / "other")
    async with Client(config(tls_peer, other, authority.client("me"))) as client:
        with pytest.raises(Unreachable, match="certificate verify failed"):
            await get(client)
    assert tls_peer.callers == []


async def test_certificates_that_were_never_there(tls_peer, authority, tmp_path):
    missing = ClientConfig(tls_peer.server, ca_file=str(tmp_path / "none"))
    async with Client(missing) as client:
        with pytest.raises(ConfigurationError, match="No such file"):
            await get(client)
