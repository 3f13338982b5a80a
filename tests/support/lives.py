"""Plays a scenario of a Pod's life on a cluster; tests/golden/kubelet/README.md has its words."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlencode

from podium.api import scheme
from podium.api.codec import from_plain, to_plain
from podium.api.errors import ApiError
from podium.api.scheme import Resource
from podium.api.types.core_v1 import Namespace
from podium.api.types.meta_v1 import ObjectMeta
from podium.client.client import Client
from support.pod_views import canonical, satisfied, tokens

PATIENCE, SETTLE = 60.0, 1.5  # seconds
_KINDS = {
    "Pod": scheme.PODS,
    "ConfigMap": scheme.CONFIGMAPS,
    "PersistentVolumeClaim": scheme.PERSISTENTVOLUMECLAIMS,
    "Secret": scheme.SECRETS,
    "Service": scheme.SERVICES,
    "ServiceAccount": scheme.SERVICEACCOUNTS,
    "RuntimeClass": scheme.RUNTIMECLASSES,
}
_CHANGING = [
    (re.compile(r"(?:in|for) [\d.]+m?s \([\d.]+m?s including waiting\)"), "in DURATION"),
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "UID"),
    (re.compile(r"sha256:[0-9a-f]{64}"), "sha256:DIGEST"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "ID"),
    (re.compile(r"kube-api-access-[a-z0-9]{5}\b"), "kube-api-access-XXXXX"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)"), "TIME"),
    (re.compile(r"\b\d{4}(?:_\d\d){5}\.\d+\b"), "DATADIR"),
    (re.compile(r"(requested: \d+, used: )\d+(, capacity: )\d+"), r"\1N\2N"),
]
_ADDRESS = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]*\d)")


class Expected(Protocol):
    """What has to come of a scenario."""

    def of_pods(self, life: Life) -> bool:
        """Whether the Pods have passed through what they have to, and are as they have to be."""
        ...

    def of_all(self, life: Life) -> bool:
        """Whether all has been seen that has to be, and nothing else."""
        ...

    def has(self, life: Life, event: Any) -> bool:
        """Whether *event* has to come."""
        ...


@dataclass
class Life:
    """What is seen while a scenario is played in the namespace *namespace*."""

    client: Client
    scenario: Mapping[str, Any]
    namespace: str
    node: str
    pods: dict[str, Any] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    states: dict[str, list[str]] = field(default_factory=dict)
    events: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)
    words: dict[str, str] = field(default_factory=dict)
    of_cluster: list[tuple[Resource, str]] = field(default_factory=list)
    expected: Expected | None = None
    #: The Pods are looked at no more, as their end did not last.
    over: bool = False

    async def play(self) -> None:
        """Raises TimeoutError when something that the scenario waits for does not come."""
        await self.client.create(
            scheme.NAMESPACES, Namespace(metadata=ObjectMeta(name=self.namespace))
        )
        self.words |= {self.namespace: "NS", self.node: "NODE"}
        await self._standard_objects()
        async with asyncio.TaskGroup() as group:
            watches = [
                group.create_task(self._watch(scheme.PODS, self._pod_seen)),
                group.create_task(self._watch(scheme.EVENTS, self._event_seen)),
            ]
            for manifest in self.scenario.get("objects", ()):
                await self._create(manifest)
            for step in self.scenario.get("steps", ()):
                ((verb, wish),) = step.items()
                await getattr(self, f"_{verb}")(wish)
            settle = self.scenario.get("settle", SETTLE)
            if self.expected is not None:
                await self._come(self.expected, settle < SETTLE)
            await asyncio.sleep(settle)  # nothing more may come
            for watch in watches:
                watch.cancel()

    async def _come(self, expected: Expected, briefly: bool) -> None:
        """Wait until all is as expected. What is so *briefly*, for a few seconds until the next
        restart, may be over before the last event of it is told."""
        with contextlib.suppress(TimeoutError):  # then the comparison tells what is missing
            if briefly:
                await self._until(lambda: expected.of_pods(self))
                self.over = True
            await self._until(lambda: expected.of_all(self))

    async def end(self) -> None:
        with contextlib.suppress(ApiError):
            for name in self.pods:
                await self.client.delete(
                    scheme.PODS, name, namespace=self.namespace, grace_period_seconds=0
                )
            for resource, name in self.of_cluster:
                await self.client.delete(resource, name)
            await self.client.delete(scheme.NAMESPACES, self.namespace)

    async def _standard_objects(self) -> None:
        for resource, name in (
            (scheme.SERVICEACCOUNTS, "default"),
            (scheme.CONFIGMAPS, "kube-root-ca.crt"),
        ):
            async with asyncio.timeout(PATIENCE):
                while not (await self.client.list(resource, self.namespace)).items:
                    await asyncio.sleep(0.02)
            await self.client.get(resource, name, self.namespace)

    # -- watching

    async def _watch(self, resource: Resource, seen: Any) -> None:
        watch = self.client.watch(resource, self.namespace, resource_version="0")
        async with contextlib.aclosing(watch) as events:
            async for kind, obj in events:
                async with self.news:
                    if kind != "BOOKMARK":
                        seen(kind, to_plain(obj))
                    self.news.notify_all()

    def _pod_seen(self, kind: str, pod: Any) -> None:
        if self.over:
            return
        name, status = pod["metadata"]["name"], pod.get("status", {})
        self.words[status.get("podIP", "")] = "POD_IP"
        self.words[status.get("hostIP", "")] = "HOST_IP"
        self.pods[name] = pod
        for track, token in tokens(name, pod):
            passed = self.states.setdefault(track, [])
            if passed[-1:] != [token]:
                passed.append(token)
        self.gone.discard(name)
        if kind == "DELETED":
            self.gone.add(name)
            self.states[name].append("gone")

    def _event_seen(self, kind: str, event: Any) -> None:
        about = event["involvedObject"]
        if kind == "DELETED" or about["kind"] == "Namespace":
            return
        seen = {
            "type": event["type"],
            "reason": event["reason"],
            "message": event["message"],
            "component": event["source"]["component"],
            "object": f"{about['kind']}/{about['name']}",
            "fieldPath": about.get("fieldPath", ""),
            "count": event.get("count", 1),
        }
        if not self.over or self.expected is None or self.expected.has(self, seen):
            self.events[event["metadata"]["name"]] = seen

    def _pod(self, wish: Any) -> str:
        """Which Pod a step is about: the first of the scenario where it does not say."""
        names = [
            manifest["metadata"]["name"]
            for manifest in self.scenario.get("objects", ())
            if manifest["kind"] == "Pod"
        ]
        return str(wish.get("pod") or (names or ["p"])[0])

    # -- steps

    async def _create(self, wish: Any) -> None:
        text = json.dumps(wish)
        for word, meant in (
            ("@NS@", self.namespace),
            ("@NODE@", self.node),
            ("@STAMP@", hashlib.sha256(self.namespace.encode()).hexdigest()[:5]),
        ):
            text = text.replace(word, meant)
        manifest = json.loads(text)
        _be_patient(manifest)
        resource = _KINDS[manifest["kind"]]
        if not resource.namespaced:
            self.of_cluster.append((resource, manifest["metadata"]["name"]))
        try:
            obj = from_plain(resource.type, manifest)
            namespace = self.namespace if resource.namespaced else ""
            made = await self.client.create(resource, obj, namespace=namespace)
        except ApiError as exc:
            self._note(f"create {manifest['kind']}/{manifest['metadata']['name']}", _refusal(exc))
        else:
            if resource is scheme.SERVICES:
                self.words[made.spec.cluster_ip] = "SVC_IP"

    async def _patch(self, wish: Any) -> None:
        resource = _KINDS[wish.get("kind", "Pod")]
        try:
            await self.client.patch(
                resource,
                wish["name"],
                wish["body"],
                namespace=self.namespace,
                subresource=wish.get("sub", ""),
                patch_type=wish.get("type", "merge"),
            )
        except ApiError as exc:
            self._note(f"patch {wish['name']}", _refusal(exc))

    async def _delete(self, wish: Any) -> None:
        name = wish.get("name") or self._pod(wish)
        await self.client.delete(
            _KINDS[wish.get("kind", "Pod")],
            name,
            namespace=self.namespace,
            grace_period_seconds=wish.get("grace"),
        )
        if wish.get("kind", "Pod") == "Pod" and wish.get("wait", True):
            await self._until(lambda: name in self.gone)

    async def _sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)  # as the scenario says: time for what must not happen

    async def _wait(self, wish: Any) -> None:
        if "log" not in wish:
            await self._until(lambda: self._holds(wish))
            return
        async with asyncio.timeout(PATIENCE):
            while wish["log"] not in await self._log(wish):
                await asyncio.sleep(0.05)

    async def _logs(self, wish: Any) -> None:
        name = f"log {self._pod(wish)}/{wish.get('container', '')}"
        text = await self._log(wish)
        if wish.get("sort"):
            text = "".join(f"{line}\n" for line in sorted(text.splitlines()))
        for pattern, replacement in wish.get("replace", ()):
            text = re.sub(pattern, replacement, text)
        self._note(wish.get("as", name), text)

    async def _log(self, wish: Any) -> str:
        query = {"container": wish.get("container", "")} | wish.get("query", {})
        given = {
            name: str(value).lower() if isinstance(value, bool) else value
            for name, value in query.items()
            if value != ""
        }
        path = f"/api/v1/namespaces/{self.namespace}/pods/{self._pod(wish)}/log"
        try:
            answer = await self.client.get_raw(f"{path}?{urlencode(given)}")
        except ApiError as exc:
            return f"HTTP {exc.code}: {exc.status.message}"
        return answer.decode(errors="replace")

    async def _until(self, holds: Any) -> None:
        async with asyncio.timeout(PATIENCE), self.news:
            await self.news.wait_for(holds)

    def _note(self, key: str, text: str) -> None:
        number = sum(name.partition("#")[0] == key for name in self.outputs) + 1
        self.outputs[key if number == 1 else f"{key}#{number}"] = text

    def _holds(self, wish: Any) -> bool:
        name = self._pod(wish)
        if wish.get("gone"):
            return name in self.gone
        if "event" in wish:
            return any(
                event["reason"] == wish["event"]
                and wish.get("contains", "") in event["message"]
                and event["count"] >= wish.get("count", 1)
                for event in self.events.values()
            )
        if name not in self.pods or name in self.gone:
            return False
        return all(satisfied(self.pods[name], wish))

    # -- what is left of it, comparable

    def final(self) -> dict[str, Any]:
        return {
            name: canonical(pod) | ({"gone": True} if name in self.gone else {})
            for name, pod in self.pods.items()
        }

    def normal(self, value: Any) -> Any:
        """Turn what changes from run to run into fixed words, as the recording did."""
        if isinstance(value, dict):
            return {self.normal(key): self.normal(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.normal(inner) for inner in value]
        if not isinstance(value, str):
            return value
        for found in sorted(filter(None, self.words), key=len, reverse=True):
            value = value.replace(found, self.words[found])
        for pattern, word in _CHANGING:
            value = pattern.sub(word, value)
        kept = {"0.0.0.0", *_ADDRESS.findall(json.dumps(self.scenario))}
        return _ADDRESS.sub(lambda m: m[0] if m[0] in kept or m[0][:4] == "127." else "IP", value)


def _be_patient(manifest: Any) -> None:
    """Give probes a minute where the scenario is content with the second that is the default.

    On a busy machine a command may take that long to start, and a server to answer. Only where
    nobody is to answer gRPC the time is told of.
    """
    for container in manifest.get("spec", {}).get("containers", ()):
        for kind in ("livenessProbe", "readinessProbe", "startupProbe"):
            probe = container.get(kind, {})
            served = "grpc-health-checking" in container.get("args", ())
            if probe and ("grpc" not in probe or served):
                probe.setdefault("timeoutSeconds", 60)


def _refusal(exc: ApiError) -> str:
    return f"HTTP {exc.code} {exc.status.reason}: {exc.status.message}"


@contextlib.asynccontextmanager
async def living(
    client: Client,
    scenario: Mapping[str, Any],
    name: str,
    words: Mapping[str, str],
    expected: Expected,
) -> AsyncIterator[Life]:
    """Play *scenario* in a namespace of its own, which is deleted afterwards.

    *words* says what the recording calls things of this cluster.
    """
    life = Life(client, scenario, name, "node-1", words=dict(words), expected=expected)
    try:
        await life.play()
        yield life
    finally:
        await life.end()
