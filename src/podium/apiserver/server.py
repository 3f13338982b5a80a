"""The API server: the store, the registry over it, and HTTPS in front of that."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from functools import partial
from pathlib import Path

import msgspec
from aiohttp import web

from podium.api.scheme import EVENTS
from podium.api.user import UserInfo
from podium.apiserver import audit_id, checks
from podium.apiserver.auth import node_graph
from podium.apiserver.auth.authenticator import Authenticator
from podium.apiserver.auth.authorizer import Authorizer
from podium.apiserver.auth.escalation import EscalationCheck
from podium.apiserver.auth.node_audience import NodeAudience
from podium.apiserver.auth.node_graph import NodeGraph
from podium.apiserver.auth.rbac.policy import Policy
from podium.apiserver.auth.tokens import TokenSigner
from podium.apiserver.bootstrap import Bootstrap
from podium.apiserver.call import Services
from podium.apiserver.components import Components
from podium.apiserver.handler import Handler
from podium.apiserver.health import Health
from podium.apiserver.lookups import Lookups
from podium.apiserver.metrics import Metrics
from podium.apiserver.node_proxy import NodeProxy
from podium.apiserver.options import ApiServerOptions
from podium.apiserver.protocol import Protocol
from podium.apiserver.role_bootstrap import RoleBootstrap
from podium.apiserver.service_addresses import ServiceAddresses
from podium.apiserver.site import Site
from podium.apiserver.streams import Streams
from podium.kit.clock import Clock, SystemClock
from podium.kit.heap import Thrift
from podium.kit.peers import notice_dead_peers
from podium.kit.server_tls import ServerTls
from podium.registry.admission import default_plugins
from podium.registry.registry import Registry
from podium.store.port import Store
from podium.store.sqlite import SqliteStore

logger = logging.getLogger(__name__)

_BACKLOG = 1024
#: Bind to addresses that are not there yet (the Pods' bridge); from <linux/in.h>.
_IP_FREEBIND = 15
#: How long a client may take for the TLS handshake, in seconds: as upstream, whose limit for
#: headers is the one for that, too. On a busy machine it is the server that takes long.
_HANDSHAKE_TIMEOUT = 32.0
#: How long requests under way may take when the server stops, in seconds.
_GRACE = 5.0


class Running(msgspec.Struct, frozen=True):
    """A server that answers; *settled* is set once it has all that it makes at start."""

    port: int
    registry: Registry
    store: Store
    settled: asyncio.Event


async def run(
    options: ApiServerOptions,
    *,
    clock: Clock | None = None,
    on_ready: Callable[[], None] | None = None,
) -> None:
    """Serve until cancelled; *on_ready* is called once requests are answered."""
    async with serving(options, clock=clock):
        if on_ready is not None:
            on_ready()
        await asyncio.get_running_loop().create_future()


@asynccontextmanager
async def serving(
    options: ApiServerOptions, *, clock: Clock | None = None
) -> AsyncIterator[Running]:
    """Serve while the body runs."""
    clock = clock or SystemClock()
    store = SqliteStore.open(options.store_file)
    policy = Policy()
    try:
        registry = Registry(
            store,
            (*default_plugins(), NodeAudience(policy), EscalationCheck(policy)),
            clock,
            time_to_live={EVENTS: float(options.event_ttl_seconds)},
            service_cidr=options.service_cidr,
        )
        async with (
            registry.serving(),
            _listening(options, store, registry, policy, clock) as running,
        ):
            yield running
    finally:
        await store.close()


@asynccontextmanager
async def _listening(
    options: ApiServerOptions, store: Store, registry: Registry, policy: Policy, clock: Clock
) -> AsyncIterator[Running]:
    tls = ServerTls(options.tls_cert_file, options.tls_key_file, options.client_ca_file)
    sockets = listen(options)
    port = sockets[0].getsockname()[1]
    bootstrap = Bootstrap(
        registry,
        clock,
        service_cidr=options.service_cidr,
        service_ip=options.kubernetes_service_ip,
        address=options.advertise_address,
        port=port,
        client_ca_file=options.client_ca_file,
    )
    await bootstrap.ensure()
    addresses = ServiceAddresses(registry, clock)
    roles = RoleBootstrap(registry, policy)
    lookups = Lookups(registry, clock)
    signer = TokenSigner(options.service_account_key_file, options.service_account_issuer)
    authenticator = Authenticator(signer, lookups, clock, _static_tokens(options))
    authorizer = Authorizer(policy, _node_graph(registry))
    streams, nodes = Streams(), NodeProxy(options)
    check_store = checks.store_check(store)
    services = Services(
        registry, clock, signer, nodes, streams, authenticator, authorizer, Components(check_store)
    )
    health = Health(checks.all_checks(registry, check_store, streams, bootstrap, addresses, roles))
    metrics = Metrics(registry.statistics, registry.counted, partial(_size, options.store_file))
    handler = _handler(services, health, metrics, f"{options.advertise_address}:{port}")
    async with (
        aclosing(nodes),
        asyncio.TaskGroup() as tasks,
        _http(handler, sockets, tls.context, streams),
    ):
        keepers = [
            tasks.create_task(tls.keep_current(clock), name="certificates"),
            tasks.create_task(bootstrap.keep(), name="bootstrap"),
            tasks.create_task(addresses.run(), name="service-addresses"),
            tasks.create_task(roles.run(clock), name="bootstrap-roles"),
        ]
        try:
            logger.info("serving", extra={"port": port})
            yield Running(port, registry, store, roles.done)
        finally:
            for keeper in keepers:
                keeper.cancel()


def _node_graph(registry: Registry) -> NodeGraph:
    graph = NodeGraph()
    for resource in node_graph.KINDS:
        registry.observe(resource, graph.apply)
    return graph


def _static_tokens(options: ApiServerOptions) -> dict[str, UserInfo]:
    if options.token_auth_file is None:
        return {}
    from podium.apiserver.auth import static_tokens

    return static_tokens.load(options.token_auth_file)


def _size(store_file: Path) -> int:
    """Return how many bytes the store and its log take up."""
    log = store_file.with_name(f"{store_file.name}-wal")
    return sum(path.stat().st_size for path in (store_file, log) if path.exists())


def _handler(services: Services, health: Health, metrics: Metrics, address: str) -> Handler:
    site = Site(health=health, metrics=metrics, signer=services.signer, address=address)
    return Handler(services=services, site=site, metrics=metrics)


def listen(options: ApiServerOptions) -> list[socket.socket]:
    """Return a listening socket for each address, all on the same port."""
    sockets: list[socket.socket] = []
    port = options.port
    try:
        for address in options.bind_addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            listener = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            sockets.append(listener)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            notice_dead_peers(listener)
            if family == socket.AF_INET:
                listener.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
            listener.bind((address, port))
            port = port or listener.getsockname()[1]
    except OSError:
        for listener in sockets:
            listener.close()
        raise
    return sockets


@asynccontextmanager
async def _http(
    handler: Handler, sockets: list[socket.socket], context: ssl.SSLContext, streams: Streams
) -> AsyncIterator[None]:
    # A client that goes away cancels its handler: watches and logs are freed at once.
    loop = asyncio.get_running_loop()
    of_ours = partial(audit_id.Request, loop=loop)
    protocols = web.Server(handler.handle, request_factory=of_ours, handler_cancellation=True)

    thrift = Thrift(loop)

    def connection() -> Protocol:
        return Protocol(protocols, loop, thrift)

    servers = [
        await loop.create_server(
            connection,
            sock=listener,
            ssl=context,
            backlog=_BACKLOG,
            ssl_handshake_timeout=_HANDSHAKE_TIMEOUT,
        )
        for listener in sockets
    ]
    try:
        yield
    finally:
        for server in servers:
            server.close()
        streams.stop()
        protocols.pre_shutdown()
        await protocols.shutdown(_GRACE)
        for server in servers:
            await server.wait_closed()
        thrift.close()
