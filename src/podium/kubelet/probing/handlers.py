"""One probe of a container: exec, httpGet, tcpSocket or grpc, and what came of it."""

from __future__ import annotations

import asyncio

import msgspec

from podium.api.go_text import quote
from podium.api.types.core_v1 import Container, ExecAction, Probe, TCPSocketAction
from podium.domain.pods.probes import Outcome, Result
from podium.kubelet.probing import http
from podium.kubelet.probing.dial import (
    BadPort,
    DialFailure,
    container_port,
    dial,
    join_host_port,
)
from podium.runtime.port import RuntimeFailure, RuntimeService

PROBE_AGENT = "kube-probe/1.37"
#: Bytes of a command's output that an event shows.
MAX_OUTPUT = 10 * 1024


class Target(msgspec.Struct, frozen=True):
    """The run of a container that is probed. ``pod_ip`` is "" on the host's network without one."""

    container: Container
    container_id: str
    pod_ip: str


async def make_probe(runtime: RuntimeService, target: Target, probe: Probe) -> Outcome:
    """Probe once. Network timeouts are those of the real clock, a command's the runtime's."""
    timeout = float(max(probe.timeout_seconds, 1))
    try:
        if probe.exec is not None:
            return await _exec(runtime, target, probe.exec, timeout)
        if probe.http_get is not None:
            made = http.request(probe.http_get, target.container, target.pod_ip, PROBE_AGENT)
            return await _http(made, timeout)
        if probe.tcp_socket is not None:
            return await _tcp(target, probe.tcp_socket, timeout)
        if probe.grpc is not None:
            from podium.kubelet.probing import grpc  # costs 25 ms and is rarely asked for

            service = probe.grpc.service or ""
            return await grpc.check(target.pod_ip, probe.grpc.port, service, timeout, PROBE_AGENT)
    except BadPort as exc:
        return Outcome(Result.UNKNOWN, str(exc))
    return Outcome(Result.UNKNOWN, f"missing probe handler for {target.container.name}")


async def _exec(
    runtime: RuntimeService, target: Target, action: ExecAction, timeout: float
) -> Outcome:
    try:
        answer = await runtime.exec_sync(target.container_id, action.command, timeout)
    except RuntimeFailure as exc:
        if exc.code == "DeadlineExceeded":
            command = quote(" ".join(action.command))
            return Outcome(Result.FAILURE, f"command {command} timed out")
        return Outcome(Result.UNKNOWN, exc.rpc_error)
    said = (answer.stdout + answer.stderr)[:MAX_OUTPUT].decode(errors="replace")
    return Outcome(Result.FAILURE if answer.exit_code else Result.SUCCESS, said)


async def _http(made: http.Request, timeout: float) -> Outcome:
    try:
        response = await http.get(made, timeout)
    except http.HttpFailure as exc:
        return Outcome(Result.FAILURE, str(exc))
    except http.BodyFailure as exc:
        return Outcome(Result.UNKNOWN, str(exc))
    if 200 <= response.status < 300:
        return Outcome(Result.SUCCESS, response.text)
    if 300 <= response.status < 400:
        text = f"Probe terminated redirects, Response body: {response.text}"
        return Outcome(Result.WARNING, text)
    return Outcome(Result.FAILURE, f"HTTP probe failed with statuscode: {response.status}")


async def _tcp(target: Target, action: TCPSocketAction, timeout: float) -> Outcome:
    host, port = action.host or target.pod_ip, container_port(action.port, target.container)
    try:
        async with asyncio.timeout(timeout):
            _, writer = await dial(host, port)
    except DialFailure as exc:
        return Outcome(Result.FAILURE, str(exc))
    except TimeoutError:
        address = join_host_port(host, port)
        return Outcome(Result.FAILURE, f"dial tcp {address}: i/o timeout")
    writer.close()
    return Outcome(Result.SUCCESS)
