"""``describe`` of what Pods use and are bound by: configuration, accounts, limits. Pure."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from podium.api import quantity
from podium.kubectl.printing import describe
from podium.kubectl.printing.describe import Lines

Map = Mapping[str, Any]

_LIMITS = "Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio"
_LIMIT_KEYS = ("min", "max", "defaultRequest", "default", "maxLimitRequestRatio")
_SCOPES = {
    "Terminating": "Matches all pods that have an active deadline. These pods have a limited "
    "lifespan on a node before being actively terminated by the system.",
    "NotTerminating": "Matches all pods that do not have an active deadline. These pods usually "
    "include long running pods whose container command is not expected to terminate.",
    "BestEffort": "Matches all pods that do not have resource requirements set. These pods have a "
    "best effort quality of service.",
    "NotBestEffort": "Matches all pods that have at least one resource requirement set. These "
    "pods have a burstable or guaranteed quality of service.",
}


def config_map(lines: Lines, obj: Map, _now: datetime) -> None:
    describe.head(lines, obj["metadata"])
    lines.add(0, "\nData\n====")
    for key, value in sorted((obj.get("data") or {}).items()):
        lines.add(0, f"{key}:\n----\n{value}\n")
    lines.add(0, "\nBinaryData\n====")
    for key, value in sorted((obj.get("binaryData") or {}).items()):
        lines.add(0, f"{key}: {len(base64.b64decode(value))} bytes")
    lines.add(0)


def secret(lines: Lines, obj: Map, _now: datetime) -> None:
    """Write a Secret: how long its data are, not what they say; but tokens of accounts."""
    describe.head(lines, obj["metadata"])
    kind = obj.get("type", "")
    lines.add(0, f"\nType:\t{kind}")
    lines.add(0, "\nData\n====")
    for key, value in sorted((obj.get("data") or {}).items()):
        data = base64.b64decode(value or "")
        if key == "token" and kind == "kubernetes.io/service-account-token":
            lines.add(0, f"{key}:\t{data.decode(errors='replace')}")
        else:
            lines.add(0, f"{key}:\t{len(data)} bytes")


def service_account(lines: Lines, obj: Map, _now: datetime) -> None:
    describe.head(lines, obj["metadata"])
    title = "Image pull secrets:"
    for name in [one["name"] for one in obj.get("imagePullSecrets") or ()] or ["<none>"]:
        lines.add(0, f"{title}\t{name}")
        title = " " * len(title)


def namespace(
    lines: Lines,
    obj: Map,
    _now: datetime,
    quotas: Sequence[Map] | None,
    limits: Sequence[Map] | None,
) -> None:
    """Write a Namespace with what it is bound by; None where the server has no such kind."""
    describe.head(lines, obj["metadata"], namespaced=False)
    status = obj.get("status") or {}
    lines.add(0, f"Status:\t{status.get('phase', '')}")
    describe.conditions(
        lines, status.get("conditions"), "Type", "Status", "LastTransitionTime", "Reason", "Message"
    )
    if quotas is not None:
        lines.add(0)
        _quotas(lines, quotas)
    if limits is not None:
        lines.add(0)
        if not limits:
            lines.add(0, "No LimitRange resource.")
            return
        lines.add(0, "Resource Limits")
        _limits(lines, " ", [item for one in limits for item in one["spec"].get("limits") or ()])


def _quotas(lines: Lines, quotas: Sequence[Map]) -> None:
    if not quotas:
        lines.add(0, "No resource quota.")
        return
    lines.add(0, "Resource Quotas")
    for quota in sorted(quotas, key=lambda one: str(one["metadata"]["name"])):
        lines.add(1, f"Name:\t{quota['metadata']['name']}")
        _scopes(lines, quota, 1, "* ")
        lines.add(1, "Resource\tUsed\tHard")
        lines.add(1, "--------\t---\t---")
        status = quota.get("status") or {}
        for name, hard in sorted((status.get("hard") or {}).items()):
            lines.add(1, f"{name}\t{(status.get('used') or {}).get(name, '0')}\t{hard}")


def resource_quota(lines: Lines, obj: Map, _now: datetime) -> None:
    lines.add(0, f"Name:\t{obj['metadata']['name']}")
    lines.add(0, f"Namespace:\t{obj['metadata'].get('namespace', '')}")
    _scopes(lines, obj, 0, " * ")
    rows = (f"{name}\t{used}\t{hard}" for name, used, hard in _amounts(obj))
    lines.table(0, "Resource\tUsed\tHard", rows)


def _scopes(lines: Lines, quota: Map, level: int, bullet: str) -> None:
    scopes = sorted((quota.get("spec") or {}).get("scopes") or ())
    if scopes:
        lines.add(level, f"Scopes:\t{', '.join(scopes)}")
    for scope in scopes:
        if scope in _SCOPES:
            lines.add(level, f"{bullet}{_SCOPES[scope]}")


def _amounts(quota: Map) -> Iterator[tuple[str, str, str]]:
    """Yield what a quota bounds: name, used, hard; both amounts in the same notation."""
    status = quota.get("status") or {}
    used_of = status.get("used") or {}
    for name, text in sorted((status.get("hard") or {}).items()):
        hard, used = quantity.parse(text), quantity.parse(used_of.get(name, "0"))
        if hard.format != used.format:
            used = quantity.Amount(used.scaled(0), 0, hard.format)
        yield name, str(used), str(hard)


def limit_range(lines: Lines, obj: Map, _now: datetime) -> None:
    lines.add(0, f"Name:\t{obj['metadata']['name']}")
    lines.add(0, f"Namespace:\t{obj['metadata'].get('namespace', '')}")
    _limits(lines, "", obj["spec"].get("limits") or ())


def _limits(lines: Lines, indent: str, limits: Sequence[Map]) -> None:
    lines.add(0, f"{indent}{_LIMITS}")
    lines.add(0, indent + "\t".join("-" * len(title) for title in _LIMITS.split("\t")))
    for item in limits:
        for name in sorted({name for key in _LIMIT_KEYS for name in item.get(key) or ()}):
            cells = [str((item.get(key) or {}).get(name, "-")) for key in _LIMIT_KEYS]
            lines.add(0, "\t".join([f"{indent}{item['type']}", name, *cells]))
