"""``describe`` of Services, what is behind them and what leads to them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from podium.kubectl.printing import describe
from podium.kubectl.printing.describe import Lines

Map = Mapping[str, Any]

#: Services by their names, each with its EndpointSlices, or why they cannot be seen.
Services = Mapping[str, tuple[Map, Sequence[Map]] | str]

_SHOWN_ENDPOINTS = 3


def service(lines: Lines, obj: Map, _now: datetime, slices: Sequence[Map]) -> None:
    """Write a Service; *slices* are its EndpointSlices."""
    spec, status = obj["spec"], obj.get("status") or {}
    describe.head(lines, obj["metadata"])
    lines.add(0, f"Selector:\t{describe.inline(spec.get('selector'))}")
    lines.add(0, f"Type:\t{spec.get('type', '')}")
    lines.field("IP Family Policy", spec.get("ipFamilyPolicy"))
    lines.add(0, f"IP Families:\t{','.join(spec.get('ipFamilies') or ()) or '<none>'}")
    lines.add(0, f"IP:\t{spec.get('clusterIP', '')}")
    lines.add(0, f"IPs:\t{','.join(spec.get('clusterIPs') or ()) or '<none>'}")
    lines.field("External IPs", ",".join(spec.get("externalIPs") or ()))
    lines.field("Desired LoadBalancer IP", spec.get("loadBalancerIP"))
    lines.field("External Name", spec.get("externalName"))
    ingress = (status.get("loadBalancer") or {}).get("ingress")
    if ingress:
        lines.add(0, f"LoadBalancer Ingress:\t{', '.join(map(_ingress, ingress))}")
    for port in spec.get("ports") or ():
        _port(lines, port, slices)
    lines.add(0, f"Session Affinity:\t{spec.get('sessionAffinity', '')}")
    lines.field("External Traffic Policy", spec.get("externalTrafficPolicy"))
    lines.field("Internal Traffic Policy", spec.get("internalTrafficPolicy"))
    lines.field("HealthCheck NodePort", spec.get("healthCheckNodePort") or None)
    lines.field("LoadBalancer Source Ranges", ",".join(spec.get("loadBalancerSourceRanges") or ()))
    lines.field("Traffic Distribution", spec.get("trafficDistribution"))


def _port(lines: Lines, port: Map, slices: Sequence[Map]) -> None:
    name, protocol = port.get("name") or "<unset>", port.get("protocol", "TCP")
    lines.add(0, f"Port:\t{name}\t{port['port']}/{protocol}")
    lines.add(0, f"TargetPort:\t{port.get('targetPort', 0)}/{protocol}")
    lines.field("AppProtocol", port.get("appProtocol"))
    if port.get("nodePort"):
        lines.add(0, f"NodePort:\t{name}\t{port['nodePort']}/{protocol}")
    lines.add(0, f"Endpoints:\t{_behind(slices, port.get('name', ''))}")


def _ingress(one: Map) -> str:
    if not one.get("ip"):
        return str(one.get("hostname", ""))
    return f"{one['ip']} ({one['ipMode']})" if one.get("ipMode") else str(one["ip"])


def _behind(slices: Sequence[Map], name: str) -> str:
    """Return the first addresses behind a port, and how many more there are."""
    if not slices:
        return "<none>"
    found: list[str] = []
    cut = False
    for one in slices:
        ports: Sequence[Map] = one.get("ports") or ({},)
        for port in ports:
            if port and port.get("name", "") != name:
                continue
            for endpoint in one.get("endpoints") or ():
                cut = cut or len(found) >= _SHOWN_ENDPOINTS
                if (endpoint.get("conditions") or {}).get("ready") is False:
                    continue
                address = str(endpoint["addresses"][0])
                host = f"[{address}]" if ":" in address else address
                found.append(f"{host}:{port['port']}" if port else address)
    shown = ",".join(found[:_SHOWN_ENDPOINTS])
    return f"{shown} + {len(found) - _SHOWN_ENDPOINTS} more..." if cut else shown


def endpoints(lines: Lines, obj: Map, _now: datetime) -> None:
    describe.head(lines, obj["metadata"])
    lines.add(0, "Subsets:")
    for subset in obj.get("subsets") or ():
        for title, key in (("Addresses", "addresses"), ("NotReadyAddresses", "notReadyAddresses")):
            addresses = ",".join(one["ip"] for one in subset.get(key) or ())
            lines.add(1, f"{title}:\t{addresses or '<none>'}")
        if subset.get("ports"):
            lines.add(1, "Ports:")
            lines.table(2, "Name\tPort\tProtocol", map(_endpoint_port, subset["ports"]))
        lines.add(0)


def endpoint_slice(lines: Lines, obj: Map, _now: datetime) -> None:
    describe.head(lines, obj["metadata"])
    lines.add(0, f"AddressType:\t{obj.get('addressType', '')}")
    if obj.get("ports"):
        lines.add(0, "Ports:")
        lines.table(1, "Name\tPort\tProtocol", map(_endpoint_port, obj["ports"]))
    else:
        lines.add(0, "Ports: <unset>")
    if not obj.get("endpoints"):
        lines.add(0, "Endpoints: <none>")
        return
    lines.add(0, "Endpoints:")
    for one in obj["endpoints"]:
        lines.add(1, f"- Addresses:\t{', '.join(one.get('addresses') or ()) or '<none>'}")
        ready = (one.get("conditions") or {}).get("ready")
        lines.add(2, "Conditions:")
        lines.add(3, f"Ready:\t{'<unset>' if ready is None else str(ready).lower()}")
        lines.add(2, f"Hostname:\t{one.get('hostname', '<unset>')}")
        target = one.get("targetRef")
        if target:
            lines.add(2, f"TargetRef:\t{target.get('kind', '')}/{target.get('name', '')}")
        lines.add(2, f"NodeName:\t{one.get('nodeName', '<unset>')}")
        lines.add(2, f"Zone:\t{one.get('zone', '<unset>')}")


def _endpoint_port(port: Map) -> str:
    name = port.get("name") or "<unset>"
    return f"{name}\t{port.get('port', '<unset>')}\t{port.get('protocol', 'TCP')}"


def ingress(lines: Lines, obj: Map, _now: datetime, services: Services) -> None:
    """Write an Ingress; *services* are those that it names."""
    metadata, spec = obj["metadata"], obj.get("spec") or {}

    def behind(backend: Map) -> str:
        return _backend(backend, services)

    lines.add(0, f"Name:\t{metadata['name']}")
    describe.labels(lines, "Labels:", metadata.get("labels"))
    lines.add(0, f"Namespace:\t{metadata.get('namespace', '')}")
    balancer = (obj.get("status") or {}).get("loadBalancer") or {}
    listed = balancer.get("ingress") or ()
    addresses = {one.get("ip") or one.get("hostname") or "" for one in listed}
    lines.add(0, f"Address:\t{','.join(sorted(addresses - {''}))}")
    lines.add(0, f"Ingress Class:\t{spec.get('ingressClassName', '<none>')}")
    default = behind(spec["defaultBackend"]) if spec.get("defaultBackend") else "<default>"
    lines.add(0, f"Default backend:\t{default}")
    if spec.get("tls"):
        lines.add(0, "TLS:")
    for one in spec.get("tls") or ():
        hosts = ",".join(one.get("hosts") or ())
        name = one.get("secretName")
        lines.add(1, f"{name} terminates {hosts}" if name else f"SNI routes {hosts}")
    lines.add(0, "Rules:")
    lines.table(1, "Host\tPath\tBackends", ())
    rules = [rule for rule in spec.get("rules") or () if rule.get("http") is not None]
    for rule in rules:
        lines.add(1, f"{rule.get('host') or '*'}\t")
        for path in rule["http"].get("paths") or ():
            lines.add(2, f"\t{path.get('path', '')} \t{behind(path['backend'])}")
    if not rules:
        lines.add(1, f"*\t*\t{default}")
    describe.notes(lines, metadata.get("annotations"))


def _backend(backend: Map, services: Services) -> str:
    wanted = backend.get("service")
    if not wanted:
        other = backend.get("resource") or {}
        return (
            f"APIGroup: {other.get('apiGroup', '<none>')}, Kind: {other.get('kind', '')}, "
            f"Name: {other.get('name', '')}"
        )
    name, port = wanted["name"], wanted.get("port") or {}
    title = f"{name}:{port.get('number') or port.get('name', '')}"
    found = services[name]
    if isinstance(found, str):
        return f"{title} (<error: {found}>)"
    service, slices = found
    called = ""
    for one in service["spec"].get("ports") or ():
        if port.get("number") == one["port"] or (port.get("name") and
                                                 port["name"] == one.get("name")):  # fmt: skip
            called = one.get("name", "")
    return f"{title} ({_behind(slices, called)})"


def ingress_class(lines: Lines, obj: Map, _now: datetime) -> None:
    spec = obj.get("spec") or {}
    describe.head(lines, obj["metadata"], namespaced=False)
    lines.add(0, f"Controller:\t{spec.get('controller', '')}")
    parameters = spec.get("parameters")
    if parameters:
        lines.add(0, "Parameters:")
        lines.field("APIGroup", parameters.get("apiGroup"), 1)
        lines.add(1, f"Kind:\t{parameters.get('kind', '')}")
        lines.add(1, f"Name:\t{parameters.get('name', '')}")


def service_cidr(lines: Lines, obj: Map, _now: datetime) -> None:
    describe.head(lines, obj["metadata"], namespaced=False)
    lines.add(0, f"CIDRs:\t{', '.join((obj.get('spec') or {}).get('cidrs') or ())}")
    conditions = (obj.get("status") or {}).get("conditions")
    if conditions:
        lines.add(0, "Status:")
    describe.conditions(
        lines, conditions, "Type", "Status", "LastTransitionTime", "Reason", "Message"
    )


def ip_address(lines: Lines, obj: Map, _now: datetime) -> None:
    describe.head(lines, obj["metadata"], namespaced=False)
    parent = (obj.get("spec") or {}).get("parentRef")
    if parent is not None:
        lines.add(0, "Parent Reference:")
        for title in ("Group", "Resource", "Namespace", "Name"):
            lines.add(1, f"{title}:\t{parent.get(title.lower(), '')}")
