"""``describe pod``, section by section. Pure. Follows ``describePod`` of upstream's kubectl."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from podium.kubectl.printing import ages, describe
from podium.kubectl.printing.describe import Lines, rfc1123
from podium.kubectl.printing.describe_environment import environment
from podium.kubectl.printing.describe_volumes import volumes

Map = Mapping[str, Any]


def pod(obj: Map, events: Sequence[Map], now: datetime) -> str:
    """Return the description of a Pod."""
    lines = Lines()
    metadata, spec, status = obj["metadata"], obj["spec"], obj.get("status") or {}
    _head(lines, metadata, spec, status, now)
    _containers(lines, "Init Containers", obj, "initContainers", "initContainer")
    _containers(lines, "Containers", obj, "containers", "container")
    _containers(lines, "Ephemeral Containers", obj, "ephemeralContainers", "ephemeralContainer")
    _conditions(lines, spec, status)
    volumes(lines, spec.get("volumes"))
    lines.add(0, f"QoS Class:\t{status.get('qosClass', '')}")
    describe.labels(lines, "Node-Selectors:", spec.get("nodeSelector"))
    describe.many(lines, 0, "Tolerations:", _tolerations(spec.get("tolerations") or ()))
    if spec.get("topologySpreadConstraints"):
        spread = [_spread(one) for one in spec["topologySpreadConstraints"]]
        describe.many(lines, 0, "Topology Spread Constraints:", sorted(spread))
    describe.events(lines, events, now)
    return lines.aligned()


def _head(lines: Lines, metadata: Map, spec: Map, status: Map, now: datetime) -> None:
    lines.add(0, f"Name:\t{metadata['name']}")
    lines.add(0, f"Namespace:\t{metadata.get('namespace', '')}")
    if "priority" in spec:
        lines.add(0, f"Priority:\t{spec['priority']}")
    for title, key in (
        ("Priority Class Name", "priorityClassName"),
        ("Runtime Class Name", "runtimeClassName"),
        ("Service Account", "serviceAccountName"),
    ):
        if spec.get(key):
            lines.add(0, f"{title}:\t{spec[key]}")
    node = spec.get("nodeName", "")
    lines.add(0, f"Node:\t{node}/{status.get('hostIP', '')}" if node else "Node:\t<none>")
    if status.get("startTime"):
        lines.add(0, f"Start Time:\t{rfc1123(status['startTime'])}")
    describe.labels(lines, "Labels:", metadata.get("labels"))
    describe.notes(lines, metadata.get("annotations"))
    _status(lines, metadata, status, now)
    seccomp = (spec.get("securityContext") or {}).get("seccompProfile")
    if seccomp:
        lines.add(0, f"SeccompProfile:\t{seccomp['type']}")
        if seccomp["type"] == "Localhost":
            lines.add(0, f"LocalhostProfile:\t{seccomp.get('localhostProfile', '')}")
    lines.add(0, f"IP:\t{status.get('podIP', '')}")
    if status.get("podIPs"):
        lines.add(0, "IPs:")
        for address in status["podIPs"]:
            lines.add(1, f"IP:\t{address['ip']}")
    else:
        lines.add(0, "IPs:\t<none>")
    for owner in metadata.get("ownerReferences") or ():
        if owner.get("controller"):
            lines.add(0, f"Controlled By:\t{owner['kind']}/{owner['name']}")
    if status.get("nominatedNodeName"):
        lines.add(0, f"NominatedNodeName:\t{status['nominatedNodeName']}")
    if spec.get("resources"):
        lines.add(0, "Resources:")
        _resources(lines, spec["resources"], 1)


def _status(lines: Lines, metadata: Map, status: Map, now: datetime) -> None:
    if metadata.get("deletionTimestamp") and status.get("phase") not in ("Failed", "Succeeded"):
        lasts = ages.since(metadata["deletionTimestamp"], now)
        lines.add(0, f"Status:\tTerminating (lasts {lasts})")
        grace = metadata.get("deletionGracePeriodSeconds")
        lines.add(0, f"Termination Grace Period:\t{grace}s")
    else:
        lines.add(0, f"Status:\t{status.get('phase', '')}")
    for title in ("reason", "message"):
        if status.get(title):
            lines.add(0, f"{title.capitalize()}:\t{status[title]}")


def _containers(lines: Lines, title: str, obj: Map, listed: str, kind: str) -> None:
    containers = obj["spec"].get(listed)
    if not containers:
        return
    lines.add(0, f"{title}:")
    reported = (obj.get("status") or {}).get(f"{kind}Statuses") or ()
    statuses = {one["name"]: one for one in reported}
    for container in containers:
        _container(lines, obj, container, statuses.get(container["name"]))


def _container(lines: Lines, obj: Map, container: Map, status: Map | None) -> None:
    lines.add(1, f"{container['name']}:")
    lines.add(2, f"Container ID:\t{(status or {}).get('containerID', '')}")
    lines.add(2, f"Image:\t{container.get('image', '')}")
    lines.add(2, f"Image ID:\t{(status or {}).get('imageID', '')}")
    ports = container.get("ports") or ()
    plural = "s" if len(ports) > 1 else ""
    lines.add(2, f"Port{plural}:\t{', '.join(map(_port, ports)) or '<none>'}")
    hosts = ", ".join(_port({**port, "containerPort": port.get("hostPort", 0)}) for port in ports)
    lines.add(2, f"Host Port{plural}:\t{hosts or '<none>'}")
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
    _resources(lines, container.get("resources") or {}, 2)
    for title, key in (("Liveness", "livenessProbe"), ("Readiness", "readinessProbe"),
                       ("Startup", "startupProbe")):  # fmt: skip
        if container.get(key):
            lines.add(2, f"{title}:\t{_probe(container[key])}")
    environment(lines, obj, container)
    mounts = [
        f"{one['mountPath']} from {one['name']} ({_mount_flags(one)})"
        for one in container.get("volumeMounts") or ()
    ]
    lines.add(2, "Mounts:" if mounts else "Mounts:\t<none>")
    for mount in sorted(mounts):
        lines.add(3, mount)
    devices = [
        f"{one['devicePath']} from {one['name']}" for one in container.get("volumeDevices") or ()
    ]
    if devices:
        lines.add(2, "Devices:")
        for device in sorted(devices):
            lines.add(3, device)


def _port(port: Map) -> str:
    text = f"{port['containerPort']}/{port.get('protocol', 'TCP')}"
    return f"{text} ({port['name']})" if port.get("name") else text


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


def _resources(lines: Lines, resources: Map, level: int) -> None:
    for title, key in (("Limits", "limits"), ("Requests", "requests")):
        if resources.get(key):
            lines.add(level, f"{title}:")
            for name, amount in sorted(resources[key].items()):
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
        where = f"{get.get('host', '')}:{port}" if port not in ("", 0) else get.get("host", "")
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
        flags.append(f'path="{mount["subPath"]}"')
    return ",".join(flags)


def _conditions(lines: Lines, spec: Map, status: Map) -> None:
    gates = spec.get("readinessGates") or ()
    found = {one["type"]: one["status"] for one in status.get("conditions") or ()}
    if gates:
        lines.add(0, "Readiness Gates:\n  Type\tStatus")
        for gate in gates:
            lines.add(1, f"{gate['conditionType']} \t{found.get(gate['conditionType'], '<none>')} ")
    if found:
        lines.add(0, "Conditions:\n  Type\tStatus")
        for condition in status["conditions"]:
            lines.add(1, f"{condition['type']} \t{condition['status']} ")


def _tolerations(listed: Sequence[Map]) -> list[str]:
    texts = []
    for one in sorted(listed, key=lambda toleration: str(toleration.get("key", ""))):
        text = str(one.get("key", ""))
        if one.get("value"):
            text += f"={one['value']}"
        if one.get("effect"):
            text += f":{one['effect']}"
        if one.get("operator") == "Exists" and not one.get("value"):
            text += " op=Exists" if text or one.get("effect") else "op=Exists"
        if one.get("tolerationSeconds") is not None:
            text += f" for {one['tolerationSeconds']}s"
        texts.append(text)
    return texts


def _spread(constraint: Map) -> str:
    selector = (constraint.get("labelSelector") or {}).get("matchLabels") or {}
    shown = ",".join(f"{key}={value}" for key, value in sorted(selector.items()))
    text = f"{constraint['topologyKey']}:{constraint['whenUnsatisfiable']} when max skew "
    text += f"{constraint['maxSkew']} is exceeded"
    return f"{text} for selector {shown}" if shown else text
