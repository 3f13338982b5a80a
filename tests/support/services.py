"""Services and the Pods behind them, in few words."""

from __future__ import annotations

from typing import Any

import msgspec

from podium.api.types.core_v1 import Node, Pod, Service

WEB = {"app": "web"}


def service(
    *ports: int | dict[str, Any],
    name: str = "web",
    labels: dict[str, str] | None = None,
    **spec: Any,
) -> Service:
    """A Service of the Pods labelled ``app: web``, as the API server keeps it."""
    listed = [{"port": p, "targetPort": p} if isinstance(p, int) else p for p in ports]
    document = {
        "metadata": {
            "name": name,
            "namespace": "default",
            "uid": f"uid-{name}",
            "labels": labels or {},
            "creationTimestamp": "2025-01-13T07:30:00Z",
        },
        "spec": {
            "type": "ClusterIP",
            "clusterIP": "10.96.0.10",
            "ipFamilies": ["IPv4"],
            "selector": WEB,
            "ports": [{"protocol": "TCP", **port} for port in listed],
            **spec,
        },
    }
    return msgspec.convert(document, Service)


def backend(
    name: str,
    ip: str = "",
    *,
    ready: bool = True,
    terminating: bool = False,
    phase: str = "Running",
    ports: dict[str, int] | None = None,
    node: str = "node",
    labels: dict[str, str] | None = None,
    ready_since: str = "2025-01-13T07:30:10Z",
    **spec: Any,
) -> Pod:
    """A Pod labelled ``app: web``; *ports* are the numbers of its named ports."""
    condition = {
        "type": "Ready",
        "status": "True" if ready else "False",
        "lastTransitionTime": ready_since,
    }
    declared = [
        {"name": key, "containerPort": number, "protocol": "TCP"}
        for key, number in (ports or {}).items()
    ]
    metadata = {"name": name, "namespace": "default", "uid": f"uid-{name}", "labels": labels or WEB}
    if terminating:
        metadata["deletionTimestamp"] = "2025-01-13T07:31:00Z"
    document = {
        "metadata": metadata,
        "spec": {
            "nodeName": node,
            "containers": [{"name": "c", "image": "i", "ports": declared}],
            **spec,
        },
        "status": {
            "phase": phase,
            "podIP": ip,
            "podIPs": [{"ip": ip}] if ip else [],
            "conditions": [condition],
        },
    }
    return msgspec.convert(document, Pod)


def node(name: str = "node", zone: str = "") -> Node:
    labels = {"topology.kubernetes.io/zone": zone} if zone else {}
    return msgspec.convert({"metadata": {"name": name, "labels": labels}}, Node)
