"""``kubectl autoscale``: a HorizontalPodAutoscaler for what can be scaled."""

from __future__ import annotations

import re
from typing import Any

from podium.api import quantity
from podium.kubectl.choosing import Chosen, choose
from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import ResourceType
from podium.kubectl.errors import CommandError, StatusError
from podium.kubectl.files import FILE_FLAGS
from podium.kubectl.flags import Flag, Kind, Values
from podium.kubectl.last_applied import annotated
from podium.kubectl.recording import RECORD_FLAG, recorded
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
_SCALERS = ResourceType(
    "autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", True
)
_SCALED = frozenset(("deployments", "replicasets", "replicationcontrollers", "statefulsets"))
_UNITS = {"cpu": "m", "memory": "Mi"}


def run(invocation: Invocation) -> int:
    values, session = invocation.values, invocation.session
    metrics = _metrics(values)
    check_output(values)
    query = write_query(values, validates=False)

    def autoscale(one: Chosen) -> None:
        one.read(session)
        if one.type.plural not in _SCALED:
            raise CommandError(
                f"cannot autoscale a {one.type.kind}: could not find scale subresource for "
                f"{one.type.group}/{one.type.version}, Resource={one.type.plural} in discovery "
                "information"
            )
        obj = recorded(invocation, _scaler(invocation, one, metrics))
        did = "created"
        if dry_run(values) != "client":
            obj = annotated(obj, typed=True) if values.save_config else obj
            try:
                obj = session.send("POST", _SCALERS.path(session.namespace), query, obj)
            except StatusError as error:
                if values.memory or not metrics:
                    why = error if metrics else "empty input"
                    raise CommandError(
                        "failed to create autoscaling/v2 HPA and the configuration is "
                        f"incompatible with autoscaling/v1: {why}"
                    ) from error
                raise
            did = "autoscaled"
            obj["status"] = {"desiredReplicas": 0, "currentMetrics": None, **obj.get("status", {})}
        printed(invocation, _SCALERS, obj, did, typed=True)

    return each(choose(invocation, invocation.words, latest=False), autoscale)


def _scaler(invocation: Invocation, one: Chosen, metrics: list[Map]) -> Map:
    values, session = invocation.values, invocation.session
    metadata = {"name": values.name or one.name}
    if session.enforces_namespace:
        metadata["namespace"] = session.namespace
    target = {"kind": one.type.kind, "name": one.name, "apiVersion": one.type.group_version}
    spec: Map = {"scaleTargetRef": target}
    spec |= {"minReplicas": values.min} if values.min > 0 else {}
    spec["maxReplicas"] = values.max
    spec |= {"metrics": metrics} if metrics else {}
    return {"kind": _SCALERS.kind, "apiVersion": "autoscaling/v2", "metadata": metadata,
            "spec": spec, "status": {"desiredReplicas": 0, "currentMetrics": None}}  # fmt: skip


def _metrics(values: Values) -> list[Map]:
    """Return what is measured. Raises CommandError for flags that cannot be."""
    if values.max < 1:
        raise CommandError(f"--max=MAXPODS is required and must be at least 1, max: {values.max}")
    if values.max < values.min:
        raise CommandError(
            "--max=MAXPODS must be larger or equal to --min=MINPODS, max: "
            f"{values.max}, min: {values.min}"
        )
    if values.cpu_percent > 0 and values.cpu:
        raise CommandError("--cpu-percent and --cpu are mutually exclusive")
    found = []
    if values.cpu_percent > 0:
        found.append(_metric("cpu", f"{values.cpu_percent}%"))
    found += [_metric("cpu", values.cpu)] if values.cpu else []
    found += [_metric("memory", values.memory)] if values.memory else []
    return found


def _metric(name: str, text: str) -> Map:
    text = text.strip()
    if text.endswith("%"):
        percent = text[:-1]
        if not re.fullmatch(r"\+?\d+", percent, re.ASCII) or int(percent) >= 1 << 31:
            raise CommandError(f"invalid percentage value: {percent}")
        target: Map = {"type": "Utilization", "averageUtilization": int(percent)}
    else:
        plain = re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)", text, re.ASCII)
        try:
            amount = quantity.parse(f"{text}{_UNITS[name]}" if plain else text)
        except ValueError as exc:
            raise CommandError(f"invalid resource {name} value: {text}") from exc
        target = {"type": "AverageValue", "averageValue": str(amount)}
    return {"type": "Resource", "resource": {"name": name, "target": target}}


COMMAND = Command(
    usage="kubectl autoscale (-f FILENAME | TYPE NAME | TYPE/NAME) [--min=MINPODS] --max=MAXPODS "
    "[--cpu=CPU] [--memory=MEMORY] [options]",
    short="Auto-scale a deployment, replica set, stateful set, or replication controller",
    examples="kubectl autoscale deployment web --min=2 --max=10 --cpu=70%",
    run=run,
    flags=(
        *FILE_FLAGS, DRY_RUN_FLAG, *OUTPUT_FLAGS, MANAGED_FIELDS_FLAG, SAVE_CONFIG_FLAG,
        RECORD_FLAG, manager_flag("kubectl-autoscale"),
        Flag("cpu", usage="Target CPU utilization over all the pods: a percentage of what is "
             "requested (70%), or a quantity (500m)."),
        Flag("cpu-percent", -1, kind=Kind.INT32, hidden=True,
             deprecated="Use --cpu with percentage or resource quantity format (e.g., '70%' for "
             "utilization or '500m' for milliCPU)."),
        Flag("max", -1, "The upper limit for the number of pods that can be set by the autoscaler. "
             "Required.", kind=Kind.INT32, required=True),
        Flag("memory", usage="Target memory utilization over all the pods: a percentage of what is "
             "requested (60%), or a quantity (200Mi)."),
        Flag("min", -1, "The lower limit for the number of pods that can be set by the autoscaler. "
             "If it's not specified or negative, the server will apply a default value.",
             kind=Kind.INT32),
        Flag("name", usage="The name for the newly created object. If not specified, the name of "
             "the input resource will be used."),
    ),
)  # fmt: skip
