"""Lifecycle hooks: exec, httpGet and sleep, and the message of one that failed.

Texts follow ``pkg/kubelet/lifecycle/handlers.go``. As there, what an HTTP hook is answered does not
matter, and tcpSocket is taken by validation only: it fails when its time comes.
"""

from __future__ import annotations

import contextlib

from msgspec.structs import replace

from podium.api.go_text import quote
from podium.api.types.core_v1 import (
    Container,
    ExecAction,
    HTTPGetAction,
    LifecycleHandler,
    Pod,
    TCPSocketAction,
)
from podium.domain.pods.identity import pod_full_name
from podium.kubelet.probing import http
from podium.kubelet.probing.dial import BadPort, join_host_port
from podium.kubelet.probing.handlers import Target
from podium.kubelet.probing.http_answer import BodyFailure
from podium.kubelet.services import NodeServices
from podium.runtime.port import RuntimeFailure, RuntimeService

HOOK_AGENT = "kube-lifecycle/1.37"


class HookFailed(Exception):
    """A hook did not succeed; the text is the event's."""


class HookTimeout(Exception):
    """A hook was not done within its time."""


async def run_hook(
    node: NodeServices, pod: Pod, target: Target, hook: LifecycleHandler, timeout: float = 0.0
) -> None:
    """Run a hook to its end, for at most *timeout* seconds (0: as long as it takes).

    Raises HookFailed, HookTimeout.
    """
    if hook.exec is not None:
        await _exec(node.runtime, pod, target, hook.exec, timeout)
    elif hook.http_get is not None:
        await _http(node, pod, target, hook.http_get, timeout)
    elif hook.sleep is not None:
        seconds = float(hook.sleep.seconds)
        await node.clock.sleep(min(seconds, timeout) if timeout else seconds)
        if timeout and seconds > timeout:
            raise HookTimeout
    elif hook.tcp_socket is not None:
        raise HookFailed(f"Cannot run handler: invalid handler: {_shown(hook.tcp_socket)}")


async def _exec(
    runtime: RuntimeService, pod: Pod, target: Target, action: ExecAction, timeout: float
) -> None:
    said, command = "", " ".join(action.command)
    try:
        answer = await runtime.exec_sync(target.container_id, action.command, timeout)
    except RuntimeFailure as exc:
        if exc.code == "DeadlineExceeded":
            raise HookTimeout from None
        error = exc.rpc_error
    else:
        if answer.exit_code == 0:
            return
        stdout, stderr = (part.decode(errors="replace") for part in (answer.stdout, answer.stderr))
        said = stdout + stderr
        error = f"command '{command}' exited with {answer.exit_code}: {stderr}"
    about = _about("Exec", f"[{command}]", target.container, pod)
    raise HookFailed(f"{about} failed - error: {error}, message: {quote(said)}")


async def _http(
    node: NodeServices, pod: Pod, target: Target, action: HTTPGetAction, timeout: float
) -> None:
    about = _about("HTTP", action.path, target.container, pod)
    try:
        made = http.request(action, target.container, target.pod_ip, HOOK_AGENT)
        try:
            await _ask(made, timeout)
        except http.SpeaksNoTls:
            if not await _answers_plainly(target, action, timeout):
                raise
            text = f"request to HTTPS lifecycle hook {join_host_port(made.host, made.port)}"
            text += " got HTTP response, retry with HTTP succeeded"
            node.events.event(pod, "Warning", "LifecycleHTTPFallback", text)
    except (http.HttpFailure, BadPort) as exc:
        raise HookFailed(f"{about} failed - error: {exc}") from None


async def _ask(made: http.Request, timeout: float) -> None:
    """Raises HttpFailure."""
    with contextlib.suppress(BodyFailure):  # it was answered
        await http.get(made, timeout or None)


async def _answers_plainly(target: Target, action: HTTPGetAction, timeout: float) -> bool:
    """Ask without TLS, as every hook was before 1.26: some name HTTPS and do not speak it."""
    headers = [h for h in action.http_headers if h.name.lower() != "authorization"]
    plain = replace(action, scheme="HTTP", http_headers=headers)
    try:
        await _ask(http.request(plain, target.container, target.pod_ip, HOOK_AGENT), timeout)
    except http.HttpFailure:
        return False
    return True


def _about(kind: str, what: str, container: Container, pod: Pod) -> str:
    return (
        f"{kind} lifecycle hook ({what}) for Container {quote(container.name)} "
        f"in Pod {quote(pod_full_name(pod))}"
    )


def _shown(action: TCPSocketAction) -> str:
    """The handler as Go prints it."""
    port = f"{{1 0 {action.port}}}" if isinstance(action.port, str) else f"{{0 {action.port} }}"
    socket = f"&TCPSocketAction{{Port:{port},Host:{action.host},}}"
    return f"&LifecycleHandler{{Exec:nil,HTTPGet:nil,TCPSocket:{socket},Sleep:nil,}}"
