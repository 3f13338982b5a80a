"""A cluster's components, wired from its settings; imported lazily, each only where it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING

from podium.cluster.config import ClusterConfig
from podium.cluster.pki import Pki
from podium.kit import collector, heap
from podium.kit.backoff import Backoff
from podium.kit.guard import guarded

if TYPE_CHECKING:
    from podium.apiserver.options import ApiServerOptions
    from podium.client.config import ClientConfig

Ready = Callable[[], None]
#: Seconds in which most of what starts a Pod is asked of the API server.
EVENT_PAUSE = 0.03


def client_config(config: ClusterConfig, identity: str, user_agent: str) -> ClientConfig:
    """Return how the component that is *identity* reaches the API server."""
    from podium.client.config import ClientConfig

    pki = Pki(config.pki_dir)
    return ClientConfig(
        server=config.server,
        ca_file=str(pki.ca),
        cert_file=str(pki.cert(identity)),
        key_file=str(pki.key(identity)),
        user_agent=user_agent,
    )


def apiserver_options(config: ClusterConfig) -> ApiServerOptions:
    from podium.apiserver.options import ApiServerOptions

    pki = Pki(config.pki_dir)
    return ApiServerOptions(
        data_dir=config.data_dir,
        bind_addresses=config.bind_addresses,
        port=config.port,
        tls_cert_file=pki.cert("apiserver"),
        tls_key_file=pki.key("apiserver"),
        client_ca_file=pki.ca,
        service_account_key_file=pki.service_account_key,
        service_cidr=config.service_cidr,
        token_auth_file=config.token_auth_file,
        advertise_address=config.gateway,
        kubelet_client_cert_file=pki.cert("apiserver-kubelet-client"),
        kubelet_client_key_file=pki.key("apiserver-kubelet-client"),
        kubelet_ca_file=pki.ca,
    )


async def apiserver(config: ClusterConfig, ready: Ready) -> None:
    with collector.paused():
        from podium.apiserver.server import run

    heap.share()  # large bodies are worked on in threads
    await run(apiserver_options(config), on_ready=ready)


async def scheduler(config: ClusterConfig, *, leader_elect: bool = False) -> None:
    with collector.paused():
        from podium.scheduler.scheduler import SchedulerOptions, run

    client = client_config(config, "scheduler", "kube-scheduler")
    await run(SchedulerOptions(client, leader_elect=leader_elect, event_pause=EVENT_PAUSE))


async def controller_manager(config: ClusterConfig, *, leader_elect: bool = False) -> None:
    with collector.paused():
        from podium.controllers.local_path import LocalPathOptions
        from podium.controllers.manager import ControllerOptions, run

    client = client_config(config, "controller-manager", "kube-controller-manager")
    pki = Pki(config.pki_dir)
    options = ControllerOptions(
        client_config=client,
        ca_file=str(pki.ca),
        service_account_key_file=str(pki.service_account_key),
        leader_elect=leader_elect,
        local_path=LocalPathOptions(config.storage_dir, config.node_name),
    )
    await run(options)


async def control_plane(config: ClusterConfig, ready: Ready) -> None:
    """The API server with scheduler and controllers in one process, as three clients and a server.

    They share nothing but the event loop: scheduler and controllers come in by the front door, and
    when one of them fails it is started again without the API server noticing.
    """
    serving = asyncio.Event()

    def on_ready() -> None:
        serving.set()
        ready()

    async with asyncio.TaskGroup() as group:
        group.create_task(apiserver(config, on_ready), name="apiserver")
        await serving.wait()
        for name, component in (
            ("controller-manager", controller_manager),
            ("scheduler", scheduler),
        ):
            group.create_task(_kept_running(name, partial(component, config)), name=name)


async def _kept_running(name: str, component: Callable[[], Awaitable[None]]) -> None:
    """Run *component* until it ends by itself; start it again, ever later, when it fails."""
    backoff = Backoff(initial=0.5, maximum=10.0)
    while not await guarded(component(), name):  # noqa: ASYNC110 - nothing to be woken by
        await asyncio.sleep(backoff.next())
