"""``kubectl expose``: a Service for what runs Pods."""

from __future__ import annotations

import re
from typing import Any

from podium.kubectl.choosing import Chosen, choose
from podium.kubectl.command import Command, Invocation
from podium.kubectl.creating import int_or_text
from podium.kubectl.discovery import ResourceType
from podium.kubectl.errors import CommandError
from podium.kubectl.files import FILE_FLAGS
from podium.kubectl.flags import Flag, Values
from podium.kubectl.last_applied import annotated
from podium.kubectl.overriding import WAY_FLAG, overridden
from podium.kubectl.recording import RECORD_FLAG, recorded
from podium.kubectl.selectors import labels_of
from podium.kubectl.updating import type_of
from podium.kubectl.writing import (
    DRY_RUN_FLAG,
    MANAGED_FIELDS_FLAG,
    OUTPUT_FLAGS,
    SAVE_CONFIG_FLAG,
    check_output,
    dry_run,
    each,
    manager_flag,
    printed,
    write_query,
)

Map = dict[str, Any]
_SERVICES = ResourceType("", "v1", "services", "Service", True)
_EXPOSED = frozenset(
    ("ReplicationController", "Service", "Pod", "Deployment.apps", "ReplicaSet.apps")
)
_NAME_MAX = 63


def run(invocation: Invocation) -> int:
    values, session = invocation.values, invocation.session
    check_output(values)
    query = write_query(values, validates=False)

    def expose(one: Chosen) -> None:
        obj = one.read(session)
        kind = f"{one.type.kind}.{one.type.group}" if one.type.group else one.type.kind
        if kind not in _EXPOSED:
            raise CommandError(f"cannot expose a {kind}")
        service, type_ = _service(values, one, obj), _SERVICES
        if values.overrides:
            service = overridden(service, values.overrides, values.override_type)
            type_ = type_of(service)
        if session.enforces_namespace:
            service["metadata"]["namespace"] = session.namespace
        service = recorded(invocation, service)
        if values.save_config:
            service = annotated(service, typed=True)
        if dry_run(values) != "client":
            service = session.send("POST", type_.path(session.namespace), query, service)
        printed(invocation, type_, service, "exposed", typed=True)

    return each(
        choose(invocation, invocation.words, selects=False, latest=False, typed=True), expose
    )


def _service(values: Values, one: Chosen, obj: Map) -> Map:
    """Return the Service for an object by the command's flags. Raises CommandError."""
    selector = labels_of(values.selector) if values.selector else _selector(one.type.kind, obj)
    known = _ports(one.type.kind, obj)
    numbers = values.port.split(",") if values.port else list(known)
    if not numbers and values.cluster_ip != "None":
        raise CommandError("couldn't find port via --port flag or introspection")
    ports: list[Map] = []
    for index, text in enumerate(numbers):
        number = _number(text)
        port: Map = {"name": f"port-{index + 1}"} if len(numbers) > 1 else {}
        port["protocol"] = values.protocol or known.get(text, "TCP")
        port["port"] = number
        port["targetPort"] = int_or_text(values.target_port) if values.target_port else number
        ports.append(port)
    if values.session_affinity not in ("", "None", "ClientIP"):
        raise CommandError(f"unknown session affinity: {values.session_affinity}")
    labels = labels_of(values.labels) if values.labels else obj["metadata"].get("labels")
    metadata: Map = {"name": values.name or one.name[:_NAME_MAX]}
    metadata |= {"labels": labels} if labels else {}
    spec: Map = {"ports": ports} if ports else {}
    spec["selector"] = selector
    for field, value in (
        ("clusterIP", values.cluster_ip),
        ("type", values.type),
        ("externalIPs", [values.external_ip] if values.external_ip else None),
        ("sessionAffinity", values.session_affinity),
        ("loadBalancerIP", values.load_balancer_ip if values.type == "LoadBalancer" else ""),
    ):
        spec |= {field: value} if value else {}
    return {"kind": "Service", "apiVersion": "v1", "metadata": metadata, "spec": spec,
            "status": {"loadBalancer": {}}}  # fmt: skip


def _selector(kind: str, obj: Map) -> dict[str, str]:
    """Return which Pods an object's are. Raises CommandError."""
    if kind == "Pod":
        found = obj["metadata"].get("labels")
        problem = "the pod has no labels and cannot be exposed"
    elif kind == "Service":
        found, problem = obj["spec"].get("selector"), "the service has no pod selector set"
    elif kind == "ReplicationController":
        found, problem = obj["spec"].get("selector"), ""
    else:
        selector = obj["spec"].get("selector") or {}
        found, problem = selector.get("matchLabels"), "invalid deployment: no selectors"
        if selector.get("matchExpressions"):
            shown = " ".join(
                f"{{Key:{one['key']} Operator:{one['operator']} "
                f"Values:[{' '.join(one.get('values') or ())}]}}"
                for one in selector["matchExpressions"]
            )
            found, problem = None, (
                f'couldn\'t convert expressions - "[{shown}]" to map-based selector format'
            )  # fmt: skip
    if not found:
        raise CommandError(
            f"couldn't retrieve selectors via --selector flag or introspection: {problem}"
        )
    labels: dict[str, str] = found
    return labels


def _ports(kind: str, obj: Map) -> dict[str, str]:
    """Return the ports of an object, with their protocols."""
    if kind == "Service":
        ports = [(one["port"], one) for one in obj["spec"].get("ports") or ()]
    else:
        spec = obj["spec"] if kind == "Pod" else obj["spec"]["template"]["spec"]
        ports = [
            (one["containerPort"], one)
            for container in spec["containers"]
            for one in container.get("ports") or ()
        ]
    return {str(number): one.get("protocol") or "TCP" for number, one in ports}


def _number(text: str) -> int:
    if not re.fullmatch(r"[-+]?\d+", text, re.ASCII):
        raise CommandError(f'strconv.Atoi: parsing "{text}": invalid syntax')
    if not -(1 << 63) <= int(text) < 1 << 63:
        raise CommandError(f'strconv.Atoi: parsing "{text}": value out of range')
    return int(text)


COMMAND = Command(
    usage="kubectl expose (-f FILENAME | TYPE NAME) [--port=port] [--protocol=TCP|UDP|SCTP] "
    "[--target-port=number-or-name] [--name=name] [--external-ip=external-ip-of-service] "
    "[--type=type] [options]",
    short="Take a replication controller, service, deployment or pod and expose it as a new "
    "Kubernetes service",
    long="Make a Service for the Pods of a Deployment, ReplicaSet or ReplicationController, for a "
    "Pod, or for those of another Service.",
    examples="kubectl expose deployment/web --port=80 --target-port=8080",
    run=run,
    flags=(
        *FILE_FLAGS, DRY_RUN_FLAG, *OUTPUT_FLAGS, MANAGED_FIELDS_FLAG, SAVE_CONFIG_FLAG,
        RECORD_FLAG, manager_flag("kubectl-expose"),
        Flag("cluster-ip", usage="ClusterIP to be assigned to the service. Leave empty to "
             "auto-allocate, or set to 'None' to create a headless service."),
        Flag("external-ip", usage="Additional external IP address (not managed by Kubernetes) to "
             "accept for the service."),
        Flag("labels", usage="Labels to apply to the service created by this call.", short="l"),
        Flag("load-balancer-ip", usage="IP to assign to the LoadBalancer."),
        Flag("name", usage="The name for the newly created object."),
        WAY_FLAG,
        Flag("overrides", usage="An inline JSON override for the generated object."),
        Flag("port", usage="The port that the service should serve on. Copied from the resource "
             "being exposed, if unspecified"),
        Flag("protocol", usage="The network protocol for the service to be created. Default is "
             "'TCP'."),
        Flag("selector", usage="A label selector to use for this service. Only equality-based "
             "selector requirements are supported."),
        Flag("session-affinity", usage="If non-empty, set the session affinity for the service to "
             "this; legal values: 'None', 'ClientIP'"),
        Flag("target-port", usage="Name or number for the port on the container that the service "
             "should direct traffic to. Optional."),
        Flag("type", usage="Type for this service: ClusterIP, NodePort, LoadBalancer, or "
             "ExternalName. Default is 'ClusterIP'."),
    ),
)  # fmt: skip
