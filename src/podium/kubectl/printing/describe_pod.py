"""``describe pod``, section by section. Pure. Follows ``describePod`` of upstream's kubectl."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from podium.kubectl import selectors
from podium.kubectl.printing import ages, describe
from podium.kubectl.printing.describe import Lines, rfc1123
from podium.kubectl.printing.describe_containers import containers, resources
from podium.kubectl.printing.describe_volumes import volumes

Map = Mapping[str, Any]


def pod(lines: Lines, obj: Map, now: datetime) -> None:
    metadata, spec, status = obj["metadata"], obj["spec"], obj.get("status") or {}
    _head(lines, metadata, spec, status, now)
    for title, listed, reported in (
        ("Init Containers", "initContainers", "initContainerStatuses"),
        ("Containers", "containers", "containerStatuses"),
        ("Ephemeral Containers", "ephemeralContainers", "ephemeralContainerStatuses"),
    ):
        if spec.get(listed):
            containers(lines, title, spec[listed], status.get(reported), pod=obj)
    _conditions(lines, spec, status)
    volumes(lines, spec.get("volumes"))
    lines.add(0, f"QoS Class:\t{status.get('qosClass', '')}")
    placing(lines, spec)


def placing(lines: Lines, spec: Map, indent: str = "") -> None:
    """Write which nodes a Pod, or a template's Pods, may be on."""
    describe.labels(lines, f"{indent}Node-Selectors:", spec.get("nodeSelector"))
    tolerations = _tolerations(spec.get("tolerations") or ())
    describe.many(lines, 0, f"{indent}Tolerations:", tolerations)
    if not indent:
        spread(lines, spec, indent)
    group = spec.get("schedulingGroup")
    if group:
        lines.add(0, f"{indent}SchedulingGroup:")
        lines.add(1, f"PodGroupName:\t{group.get('podGroupName', '')}")


def spread(lines: Lines, spec: Map, indent: str) -> None:
    constraints = spec.get("topologySpreadConstraints") or ()
    for place, one in enumerate(sorted(constraints, key=lambda one: str(one["topologyKey"]))):
        title = f"{indent}Topology Spread Constraints:" if place == 0 else indent
        lines.add(0, f"{title}\t{_spread(one)}")


def _head(lines: Lines, metadata: Map, spec: Map, status: Map, now: datetime) -> None:
    lines.add(0, f"Name:\t{metadata['name']}")
    lines.add(0, f"Namespace:\t{metadata.get('namespace', '')}")
    if "priority" in spec:
        lines.add(0, f"Priority:\t{spec['priority']}")
    lines.field("Priority Class Name", spec.get("priorityClassName"))
    lines.field("Runtime Class Name", spec.get("runtimeClassName"))
    lines.field("Service Account", spec.get("serviceAccountName"))
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
    lines.field("Controlled By", describe.controller(metadata))
    lines.field("NominatedNodeName", status.get("nominatedNodeName"))
    if spec.get("resources") is not None:
        lines.add(0, "Resources:")
        resources(lines, spec["resources"], 1)


def _status(lines: Lines, metadata: Map, status: Map, now: datetime) -> None:
    if metadata.get("deletionTimestamp") and status.get("phase") not in ("Failed", "Succeeded"):
        lasts = ages.since(metadata["deletionTimestamp"], now)
        lines.add(0, f"Status:\tTerminating (lasts {lasts})")
        grace = metadata.get("deletionGracePeriodSeconds")
        lines.add(0, f"Termination Grace Period:\t{grace}s")
    else:
        lines.add(0, f"Status:\t{status.get('phase', '')}")
    lines.field("Reason", status.get("reason"))
    lines.field("Message", status.get("message"))


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
            text += " op=Exists" if text else "op=Exists"
        if one.get("tolerationSeconds") is not None:
            text += f" for {one['tolerationSeconds']}s"
        texts.append(text)
    return texts


def _spread(constraint: Map) -> str:
    text = f"{constraint['topologyKey']}:{constraint['whenUnsatisfiable']} when max skew "
    text += f"{constraint['maxSkew']} is exceeded"
    if constraint.get("labelSelector") is None:
        return text
    return f"{text} for selector {selectors.as_text(constraint['labelSelector']) or '<none>'}"
