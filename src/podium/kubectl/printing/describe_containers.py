"""The containers of a Pod, or of a Pod's template, in a description. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from podium.kubectl.printing.describe import Lines, rfc1123
from podium.kubectl.printing.describe_environment import environment

Map = Mapping[str, Any]


def containers(
    lines: Lines,
    title: str,
    listed: Sequence[Map],
    statuses: Sequence[Map] | None = None,
    *,
    pod: Map | None = None,
) -> None:
    """Write *listed* containers; without *pod* they are a template's."""
    template = pod is None
    none = "" if listed else " <none>"
    lines.add(1 if template else 0, f"{title}:{none}")
    reported = {one["name"]: one for one in statuses or ()}
    for container in listed:
        lines.add(1, f"{' ' * template}{container['name']}:")
        _container(lines, container, reported.get(container["name"]))
        environment(lines, pod, container)
        _mounts(lines, container)


def _container(lines: Lines, container: Map, status: Map | None) -> None:
    if status is not None:
        lines.add(2, f"Container ID:\t{status.get('containerID', '')}")
    lines.add(2, f"Image:\t{container.get('image', '')}")
    if status is not None:
        lines.add(2, f"Image ID:\t{status.get('imageID', '')}")
    _ports(lines, container.get("ports") or ())
    seccomp = (container.get("securityContext") or {}).get("seccompProfile")
    if seccomp:
        lines.add(2, f"SeccompProfile:\t{seccomp['type']}")
        if seccomp["type"] == "Localhost":
            lines.add(3, f"LocalhostProfile:\t{seccomp.get('localhostProfile', '')}")
    for title, key in (("Command", "command"), ("Args", "args")):
        if container.get(key):
            lines.add(2, f"{title}:")
            for word in container[key]:
                for line in word.split("\n"):
                    lines.add(3, line)
    if status is not None:
        _state(lines, "State", status.get("state") or {})
        if (status.get("lastState") or {}).get("terminated"):
            _state(lines, "Last State", status["lastState"])
        lines.add(2, f"Ready:\t{status.get('ready', False)}")
        lines.add(2, f"Restart Count:\t{status.get('restartCount', 0)}")
    resources(lines, container.get("resources") or {}, 2)
    for title, key in (("Liveness", "livenessProbe"), ("Readiness", "readinessProbe"),
                       ("Startup", "startupProbe")):  # fmt: skip
        if container.get(key):
            lines.add(2, f"{title}:\t{_probe(container[key])}")


def _ports(lines: Lines, ports: Sequence[Map]) -> None:
    plural = "s" if len(ports) > 1 else ""
    for title, key in (("Port", "containerPort"), ("Host Port", "hostPort")):
        shown = ", ".join(_port(port, key) for port in ports)
        lines.add(2, f"{title}{plural}:\t{shown or '<none>'}")


def _port(port: Map, key: str) -> str:
    text = f"{port.get(key, 0)}/{port.get('protocol', 'TCP')}"
    return f"{text} ({port['name']})" if port.get("name") else text


def _mounts(lines: Lines, container: Map) -> None:
    mounts = sorted(container.get("volumeMounts") or (), key=lambda one: str(one["mountPath"]))
    lines.add(2, "Mounts:" if mounts else "Mounts:\t<none>")
    for one in mounts:
        lines.add(3, f"{one['mountPath']} from {one['name']} ({_mount_flags(one)})")
    devices = container.get("volumeDevices") or ()
    if devices:
        lines.add(2, "Devices:" if mounts else "Devices:\t<none>")
        for one in sorted(devices, key=lambda one: str(one["devicePath"])):
            lines.add(3, f"{one['devicePath']} from {one['name']}")


def _state(lines: Lines, title: str, state: Map) -> None:
    if "running" in state:
        lines.add(2, f"{title}:\tRunning")
        lines.add(3, f"Started:\t{rfc1123((state['running'] or {}).get('startedAt'))}")
    elif "terminated" in state:
        ended = state["terminated"]
        lines.add(2, f"{title}:\tTerminated")
        if ended.get("reason"):
            lines.add(3, f"Reason:\t{ended['reason']}")
        if ended.get("message"):
            lines.add(3, f"Message:\t{ended['message']}")
        lines.add(3, f"Exit Code:\t{ended.get('exitCode', 0)}")
        if ended.get("signal"):
            lines.add(3, f"Signal:\t{ended['signal']}")
        lines.add(3, f"Started:\t{rfc1123(ended.get('startedAt'))}")
        lines.add(3, f"Finished:\t{rfc1123(ended.get('finishedAt'))}")
    else:
        lines.add(2, f"{title}:\tWaiting")
        reason = (state.get("waiting") or {}).get("reason")
        if reason:
            lines.add(3, f"Reason:\t{reason}")


def resources(lines: Lines, found: Map, level: int) -> None:
    for title, key in (("Limits", "limits"), ("Requests", "requests")):
        if found.get(key):
            lines.add(level, f"{title}:")
            for name, amount in sorted(found[key].items()):
                lines.add(level + 1, f"{name}:\t{amount}")


def _probe(probe: Map) -> str:
    timing = (
        f"delay={probe.get('initialDelaySeconds', 0)}s timeout={probe.get('timeoutSeconds', 0)}s "
        f"period={probe.get('periodSeconds', 0)}s "
        f"successThreshold={probe.get('successThreshold', 0)} "
        f"failureThreshold={probe.get('failureThreshold', 0)}"
    )
    if probe.get("exec") is not None:
        return f"exec [{' '.join(probe['exec'].get('command') or ())}] {timing}"
    if probe.get("httpGet") is not None:
        get = probe["httpGet"]
        port = get.get("port", 0)
        where = f"{get.get('host', '')}:{port}" if port != "" else get.get("host", "")
        path = get.get("path", "")
        path = path if path.startswith("/") else f"/{path}"
        return f"http-get {get.get('scheme', 'HTTP').lower()}://{where}{path} {timing}"
    if probe.get("tcpSocket") is not None:
        socket = probe["tcpSocket"]
        return f"tcp-socket {socket.get('host', '')}:{socket.get('port', 0)} {timing}"
    if probe.get("grpc") is not None:
        grpc = probe["grpc"]
        return f"grpc <pod>:{grpc.get('port', 0)} {grpc.get('service', '')} {timing}"
    return f"unknown {timing}"


def _mount_flags(mount: Map) -> str:
    flags = ["ro" if mount.get("readOnly") else "rw"]
    if mount.get("subPath"):
        flags.append(f"path={json.dumps(mount['subPath'], ensure_ascii=False)}")
    return ",".join(flags)
