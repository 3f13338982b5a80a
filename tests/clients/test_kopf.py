"""kopf, unmodified: an operator of built-in kinds, through connections that are cut.

Not here: operators of custom resources, peering (which wants one) and admission webhooks, as
there are no CustomResourceDefinitions and no admission registration yet (docs/scope.md).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import kopf
import pytest

from support.cluster import Cluster, eventually, pod
from support.relay import Relay

# kopf closes its sessions without waiting for TLS to end: what is left of them is its own affair.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("rubbish"),
]
FINALIZER = "kopf.zalando.org/KopfFinalizerMarker"
HANDLED = "kopf.zalando.org/last-handled-configuration"


@pytest.fixture
def registry() -> kopf.OperatorRegistry:
    """An operator's handlers; the test adds them."""
    return kopf.OperatorRegistry()


@pytest.fixture
def operator(
    registry: kopf.OperatorRegistry, namespace: str, relayed: Relay, monkeypatch: Any
) -> Callable[..., Any]:
    """``async with operator():`` runs the operator on *registry* in the test's namespace."""
    monkeypatch.setenv("KUBECONFIG", str(relayed.kubeconfig))
    kopf.on.login(registry=registry)(kopf.login_with_kubeconfig)
    settings = kopf.OperatorSettings()
    settings.posting.level = 20
    settings.networking.error_backoffs = [0.05] * 5
    settings.watching.reconnect_backoff = 0.05

    @contextlib.asynccontextmanager
    async def running(**options: Any) -> AsyncIterator[None]:
        ready, stop = asyncio.Event(), asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(
                kopf.operator(
                    registry=registry, settings=settings, standalone=True, ready_flag=ready,
                    stop_flag=stop, **(options or {"namespaces": [namespace]}),
                )
            )  # fmt: skip
            await ready.wait()
            try:
                yield
            finally:
                stop.set()

    return running


async def until(probe: Callable[[], Any], what: str) -> Any:
    """``eventually`` beside the event loop."""
    return await asyncio.to_thread(eventually, probe, what)


def handled(found: Any) -> str:
    """What ``data.a`` of a ConfigMap was when kopf had last handled it, by its note of that."""
    note = found["metadata"].get("annotations", {}).get(HANDLED)
    return str(json.loads(note)["data"]["a"]) if note else ""


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "labels": {"watched": "yes"}},
        "data": data,
    }


async def test_an_objects_life_is_handled(
    shared: Cluster, namespace: str, registry: kopf.OperatorRegistry, operator: Any, relayed: Relay
):
    told: list[Any] = []
    chosen = {"registry": registry, "labels": {"watched": "yes"}}
    path = f"/api/v1/namespaces/{namespace}/configmaps"

    @kopf.on.create("v1", "configmaps", **chosen)
    async def created(name: str, patch: kopf.Patch, **_: Any) -> None:
        told.append(("create", name))
        patch.metadata.annotations["example.com/seen"] = "yes"

    @kopf.on.update("v1", "configmaps", field="data.a", **chosen)
    async def updated(old: str, new: str, body: Any, **_: Any) -> None:
        told.append(("update", old, new))
        kopf.info(body, reason="Changed", message=f"a is {new}")

    @kopf.on.delete("v1", "configmaps", **chosen)
    async def deleted(retry: int, **_: Any) -> None:
        told.append(("delete", retry))
        if not retry:
            raise kopf.TemporaryError("not yet", delay=0.1)

    def get() -> Any:
        return shared.request("GET", f"{path}/one")[1]

    async with operator():
        code, _ = await asyncio.to_thread(shared.request, "POST", path, config_map("one", a="1"))
        assert code == 201
        await until(
            lambda: "example.com/seen" in get()["metadata"].get("annotations", {}), "a mark"
        )
        await until(lambda: handled(get()) == "1", "the note of that")
        assert get()["metadata"]["finalizers"] == [FINALIZER]
        for number in ("2", "3"):
            assert relayed.cut()
            change = get() | {"data": {"a": number}}
            await until(
                lambda change=change: shared.request(
                    "PUT", f"{path}/one", get() | {"data": change["data"]}
                )[0] == 200, "the update",
            )  # fmt: skip
            await until(
                lambda number=number: told[-1] == ("update", str(int(number) - 1), number),
                "the handler of the update",
            )
            await until(lambda number=number: handled(get()) == number, "the note of that")
        await asyncio.to_thread(shared.request, "DELETE", f"{path}/one")
        await until(lambda: get()["kind"] == "Status", "the end, once the handler lets go")

        def events() -> set[str]:
            listed = shared.request("GET", f"/api/v1/namespaces/{namespace}/events")[1]["items"]
            return {event["message"] for event in listed if event["reason"] == "Changed"}

        # Kopf posts again what was cut off, and does not know whether it had arrived.
        await until(lambda: events() == {"a is 2", "a is 3"}, "both events")
    assert told == [
        ("create", "one"), ("update", "1", "2"), ("update", "2", "3"), ("delete", 0), ("delete", 1),
    ]  # fmt: skip


async def test_an_operator_that_was_away_catches_up(
    shared: Cluster, namespace: str, registry: kopf.OperatorRegistry, operator: Any
):
    """What it has handled it knows from its annotation; what happened meanwhile it is told."""
    told: list[Any] = []
    chosen = {"registry": registry, "labels": {"watched": "yes"}}
    path = f"/api/v1/namespaces/{namespace}/configmaps"

    @kopf.on.create("v1", "configmaps", **chosen)
    @kopf.on.resume("v1", "configmaps", **chosen)
    async def there(name: str, **_: Any) -> None:
        told.append(name)

    @kopf.on.update("v1", "configmaps", **chosen)
    async def updated(diff: Any, **_: Any) -> None:
        told.append([tuple(change) for change in diff])

    shared.request("POST", path, config_map("one", a="1"))
    async with operator():
        await until(lambda: told == ["one"], "the object that was there")
        await until(
            lambda: handled(shared.request("GET", f"{path}/one")[1]) == "1", "the note of that"
        )
    marked = shared.request("GET", f"{path}/one")[1]
    told.clear()
    shared.request("PUT", f"{path}/one", marked | {"data": {"a": "2"}})
    async with operator():
        await until(lambda: len(told) == 2, "both handlers")
    assert sorted(told, key=str) == [[("change", ("data", "a"), "1", "2")], "one"]


async def test_daemons_timers_and_children_of_pods(
    shared: Cluster, namespace: str, registry: kopf.OperatorRegistry, operator: Any
):
    ticks: list[str] = []
    ended = asyncio.Event()
    pods = f"/api/v1/namespaces/{namespace}/pods"

    @kopf.on.event("v1", "pods", registry=registry, field="status.phase", value="Running")
    async def runs(name: str, patch: kopf.Patch, **_: Any) -> None:
        patch.metadata.labels["runs"] = "yes"

    @kopf.timer("v1", "pods", registry=registry, interval=0.1)
    async def tick(name: str, **_: Any) -> None:
        ticks.append(name)

    @kopf.daemon("v1", "pods", registry=registry, cancellation_backoff=1)
    async def accompany(name: str, stopped: Any, **_: Any) -> None:
        await stopped.wait()
        ended.set()

    async with operator():
        await asyncio.to_thread(shared.request, "POST", pods, pod("web"))
        await until(
            lambda: shared.request("GET", f"{pods}/web")[1]["metadata"]["labels"].get("runs"),
            "a label on a running Pod",
        )
        await until(lambda: len(ticks) > 2, "some ticks")
        await asyncio.to_thread(shared.request, "DELETE", f"{pods}/web?gracePeriodSeconds=1")
        async with asyncio.timeout(60):
            await ended.wait()
        await until(lambda: shared.request("GET", f"{pods}/web")[0] == 404, "the Pod's end")
    assert set(ticks) == {"web"}


async def test_namespaces_with_an_index_of_what_is_in_them(
    shared: Cluster, namespace: str, registry: kopf.OperatorRegistry, operator: Any
):
    found: list[Any] = []

    @kopf.index("v1", "serviceaccounts", id="accounts", registry=registry)
    async def accounts(name: str, namespace: str, **_: Any) -> dict[str, str]:
        return {namespace: name}

    @kopf.on.create("v1", "namespaces", registry=registry, labels={"tested": namespace})
    async def labelled(name: str, accounts: Any, patch: kopf.Patch, **_: Any) -> None:
        found.extend(accounts.get(name, []))
        patch.metadata.annotations["example.com/accounts"] = str(len(found))

    path = f"/api/v1/namespaces/{namespace}"
    account = f"{path}/serviceaccounts/default"
    await until(lambda: shared.request("GET", account)[0] == 200, "what there is to be found")
    async with operator(clusterwide=True):
        changed = shared.request("GET", path)[1]
        changed["metadata"]["labels"] = {"tested": namespace}
        await asyncio.to_thread(shared.request, "PUT", path, changed)

        def counted() -> Any:
            annotations = shared.request("GET", path)[1]["metadata"].get("annotations", {})
            return annotations.get("example.com/accounts")

        assert await until(counted, "the annotation") == "1"
    assert found == ["default"]
