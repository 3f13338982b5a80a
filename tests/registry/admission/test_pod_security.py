"""PodSecurity over the wire: who is refused, who is warned, and what of the Pods that are there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from support.apiserver import running_apiserver

PREFIX = "pod-security.kubernetes.io/"
PODS = "/api/v1/namespaces/ns/pods"
MERGE = {"Content-Type": "application/merge-patch+json"}
NETWORK = "host namespaces (hostNetwork=true)"
REFUSED = f'pods "p" is forbidden: violates PodSecurity "baseline:latest": {NETWORK}'
WARNED = [f'299 - "would violate PodSecurity \\"baseline:latest\\": {NETWORK}"']

Answer = tuple[int, str, list[str]]


class Client:
    """Sends JSON; answers are code, message of a failure and warnings."""

    def __init__(self, session: ClientSession) -> None:
        self._session = session

    async def send(self, method: str, path: str, body: Any, **headers: str) -> Answer:
        async with self._session.request(method, path, json=body, headers=headers) as response:
            answer = await response.json()
            message = answer.get("message", "") if response.status >= 400 else ""
            return response.status, message, response.headers.getall("Warning", [])

    async def namespace(self, **labels: str) -> Answer:
        made = await self.send("POST", "/api/v1/namespaces", named("ns", labels=labelled(labels)))
        if made[0] == 201:
            accounts = "/api/v1/namespaces/ns/serviceaccounts"
            assert (await self.send("POST", accounts, named("default")))[0] == 201
        return made

    async def relabel(self, **labels: str) -> Answer:
        change = {"metadata": {"labels": labelled(labels)}}
        return await self.send("PATCH", "/api/v1/namespaces/ns", change, **MERGE)


def labelled(labels: dict[str, str]) -> dict[str, str]:
    return {PREFIX + key.replace("_", "-"): value for key, value in labels.items()}


def named(name: str, **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, **metadata}}


def pod(name: str = "p", **spec: Any) -> dict[str, Any]:
    return {**named(name), "spec": {"containers": [{"name": "c", "image": "app:1"}], **spec}}


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with running_apiserver(tmp_path) as api, api.session() as session:
        yield Client(session)


async def test_enforced(client: Client) -> None:
    await client.namespace(enforce="baseline")
    assert await client.send("POST", PODS, pod(hostNetwork=True)) == (403, REFUSED, [])
    assert await client.send("POST", PODS, pod()) == (201, "", [])


async def test_warned(client: Client) -> None:
    await client.namespace(warn="baseline")
    assert await client.send("POST", PODS, pod(hostNetwork=True)) == (201, "", WARNED)


async def test_audit_is_not_told_to_the_client(client: Client) -> None:
    await client.namespace(audit="restricted")
    assert await client.send("POST", PODS, pod(hostNetwork=True)) == (201, "", [])


async def test_who_is_refused_is_not_warned_as_well(client: Client) -> None:
    await client.namespace(enforce="baseline", warn="restricted")
    assert await client.send("POST", PODS, pod(hostNetwork=True)) == (403, REFUSED, [])


async def test_a_dry_run_is_refused_too(client: Client) -> None:
    await client.namespace(enforce="baseline")
    answer = await client.send("POST", f"{PODS}?dryRun=All", pod(hostNetwork=True))
    assert answer == (403, REFUSED, [])


TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": pod(hostNetwork=True)["spec"]}
JOB = {"template": {**TEMPLATE, "spec": {**TEMPLATE["spec"], "restartPolicy": "Never"}}}
SELECTED = {"selector": {"matchLabels": {"a": "b"}}, "template": TEMPLATE}
TEMPLATED = {
    "v1/podtemplates": {"template": TEMPLATE},
    "v1/replicationcontrollers": {"spec": {"template": TEMPLATE}},
    "apps/v1/daemonsets": {"spec": SELECTED},
    "apps/v1/deployments": {"spec": SELECTED},
    "apps/v1/replicasets": {"spec": SELECTED},
    "apps/v1/statefulsets": {"spec": SELECTED},
    "batch/v1/jobs": {"spec": JOB},
    "batch/v1/cronjobs": {"spec": {"schedule": "* * * * *", "jobTemplate": {"spec": JOB}}},
}


@pytest.mark.parametrize("kind", TEMPLATED)
async def test_templates_are_warned_of_and_not_refused(client: Client, kind: str) -> None:
    await client.namespace(enforce="baseline", warn="baseline")
    version, _, plural = kind.rpartition("/")
    path = f"/{'api' if version == 'v1' else 'apis'}/{version}/namespaces/ns/{plural}"
    assert await client.send("POST", path, {**named("p"), **TEMPLATED[kind]}) == (201, "", WARNED)


async def test_updates_that_change_nothing_of_it_are_let_through(client: Client) -> None:
    """A Pod from before the level was raised goes on, and may be labelled, but gets no debugger."""
    await client.namespace()
    await client.send("POST", PODS, pod(hostNetwork=True))
    await client.relabel(enforce="baseline")
    change: Any = {"metadata": {"labels": {"a": "b"}}}
    assert (await client.send("PATCH", f"{PODS}/p", change, **MERGE))[0] == 200
    change = {"status": {"phase": "Running"}}
    assert (await client.send("PATCH", f"{PODS}/p/status", change, **MERGE))[0] == 200
    image = [{"name": "c", "image": "app:2"}]
    strategic = {"Content-Type": "application/strategic-merge-patch+json"}
    change = {"spec": {"containers": image}}
    assert await client.send("PATCH", f"{PODS}/p", change, **strategic) == (403, REFUSED, [])
    change = {"spec": {"ephemeralContainers": [{"name": "e", "image": "app:1"}]}}
    path = f"{PODS}/p/ephemeralcontainers"
    assert await client.send("PATCH", path, change, **strategic) == (403, REFUSED, [])


async def test_raising_the_level_warns_of_the_pods_that_are_there(client: Client) -> None:
    await client.namespace(enforce="privileged")
    for name in ("b", "a"):
        await client.send("POST", PODS, pod(name, hostNetwork=True))
    await client.send("POST", PODS, pod("fine"))
    assert await client.relabel(enforce="baseline", enforce_version="v1.24") == (200, "", [
        '299 - "existing pods in namespace \\"ns\\" violate the new PodSecurity enforce level '
        '\\"baseline:v1.24\\""',
        '299 - "a (and 1 other pod): host namespaces"',
    ])  # fmt: skip
    assert await client.relabel(warn="restricted") == (200, "", [])


WRONG = (
    'Namespace "ns" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid '
    'value: "x": must be one of privileged, baseline, restricted'
)


async def test_labels_that_mean_nothing_are_refused(client: Client) -> None:
    assert await client.namespace(enforce="x") == (422, WRONG, [])
    await client.namespace()
    assert await client.relabel(enforce="x") == (422, WRONG, [])
