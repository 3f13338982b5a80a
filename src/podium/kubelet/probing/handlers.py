"""One probe of a container: exec, httpGet, tcpSocket or grpc, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import msgspec

from podium.api.go_text import quote
from podium.api.types.core_v1 import Container, ExecAction, Probe
from podium.domain.pods.probes import Outcome, Result
from podium.kubelet.probing import http
from podium.kubelet.probing.dial import (
    BadPort,
    Connection,
    DialFailure,
    Late,
    container_port,
    join_host_port,
    moment_in,
)
from podium.kubelet.probing.http_answer import BodyFailure
from podium.runtime.port import RuntimeFailure, RuntimeService

PROBE_AGENT = "kube-probe/1.37"
#: Bytes of a command's output that an event shows.
MAX_OUTPUT = 10 * 1024


class Target(msgspec.Struct, frozen=True):
    """The run of a container that is probed. ``pod_ip`` is "" on the host's network without one."""

    container: Container
    container_id: str
    pod_ip: str


#: Probes once. Network timeouts are those of the real clock, a command's the runtime's.
Attempt = Callable[[], Coroutine[Any, Any, Outcome]]


def attempt(runtime: RuntimeService, target: Target, probe: Probe) -> Attempt:
    """What probes *target* as often as it is called; what is the same each time is done here."""
    timeout = float(max(probe.timeout_seconds, 1))
    try:
        if probe.exec is not None:
            return partial(_exec, runtime, target, probe.exec, timeout)
        if probe.http_get is not None:
            made = http.request(probe.http_get, target.container, target.pod_ip, PROBE_AGENT)
            return partial(_http, made, timeout)
        if probe.tcp_socket is not None:
            port = container_port(probe.tcp_socket.port, target.container)
            return partial(_tcp, probe.tcp_socket.host or target.pod_ip, port, timeout)
        if probe.grpc is not None:
            from podium.kubelet.probing import grpc  # costs some ms and is rarely asked for

            port = probe.grpc.port
            asked = grpc.request(target.pod_ip, port, probe.grpc.service or "", PROBE_AGENT)
            return partial(grpc.check, target.pod_ip, port, asked, timeout)
    except BadPort as exc:
        return partial(_always, Outcome(Result.UNKNOWN, str(exc)))
    except http.HttpFailure as exc:
        return partial(_always, Outcome(Result.FAILURE, str(exc)))
    text = f"missing probe handler for {target.container.name}"
    return partial(_always, Outcome(Result.UNKNOWN, text))


async def _always(outcome: Outcome) -> Outcome:
    return outcome


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
    except BodyFailure as exc:
        return Outcome(Result.UNKNOWN, str(exc))
    if 200 <= response.status < 300:
        return Outcome(Result.SUCCESS, response.text)
    if 300 <= response.status < 400:
        text = f"Probe terminated redirects, Response body: {response.text}"
        return Outcome(Result.WARNING, text)
    return Outcome(Result.FAILURE, f"HTTP probe failed with statuscode: {response.status}")


async def _tcp(host: str, port: int, timeout: float) -> Outcome:
    try:
        with Connection(moment_in(timeout)) as connection:
            await connection.dial(host, port)
    except DialFailure as exc:
        return Outcome(Result.FAILURE, str(exc))
    except Late:
        address = join_host_port(host, port)
        return Outcome(Result.FAILURE, f"dial tcp {address}: i/o timeout")
    return Outcome(Result.SUCCESS)
