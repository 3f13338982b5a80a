"""The environment of a container in its Pod's description. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from podium.kubectl.printing.describe import Lines

Map = Mapping[str, Any]


def environment(lines: Lines, pod: Map | None, container: Map) -> None:
    """Write a container's variables; what comes from *pod* is known where there is one."""
    sources = container.get("envFrom") or ()
    if sources:
        lines.add(2, "Environment Variables from:")
    for source in sources:
        kind = "ConfigMap" if source.get("configMapRef") else "Secret"
        reference = source.get("configMapRef") or source.get("secretRef") or {}
        prefix = f" with prefix '{source['prefix']}'" if source.get("prefix") else ""
        optional = _optional(reference)
        lines.add(3, f"{reference.get('name', '')}\t{kind}{prefix}\tOptional: {optional}")
    variables = container.get("env") or ()
    lines.add(2, "Environment:" if variables else "Environment:\t<none>")
    for variable in variables:
        lines.add(3, f"{variable['name']}:\t{_value(pod, container, variable)}")


def _value(pod: Map | None, container: Map, variable: Map) -> str:
    source = variable.get("valueFrom")
    if not source:
        return str(variable.get("value", "")).replace("\n", "\n      \t")
    if source.get("fieldRef"):
        reference = source["fieldRef"]
        path = reference["fieldPath"]
        value = _field(pod, path) if pod else ""
        return f"{value} ({reference.get('apiVersion', 'v1')}:{path})"
    if source.get("resourceFieldRef"):
        reference = source["resourceFieldRef"]
        amount, name = _resource(container, reference), reference["resource"]
        if amount == "0" and name in ("limits.cpu", "limits.memory"):
            amount = "node allocatable"
        return f"{amount} ({name})"
    secret = source.get("secretKeyRef")
    reference = secret or source.get("configMapKeyRef") or {}
    where = "in secret" if secret else "of config map"
    name, entry = reference.get("name", ""), reference.get("key", "")
    return f"<set to the key '{entry}' {where} '{name}'>\tOptional: {_optional(reference)}"


def _field(pod: Map, path: str) -> str:
    """What a variable gets, where upstream's kubectl says it, too: names, not labels."""
    metadata = pod["metadata"]
    if path in ("metadata.name", "metadata.namespace", "metadata.uid"):
        return str(metadata.get(path.partition(".")[2], ""))
    return ""


def _resource(container: Map, reference: Map) -> str:
    """The amount in units of the divisor, rounded up; 0 where the container states none."""
    from podium.api import quantity

    kind, _, name = reference["resource"].partition(".")
    amount = ((container.get("resources") or {}).get(kind) or {}).get(name)
    if amount is None:
        return "0"
    divisor = quantity.parse(reference.get("divisor") or "1")
    unit = quantity.parse("1") if divisor == quantity.parse("0") else divisor
    return str(-(-quantity.parse(amount).scaled(-9) // unit.scaled(-9)))


def _optional(reference: Map) -> str:
    return str(bool(reference.get("optional"))).lower()
