"""``kubectl create service clusterip|nodeport|loadbalancer|externalname``."""

from __future__ import annotations

import re

from podium.api import names
from podium.kubectl.command import Command, Invocation
from podium.kubectl.creating import Map, creates, dry_run_usage, generator, required, resource
from podium.kubectl.errors import CommandError
from podium.kubectl.flags import Flag, Kind, Values

_TCP = Flag("tcp", [], "Port pairs can be specified as '<port>:<targetPort>'.", kind=Kind.LIST)


def _service(kind: str, values: Values, name: str) -> Map:
    address = values.clusterip if kind == "ClusterIP" else ""
    external = values.external_name if kind == "ExternalName" else ""
    if address != "None" and not values.tcp and kind != "ExternalName":
        raise CommandError("at least one tcp port specifier must be provided")
    if kind == "ExternalName" and names.dns1123_subdomain(external):
        raise CommandError(f"invalid service external name {external}")
    node_port = values.node_port if kind == "NodePort" else 0
    spec: Map = {"ports": [port(text, node_port) for text in values.tcp]}
    spec |= {"selector": {"app": name}, "type": kind}
    spec |= {"clusterIP": address} if address else {}
    spec |= {"externalName": external} if external else {}
    if not spec["ports"]:
        del spec["ports"]
    labels = {"labels": {"app": name}}
    return {"metadata": labels, "spec": spec, "status": {"loadBalancer": {}}}


def port(text: str, node_port: int = 0) -> Map:
    """Return the port of a Service that ``80`` or ``80:http`` says. Raises CommandError."""
    parts = text.split(":")
    number = _number(parts[0])
    target: int | str = number
    if len(parts) > 1:
        target = parts[1]
        if re.fullmatch(r"[-+]?\d+", target, re.ASCII):
            target = int(target)
            problems = names.port_number(target)
        else:
            problems = names.port_name(target)
        if problems:
            raise CommandError(",".join(problems))
    found: Map = {"name": text.replace(":", "-"), "protocol": "TCP", "port": number,
                  "targetPort": target}  # fmt: skip
    return {**found, "nodePort": node_port} if node_port else found


def _number(text: str) -> int:
    problem = ""
    if not re.fullmatch(r"\d+", text, re.ASCII):
        problem = "invalid syntax"
    elif int(text) > 65535:
        problem = "value out of range"
    if problem:
        raise CommandError(f'strconv.ParseUint: parsing "{text}": {problem}')
    return int(text)


def _command(kind: str, usage: str, *flags: Flag) -> Command:
    name = kind.lower()

    def build(invocation: Invocation, name: str) -> Map:
        return _service(kind, invocation.values, name)

    article = "an" if kind == "ExternalName" else "a"
    return generator(
        dry_run_usage(f"service {name} NAME {usage}"),
        f"Create {article} {kind} service",
        creates(resource("", "v1", "services", "Service"), build,
                f"failed to create {kind} service:"),
        (_TCP, *flags),
    )  # fmt: skip


SERVICE = Command(
    usage="kubectl create service [flags] [options]",
    short="Create a service using a specified subcommand",
    aliases=("svc",),
    children={
        "clusterip": _command(
            "ClusterIP", "[--tcp=<port>:<targetPort>]",
            Flag("clusterip", usage="Assign your own ClusterIP or set to 'None' for a 'headless' "
                 "service (no loadbalancing)."),
        ),
        "externalname": _command(
            "ExternalName", "--external-name external.name",
            required("external-name", "External name of service"),
        ),
        "loadbalancer": _command("LoadBalancer", "[--tcp=port:targetPort]"),
        "nodeport": _command(
            "NodePort", "[--tcp=port:targetPort]",
            Flag("node-port", 0, "Port used to expose the service on each node in a cluster.",
                 kind=Kind.INT),
        ),
    },
)  # fmt: skip
