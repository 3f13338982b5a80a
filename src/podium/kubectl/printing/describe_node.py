"""``describe node``. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from podium.api import quantity
from podium.api.quantity import Amount
from podium.kubectl.printing import ages, describe, pod_resources
from podium.kubectl.printing.describe import Lines, rfc1123

Map = Mapping[str, Any]

_ROLE = "node-role.kubernetes.io/"
_INFO = (
    ("Machine ID", "machineID"),
    ("System UUID", "systemUUID"),
    ("Boot ID", "bootID"),
    ("Kernel Version", "kernelVersion"),
    ("OS Image", "osImage"),
    ("Operating System", "operatingSystem"),
    ("Architecture", "architecture"),
    ("Container Runtime Version", "containerRuntimeVersion"),
    ("Kubelet Version", "kubeletVersion"),
)
#: Resources that have a row of their own among the allocated ones, or none.
_STANDARD = frozenset({"cpu", "memory", "ephemeral-storage", "pods"})
_ZERO = Amount(0)


def node(
    lines: Lines,
    obj: Map,
    now: datetime,
    pods: Sequence[Map] | None,
    lease: Map | str,
    slices: Sequence[Map],
) -> None:
    """Write a Node.

    *pods* are those on it that have not ended, None where one may not see them; *lease* is its
    Lease, or why there is none; *slices* are the ResourceSlices of the node.
    """
    metadata, spec, status = obj["metadata"], obj.get("spec") or {}, obj.get("status") or {}
    lines.add(0, f"Name:\t{metadata['name']}")
    lines.add(0, f"Roles:\t{','.join(_roles(metadata.get('labels') or {})) or '<none>'}")
    describe.labels(lines, "Labels:", metadata.get("labels"))
    describe.notes(lines, metadata.get("annotations"))
    lines.add(0, f"CreationTimestamp:\t{rfc1123(metadata.get('creationTimestamp'))}")
    describe.many(lines, 0, "Taints:", sorted(map(_taint, spec.get("taints") or ()), key=_effect))
    lines.add(0, f"Unschedulable:\t{str(spec.get('unschedulable', False)).lower()}")
    _lease(lines, lease)
    describe.conditions(
        lines, status.get("conditions"), "Type", "Status", "LastHeartbeatTime",
        "LastTransitionTime", "Reason", "Message", blanks=5,
    )  # fmt: skip
    lines.add(0, "Addresses:")
    for address in status.get("addresses") or ():
        lines.add(1, f"{address['type']}:\t{address['address']}")
    for title, key in (("Capacity", "capacity"), ("Allocatable", "allocatable")):
        if status.get(key):
            lines.add(0, f"{title}:")
        for name, amount in sorted((status.get(key) or {}).items()):
            lines.add(1, f"{name}:\t{amount}")
    _slices(lines, slices)
    lines.add(0, "System Info:")
    info = status.get("nodeInfo") or {}
    for title, key in _INFO:
        lines.add(1, f"{title}:\t{info.get(key, '')}")
    lines.field("PodCIDR", spec.get("podCIDR"))
    lines.field("PodCIDRs", ",".join(spec.get("podCIDRs") or ()))
    lines.field("ProviderID", spec.get("providerID"))
    if pods is None:
        lines.add(0, "Pods:\tnot authorized")
    else:
        _pods(lines, pods, status, now)


def _roles(labels: Map) -> list[str]:
    found = {key.removeprefix(_ROLE) for key in labels if key.startswith(_ROLE)}
    return sorted((found | {labels.get("kubernetes.io/role", "")}) - {""})


def _taint(taint: Map) -> str:
    text = str(taint["key"])
    text += f"={taint['value']}" if taint.get("value") else ""
    return f"{text}:{taint['effect']}" if taint.get("effect") else text


def _effect(text: str) -> tuple[str, str]:
    key, _, effect = text.rpartition(":")
    return effect, key.partition("=")[0]


def _lease(lines: Lines, lease: Map | str) -> None:
    if isinstance(lease, str):
        lines.add(0, f"Lease:\tFailed to get lease: {lease}")
        return
    spec = lease.get("spec") or {}
    lines.add(0, "Lease:")
    lines.add(1, f"HolderIdentity:\t{spec.get('holderIdentity', '<unset>')}")
    for title, key in (("AcquireTime", "acquireTime"), ("RenewTime", "renewTime")):
        lines.add(1, f"{title}:\t{rfc1123(spec[key]) if spec.get(key) else '<unset>'}")


def _slices(lines: Lines, slices: Sequence[Map]) -> None:
    if not slices:
        return
    pools: dict[tuple[str, str], list[int]] = {}
    for one in slices:
        spec = one["spec"]
        counts = pools.setdefault((spec["driver"], (spec.get("pool") or {}).get("name", "")), [])
        counts.append(len(spec.get("devices") or ()))
    lines.add(0, "Node-Local ResourceSlices:")
    rows = [
        f"{driver}\t{pool}\t{len(counts)}\t{sum(counts)}"
        for (driver, pool), counts in sorted(pools.items(), key=lambda item: "/".join(item[0]))
    ]
    rest = [f"...and {len(rows) - 10} more pools"] if len(rows) > 10 else []
    lines.table(1, "Driver\tPool\tSlices\tDevices", rows[:10] + rest)


def _pods(lines: Lines, pods: Sequence[Map], status: Map, now: datetime) -> None:
    has = {
        name: quantity.parse(text)
        for name, text in (status.get("allocatable") or status.get("capacity") or {}).items()
    }
    lines.add(0, f"Non-terminated Pods:\t({len(pods)} in total)")
    lines.add(1, "Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge")
    lines.add(1, "---------\t----\t\t------------\t----------\t---------------\t-------------\t---")
    for pod in pods:
        asks, most = pod_resources.total(pod, "requests"), pod_resources.total(pod, "limits")
        cells = [
            _share(amounts.get(name, _ZERO), has.get(name, _ZERO))
            for name in ("cpu", "memory")
            for amounts in (asks, most)
        ]
        metadata = pod["metadata"]
        age = ages.since(metadata.get("creationTimestamp"), now)
        row = [metadata.get("namespace", ""), metadata["name"], "", *cells, age]
        lines.add(1, "\t".join(row))
    lines.add(0, "Allocated resources:")
    lines.add(1, "(Total limits may be over 100 percent, i.e., overcommitted.)")
    asks, most = pod_resources.sum_of(pods, "requests"), pod_resources.sum_of(pods, "limits")
    huge = sorted(name for name in has if name.startswith("hugepages-"))
    rows = []
    for name in ("cpu", "memory", "ephemeral-storage", *huge):
        cells = [_share(amounts.get(name, _ZERO), has.get(name, _ZERO)) for amounts in (asks, most)]
        rows.append("\t".join([name, *cells]))
    rows += [
        f"{name}\t{asks.get(name, _ZERO)}\t{most.get(name, _ZERO)}"
        for name in sorted(set(has) - _STANDARD - set(huge))
    ]
    lines.table(1, "Resource\tRequests\tLimits", rows)


def _share(amount: Amount, whole: Amount) -> str:
    """Return an amount and how much of *whole* it is."""
    percent = int(amount.milli() / whole.milli() * 100) if whole else 0
    return f"{amount} ({percent}%)"
