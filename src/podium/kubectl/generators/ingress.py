"""``kubectl create ingress``."""

from __future__ import annotations

import re
from collections.abc import Sequence

from podium.kubectl.command import Invocation
from podium.kubectl.creating import Map, creates, generator, int_or_text, resource
from podium.kubectl.errors import CommandError
from podium.kubectl.flags import Flag, Kind, Values

_RULE = re.compile(r"[\w*\-.]*/[^,=\n]*=[\w\-]+:[\w\-]+(,tls=?([\w\-]+)?)?\Z", re.ASCII)


def _ingress(invocation: Invocation, _name: str) -> Map:
    values = invocation.values
    _check(values)
    spec: Map = {}
    if values.__getattr__("class"):
        spec["ingressClassName"] = values.__getattr__("class")
    if values.default_backend:
        spec["defaultBackend"] = _backend(values.default_backend)
    tls, rules = _tls(values.rule), _rules(values.rule)
    spec |= {"tls": tls} if tls else {}
    spec |= {"rules": rules} if rules else {}
    annotations = dict(text.split("=", 1) for text in values.annotation)
    metadata = {"annotations": annotations} if annotations else {}
    return {"metadata": metadata, "spec": spec, "status": {"loadBalancer": {}}}


def _check(values: Values) -> None:
    if not values.default_backend and not values.rule:
        raise CommandError(
            "not enough information provided: every ingress has to either specify a "
            "default-backend (which catches all traffic) or a list of rules (which catch specific "
            "paths)"
        )
    for rule in values.rule:
        if not _RULE.match(rule):
            raise CommandError(
                f"rule {rule} is invalid and should be in format host/path=svcname:svcport"
                "[,tls[=secret]]"
            )
    for annotation in values.annotation:
        if "=" not in annotation:
            raise CommandError(
                f"annotation {annotation} is invalid and should be in format key=[value]"
            )
    if values.default_backend and values.default_backend.count(":") != 1:
        raise CommandError("default-backend should be in format servicename:serviceport")


def _tls(rules: Sequence[str]) -> list[Map]:
    """Return which secret serves which hosts; a host counts once."""
    found: list[Map] = []
    seen: set[str] = set()
    for rule in rules:
        _, comma, options = rule.partition(",")
        host, secret = rule.partition("/")[0], options.partition("=")[2]
        if not comma or host in seen:
            continue
        seen.add(host)
        same = next((one for one in found if one.get("secretName", "") == secret), None)
        if same is not None:
            same.setdefault("hosts", []).append(host)
            continue
        entry: Map = {"hosts": [host]} if host else {}
        entry |= {"secretName": secret} if secret else {}
        if entry:
            found.append(entry)
    return found


def _rules(rules: Sequence[str]) -> list[Map]:
    found: dict[str, list[Map]] = {}
    for rule in rules:
        host, _, rest = rule.partition(",")[0].partition("/")
        found.setdefault(host, []).append(_path(rest))
    return [
        {**({"host": host} if host else {}), "http": {"paths": paths}}
        for host, paths in found.items()
    ]


def _path(text: str) -> Map:
    path, _, service = text.partition("=")
    path, kind = f"/{path}", "Exact"
    if path.endswith("*"):
        path, kind = path[:-1], "Prefix"
    return {"path": path, "pathType": kind, "backend": _backend(service)}


def _backend(text: str) -> Map:
    name, _, port = text.partition(":")
    number = int_or_text(port)
    key = "number" if isinstance(number, int) else "name"
    return {"service": {"name": name, "port": {key: number}}}


INGRESS = generator(
    "ingress NAME --rule=host/path=service:port[,tls[=secret]] ",
    "Create an ingress with the specified name",
    creates(resource("networking.k8s.io", "v1", "ingresses", "Ingress"), _ingress,
            "failed to create ingress:"),
    (
        Flag("class", usage="Ingress Class to be used"),
        Flag("rule", [], "Rule in format host/path=service:port[,tls=secretname]. Paths containing "
             "the leading character '*' are considered pathType=Prefix. tls argument is optional.",
             kind=Kind.ARRAY),
        Flag("default-backend", usage="Default service for backend, in format of svcname:port"),
        Flag("annotation", [], "Annotation to insert in the ingress object, in the format "
             "annotation=value", kind=Kind.ARRAY),
    ),
    aliases=("ing",),
)  # fmt: skip
