"""``kubectl port-forward``."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from typing import Any

from podium.kubectl.attachable import (
    attachable_pod,
    checked_timeout,
    named_object,
    selector_of,
    timeout_flag,
)
from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import Discovery, ResourceType
from podium.kubectl.errors import CommandError
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.listening import Forwarded, Listener, addresses
from podium.kubectl.pods import every_container


def run(invocation: Invocation) -> int:
    values, session, words = invocation.values, invocation.session, invocation.words
    if len(words) < 2:
        raise CommandError(
            "TYPE/NAME and list of ports are required for port-forward\n"
            "See 'kubectl port-forward -h' for help and examples"
        )
    timeout = checked_timeout(invocation)
    discovery = Discovery(session.http)
    type_, obj = named_object(invocation, discovery, words[:1])
    pod = attachable_pod(invocation, type_, obj, timeout)
    texts = [_resolved(text, type_, obj, pod) for text in words[1:]]
    phase = (pod.get("status") or {}).get("phase", "")
    if phase != "Running":
        raise CommandError(
            f"unable to forward port because pod is not running. Current status={phase}"
        )
    where = addresses(values.address)
    ports = [Forwarded.parse(text) for text in texts]
    _forward(invocation, _query(type_, obj, pod), pod, Listener(where, ports), timeout)
    return 0


def _forward(
    invocation: Invocation,
    query: tuple[str, str],
    pod: dict[str, Any],
    listener: Listener,
    patience: float,
) -> None:
    import asyncio
    import signal

    from podium.kubectl.forwarding import Source, forward

    with contextlib.suppress(ValueError):  # not the main thread
        # Shells have it ignored by what they start in the background.
        signal.signal(signal.SIGINT, signal.default_int_handler)

    http = invocation.session.http
    path = Discovery(http).find("pods").path(pod["metadata"]["namespace"])
    try:
        asyncio.run(forward(http, Source(path, (query,), patience), pod, listener))
    except KeyboardInterrupt:
        return


def _query(type_: ResourceType, obj: dict[str, Any], pod: dict[str, Any]) -> tuple[str, str]:
    """Return what selects the Pods that could take this one's place."""
    if type_.kind == "Pod":
        return ("fieldSelector", f"metadata.name={pod['metadata']['name']}")
    return ("labelSelector", selector_of(type_, obj, "cannot attach to"))


# -- ports, by number or name


def _resolved(text: str, type_: ResourceType, obj: dict[str, Any], pod: dict[str, Any]) -> str:
    """Return ``LOCAL:REMOTE`` with the number of a port of the Pod. Raises CommandError."""
    parts = text.split(":")
    local, remote = parts if len(parts) == 2 else (parts[0], parts[0])
    if (
        not remote
        and type_.kind != "Service"
        and not any(port.get("protocol") == "UDP" for port in _ports(pod))
    ):
        raise CommandError("remote port cannot be empty")
    if type_.kind == "Service":
        number = _service_port(obj, remote)
        _check_protocol(number, remote, obj["spec"].get("ports") or (), "port")
        local = str(number) if local == remote and not _is_number(remote) else local
        return f"{local}:{_target_port(obj, pod, number)}"
    number = int(remote) if _is_number(remote) else _named_port(pod, remote)
    _check_protocol(number, remote, list(_ports(pod)), "containerPort")
    return str(number) if local == remote else f"{local}:{number}"


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"[-+]?\d+", text, re.ASCII))


def _check_protocol(number: int, shown: str, ports: Sequence[dict[str, Any]], key: str) -> None:
    protocols = {port.get("protocol", "TCP") for port in ports if port.get(key) == number}
    if "UDP" in protocols and "TCP" not in protocols:
        raise CommandError(f"UDP protocol is not supported for {shown}")


def _service_port(service: dict[str, Any], text: str) -> int:
    if _is_number(text):
        return int(text)
    for port in service["spec"].get("ports") or ():
        if port.get("name") == text:
            return int(port["port"])
    name = service["metadata"]["name"]
    raise CommandError(f"Service '{name}' does not have a named port '{text}'")


def _target_port(service: dict[str, Any], pod: dict[str, Any], number: int) -> int:
    """Return the Pod's port behind a Service's. Raises CommandError."""
    name = service["metadata"]["name"]
    for port in service["spec"].get("ports") or ():
        if port["port"] != number:
            continue
        if service["spec"].get("clusterIP") == "None":
            return number
        target = port.get("targetPort", 0)
        if isinstance(target, int):
            return target or number
        return _named_port(pod, target)
    raise CommandError(f"Service {name} does not have a service port {number}")


def _named_port(pod: dict[str, Any], name: str) -> int:
    for port in _ports(pod):
        if name and port.get("name") == name:
            return int(port["containerPort"])
    pod_name = pod["metadata"]["name"]
    raise CommandError(f"Pod '{pod_name}' does not have a named port '{name}'")


def _ports(pod: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for _, container in every_container(pod):
        yield from container.get("ports") or ()


COMMAND = Command(
    usage="kubectl port-forward TYPE/NAME [options] [LOCAL_PORT:]REMOTE_PORT "
    "[...[LOCAL_PORT_N:]REMOTE_PORT_N]",
    short="Forward one or more local ports to a pod",
    long="Listen on ports here and forward what connects to ports of a Pod, given by its name or "
    "chosen by\nthat of a Service, a Deployment or the like. When the Pod is replaced, what "
    "connects from then on\nis forwarded to the one that takes its place.",
    examples="""
# To ports 5000 and 6000 of a Pod, from the same ports here
kubectl port-forward pod/web 5000 6000

# To a Service's port, by its name
kubectl port-forward service/web 8443:https

# From any port that is free
kubectl port-forward deployment/web :5000

# From all addresses of this machine
kubectl port-forward --address 0.0.0.0 pod/web 8888:5000
""",
    run=run,
    flags=(
        Flag("address", ["localhost"], "Addresses to listen on (comma separated). Only accepts IP "
             "addresses or localhost as a value. When localhost is supplied, kubectl will try to "
             "bind on both 127.0.0.1 and ::1 and will fail if neither of these addresses are "
             "available to bind.", kind=Kind.LIST),
        timeout_flag(60.0),
    ),
)  # fmt: skip
