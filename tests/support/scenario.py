"""Scenarios: what happens to Pods, step by step, and what the API shows of it.

A scenario is a text file of steps. A step is a command, its input (indented YAML), a line of four
dashes, and what was seen until nothing moved any more::

    create
        spec: {containers: [{name: c, args: [exit, "1"]}]}
    ----
    00:00.0  event    Normal Pulled c: Container image "…" already present on machine
    00:00.0  c        running, restart 0
    00:00.0  p        Running: PodScheduled Initialized ContainersReady Ready

Time is virtual and jumps from one sleeper to the next; it stands still while there is anything to
do. Of what happens in one moment the events come first, then the containers, then the Pods.

Commands (NAME is ``p`` where it is left out)::

    create [NAME]               a Pod; image, node and grace are filled in
    delete [NAME] [GRACE]       as kubectl does; GRACE in seconds
    patch [NAME]                a merge patch of the Pod
    patch-status [NAME]         the same through its subresource
    debug [NAME]                adds an ephemeral container
    restart NAME [CONTAINER…]   POST to the Pod's restart
    run DURATION                lets time go by: 10s, 5m, 1h
    check CONTAINER ok|fail     what its probe command ``check`` finds from now on
    exit CONTAINER CODE         its process ends
    sandbox ok|TEXT             what becomes of new sandboxes
    hang CALL                   a call of the runtime never answers from now on
    answer CALL                 it does again
    publish IMAGE               the registry has it from now on
    places NUMBER               how many Pods the node takes, from the next kubelet on
    kubelet kill|start|stop     SIGKILL; a new one; SIGTERM with a grace period of 20 s, and 10 more
                                for critical Pods
"""

from __future__ import annotations

import asyncio
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from msgspec.structs import replace

from podium.api import scheme
from podium.api.codec import from_plain
from podium.api.types.core_v1 import ContainerStatus, EphemeralContainer, Event, Pod
from podium.runtime.memory_script import Command, read_command
from podium.runtime.port import ContainerConfig, ContainerState
from support.node import IMAGE, NODE, PATIENCE, Node

_RULE = "----"
_UNITS = {"s": 1, "m": 60, "h": 3600}
_LONG = 24 * 3600.0


@dataclass(frozen=True)
class Step:
    """``command`` in words, ``input`` as it stands in the file, ``output`` without times."""

    command: str
    input: str
    output: str

    def text(self, output: str) -> str:
        given = f"{self.input}\n" if self.input else ""
        seen = f"{output}\n" if output else ""
        return f"{self.command}\n{given}{_RULE}\n{seen}"


@dataclass(frozen=True)
class Scenario:
    about: str
    steps: Sequence[Step]


def read(path: Path) -> Scenario:
    """Read a scenario file. Raises ValueError where it does not keep to the form."""
    paragraphs = [part.strip("\n") for part in re.split(r"\n\n+", path.read_text())]
    about, *steps = [part for part in paragraphs if part]
    if not about.startswith("#"):
        raise ValueError(f"{path}: begins with a line '# what it shows'")
    return Scenario(about, [_step(path, text) for text in steps])


def _step(path: Path, text: str) -> Step:
    given, rule, output = f"{text}\n".partition(f"\n{_RULE}\n")
    if not rule:
        raise ValueError(f"{path}: no '{_RULE}' after {text.splitlines()[0]!r}")
    command, _, body = given.partition("\n")
    return Step(command, body, output.strip("\n"))


def write(path: Path, scenario: Scenario, outputs: Sequence[str]) -> None:
    steps = [step.text(output) for step, output in zip(scenario.steps, outputs, strict=True)]
    path.write_text("\n".join([f"{scenario.about}\n", *steps]))


class Stage:
    """A node on which scenarios are played."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._start = node.clock.monotonic()
        self._uids: dict[str, str] = {}
        self._checks: dict[str, str] = {}
        self._moves = 0
        self._events: list[str] = []
        self._containers: dict[str, list[str]] = {}
        self._shown: dict[str, str] = {}
        node.runtime.commands = self._command
        node.pods.on_change(self._on_pod)
        node.events.on_change(self._on_event)

    async def play(self, scenario: Scenario) -> list[str]:
        """Return what was seen of each step."""
        outputs = []
        for step in scenario.steps:
            words = shlex.split(step.command)
            lines = await self._do(words[0], words[1:], yaml.safe_load(step.input or "null"))
            outputs.append("\n".join(lines))
        return outputs

    # -- steps

    async def _do(self, verb: str, words: list[str], given: Any) -> list[str]:
        client, name = self._node.client, words[0] if words else "p"
        match verb:
            case "create":
                await client.create(scheme.PODS, from_plain(Pod, _pod(name, given)))
            case "delete":
                grace = int(words[1]) if len(words) > 1 else None
                await self._node.delete(name, grace)
            case "patch" | "patch-status":
                part = "status" if verb == "patch-status" else ""
                await client.patch(scheme.PODS, name, given, namespace="default", subresource=part)
            case "debug":
                await self._debug(name, given)
            case "restart":
                await self._restart(name, words[1:])
            case "check":
                self._checks[words[0]] = words[1]
            case "exit":
                self._node.runtime.exit(await self._running(words[0]), int(words[1]))
            case "sandbox":
                self._node.runtime.sandbox_error = "" if words == ["ok"] else " ".join(words)
            case "hang":
                self._node.runtime.hangs.add(words[0])
            case "answer":
                self._node.runtime.hangs.remove(words[0])
            case "publish":
                self._node.images.publish(words[0])
            case "places":
                self._node.config = replace(self._node.config, max_pods=int(words[0]))
            case "kubelet":
                await self._kubelet(words[0])
            case "run":
                return await self._run(_seconds(words[0]))
            case _:
                raise ValueError(f"unknown command: {verb}")
        return await self._settle()

    async def _kubelet(self, what: str) -> None:
        if what == "start":
            await self._node.start()
        elif what == "stop":
            assert self._node.graceful.ask()
        else:
            await self._node.stop()

    async def _debug(self, name: str, given: Any) -> None:
        pod = await self._node.client.get(scheme.PODS, name, namespace="default")
        added = from_plain(EphemeralContainer, {"image": IMAGE, **given})
        pod.spec.ephemeral_containers.append(added)
        await self._node.client.update(scheme.PODS, pod, subresource="ephemeralcontainers")

    async def _restart(self, name: str, containers: Sequence[str]) -> None:
        path = f"/api/v1/namespaces/default/pods/{name}/restart"
        query = [("container", container) for container in containers]
        async with (
            self._node.api.session() as session,
            session.post(path, params=query) as response,
        ):
            assert response.status == 201, await response.text()

    async def _running(self, container: str) -> str:
        for found in await self._node.runtime.list_containers():
            if found.metadata.name == container and found.state is ContainerState.RUNNING:
                return found.id
        raise ValueError(f"container {container} does not run")

    def _command(self, config: ContainerConfig, words: Sequence[str]) -> Command:
        if list(words) != ["check"]:
            return read_command(config, words)
        if self._checks.get(config.metadata.name, "ok") == "ok":
            return Command()
        return Command(exit_code=1, stdout="sick\n")

    # -- time

    async def _run(self, seconds: float) -> list[str]:
        clock = self._node.clock
        end, lines = clock.monotonic() + seconds, await self._settle()
        while True:
            pause = clock.next_deadline
            left = end - clock.monotonic()
            if pause is None or pause > left:
                await clock.advance(left)
                return lines + await self._settle()
            await clock.advance(pause)
            lines += await self._settle()

    async def _settle(self) -> list[str]:
        """Wait until nothing moves any more; return what was seen of this moment."""
        moves = -1
        async with asyncio.timeout(PATIENCE):
            while moves != self._moves:
                moves = self._moves
                await self._node.settle()
        return self._flush()

    # -- what is seen

    def _on_pod(self, _old: Pod | None, new: Pod | None) -> None:
        self._moves += 1
        if new is None:
            return
        self._uids[new.metadata.uid] = new.metadata.name
        for status in _statuses(new):
            if status.state.terminated:  # an end is never passed over, whatever follows at once
                self._note(new.metadata.name, status)

    def _on_event(self, old: Event | None, new: Event | None) -> None:
        self._moves += 1
        if new is None:
            return
        container = re.search(r"{(.*)}", new.involved_object.field_path)
        about = container[1] if container else new.involved_object.name
        if new.involved_object.kind == "Node":
            return
        times = f" (x{new.count})" if new.count > 1 else ""
        self._events.append(f"event    {new.type} {new.reason} {about}: {new.message}{times}")

    def _note(self, pod: str, status: ContainerStatus) -> None:
        key, text = f"{pod}/{status.name}", _container(status)
        if self._shown.get(key) != text:
            self._shown[key] = text
            name = status.name if pod == "p" else key
            self._containers.setdefault(pod, []).append(f"{name:<8} {text}")

    def _flush(self) -> list[str]:
        lines, self._events = self._events, []
        pods = {pod.metadata.name: pod for pod in self._node.pods.list()}
        for name, pod in pods.items():
            for status in _statuses(pod):
                self._note(name, status)
        for noted in self._containers.values():
            lines += noted
        self._containers = {}
        for name in sorted(set(self._uids.values())):
            text = _phase(pods[name]) if name in pods else "gone"
            if self._shown.get(name) != text:
                self._shown[name] = text
                lines.append(f"{name:<8} {text}")
        return [f"{self._time()}  {self._masked(line)}".rstrip() for line in lines]

    def _time(self) -> str:
        tenths = round((self._node.clock.monotonic() - self._start) * 10)
        return f"{tenths // 600:02}:{tenths // 10 % 60:02}.{tenths % 10}"

    def _masked(self, text: str) -> str:
        for uid in self._uids:
            text = text.replace(uid, "UID")
        return re.sub(r"[0-9a-f]{64}", "ID", text).replace("\n", "\\n")


def configure(node: Node) -> None:
    """Let the kubelet of *node* report the node's own state rarely: it is no part of a scenario."""
    node.config = replace(
        node.config,
        node_status_update_frequency=_LONG,
        node_status_report_frequency=_LONG,
        node_lease_duration_seconds=int(4 * _LONG),
        shutdown_grace_period=30.0,
        shutdown_grace_period_critical_pods=10.0,
    )


def _pod(name: str, given: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default", **given.get("metadata", {})}
    spec = {"nodeName": NODE, **given["spec"]}
    for containers in ("initContainers", "containers"):
        if containers in spec:
            spec[containers] = [{"image": IMAGE, **container} for container in spec[containers]]
    return {"metadata": metadata, "spec": spec}


def _statuses(pod: Pod) -> list[ContainerStatus]:
    status = pod.status
    return [
        *status.init_container_statuses,
        *status.container_statuses,
        *status.ephemeral_container_statuses,
    ]


def _container(status: ContainerStatus) -> str:
    state, notes = status.state, [f"restart {status.restart_count}"]
    if state.running:
        text = "running"
        notes += ["started"] * bool(status.started) + ["ready"] * status.ready
    elif state.terminated:
        ended = state.terminated
        text = f"terminated {ended.reason} {ended.exit_code}"
        notes += [ended.message.strip()] * bool(ended.message)
    else:
        reason = state.waiting.reason if state.waiting else "?"
        text = f"waiting {reason}"
        message = state.waiting.message if state.waiting else ""
        notes += [message] * bool(message)
    return ", ".join([text, *notes])


def _phase(pod: Pod) -> str:
    status = pod.status
    met = [condition.type for condition in status.conditions if condition.status == "True"]
    text = f"{status.phase}: {' '.join(met)}"
    if status.reason or status.message:
        text += f" ({status.reason}: {status.message})"
    return text + ", deleting" * bool(pod.metadata.deletion_timestamp)


def _seconds(text: str) -> float:
    return float(text[:-1]) * _UNITS[text[-1]]
