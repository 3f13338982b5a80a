"""What the health endpoints answer, and what the checks behind them notice."""

import asyncio
from pathlib import Path

import pytest

from podium.apiserver import checks
from podium.apiserver.bootstrap import Bootstrap
from podium.apiserver.health import Health, NamedCheck
from podium.apiserver.paths import Query
from podium.apiserver.streams import Streams
from podium.kit.clock import VirtualClock
from podium.registry.registry import Registry
from podium.store.memory import MemoryStore
from support.apiserver import RunningApiServer

HOOKS = (
    "start-system-namespaces-controller",
    "start-cluster-authentication-info-controller",
    "start-service-ip-repair-controllers",
    "rbac/bootstrap-roles",
    "scheduling/bootstrap-system-priority-classes",
    "bootstrap-controller",
    "start-kubernetes-service-cidr-controller",
)
LIVE = ("ping", "log", "etcd", *(f"poststarthook/{hook}" for hook in HOOKS))
READY = (*LIVE[:3], "etcd-readiness", "informer-sync", *LIVE[3:], "shutdown")


def bootstrap(registry: Registry, clock: VirtualClock, client_ca_file: Path) -> Bootstrap:
    return Bootstrap(
        registry,
        clock,
        service_cidr="10.96.0.0/12",
        service_ip="10.96.0.1",
        address="127.0.0.1",
        port=6443,
        client_ca_file=client_ca_file,
    )


async def well() -> str:
    return ""


async def ill() -> str:
    return "out of order"


HEALTH = (NamedCheck("a", well), NamedCheck("b/c", ill, for_ready=True), NamedCheck("d", well))


@pytest.mark.parametrize(
    ("path", "query", "code", "text"),
    [
        ("/livez", "", 200, "ok"),
        ("/livez", "verbose", 200, "[+]ping ok\n[+]a ok\n[+]d ok\nlivez check passed\n"),
        ("/livez", "verbose=false", 200, "[+]ping ok\n[+]a ok\n[+]d ok\nlivez check passed\n"),
        (
            "/readyz",
            "",
            500,
            "[+]ping ok\n[+]a ok\n[-]b/c failed: reason withheld\n[+]d ok\nreadyz check failed\n",
        ),
        ("/readyz", "exclude=b/c", 200, "ok"),
        (
            "/readyz",
            "verbose&exclude=b/c&exclude=y&exclude=x&exclude=a",
            200,
            "[+]ping ok\n[+]a excluded: ok\n[+]b/c excluded: ok\n[+]d ok\n"
            'warn: some health checks cannot be excluded: no matches for "x","y"\n'
            "readyz check passed\n",
        ),
        ("/readyz/b/c", "", 500, "internal server error: out of order\n"),
        ("/readyz/d", "", 200, "ok"),
        ("/livez/b/c", "", 404, "404 page not found\n"),
        ("/livez/b", "", 404, "404 page not found\n"),
    ],
)
async def test_what_is_answered(path: str, query: str, code: int, text: str) -> None:
    response = await Health(HEALTH).answer(path, Query(query))
    assert response is not None
    assert isinstance(response.body, bytes)
    assert (response.status, response.body.decode()) == (code, text)


@pytest.mark.parametrize(
    ("endpoint", "names"), [("healthz", LIVE), ("livez", LIVE), ("readyz", READY)]
)
async def test_the_checks_of_a_server(
    api: RunningApiServer, endpoint: str, names: tuple[str, ...]
) -> None:
    await api.healthy()
    lines = [f"[+]{name} ok\n" for name in names]
    async with api.session() as session:
        async with session.get(f"/{endpoint}?verbose") as response:
            assert await response.text() == f"{''.join(lines)}{endpoint} check passed\n"
        async with session.get("/") as response:
            listed = (await response.json())["paths"]
        assert {f"/{endpoint}/{name}" for name in names} <= set(listed)


async def test_a_store_that_is_closed_is_noticed() -> None:
    store = MemoryStore()
    check = checks.store_check(store)
    assert await check() == ""
    await store.close()
    assert await check() != ""


async def test_caches_that_lag_behind_the_store_are_noticed() -> None:
    store, clock = MemoryStore(), VirtualClock()
    registry = Registry(store, (), clock)
    await registry.start()
    assert await checks.lag(registry) == ""
    await store.create("/registry/configmaps/a/b", b"{}")  # nobody follows the store
    async with asyncio.TaskGroup() as tasks:
        lag = tasks.create_task(checks.lag(registry))
        await clock.advance(3.0)
    assert "Too large resource version" in lag.result()


async def test_objects_that_nobody_looks_after_are_noticed(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with Registry(MemoryStore(), (), clock).serving() as registry:
        objects = bootstrap(registry, clock, tmp_path / "ca.crt")
        assert await objects.check() == "not finished"
        await objects.ensure()
        assert await objects.check() == ""
        await clock.advance(61.0)
        assert await objects.check() == "not looked at for 61 s"


async def test_a_server_that_stops_is_not_ready() -> None:
    streams = Streams()
    assert await checks.stopping(streams) == ""
    streams.stop()
    assert await checks.stopping(streams) == "process is shutting down"
