"""How far a rollout is, and when it is done. Pure."""

from __future__ import annotations

from typing import Any

from podium.kubectl.errors import CommandError

Map = dict[str, Any]
REVISION = "deployment.kubernetes.io/revision"


def progress(kind: str, obj: Map, revision: int = 0) -> tuple[str, bool]:
    """Return what to say of a rollout, and whether it is over. Raises CommandError."""
    if kind == "Deployment":
        return _deployment(obj, revision)
    if kind == "DaemonSet":
        return _daemon_set(obj)
    if kind == "StatefulSet":
        return _stateful_set(obj)
    group = str(obj.get("apiVersion", "")).rpartition("/")[0]
    what = f"{kind}.{group}".removesuffix(".")
    raise CommandError(f"no status viewer has been implemented for {what}")


def revision_of(obj: Map) -> int:
    text = (obj["metadata"].get("annotations") or {}).get(REVISION, "0")
    return int(text) if text.isdigit() else 0


def _observed(obj: Map) -> bool:
    generation = obj["metadata"].get("generation", 0)
    return bool(generation <= (obj.get("status") or {}).get("observedGeneration", 0))


def _deployment(obj: Map, revision: int) -> tuple[str, bool]:
    name, status = obj["metadata"]["name"], obj.get("status") or {}
    if revision and revision != revision_of(obj):
        raise CommandError(
            f"desired revision ({revision}) is different from the running revision "
            f"({revision_of(obj)})"
        )
    if not _observed(obj):
        return "Waiting for deployment spec update to be observed...", False
    for condition in status.get("conditions") or ():
        if (condition.get("type"), condition.get("reason")) == (
            "Progressing", "ProgressDeadlineExceeded",
        ):  # fmt: skip
            raise CommandError(f'deployment "{name}" exceeded its progress deadline')
    wanted = obj["spec"].get("replicas", 1)
    updated, there = status.get("updatedReplicas", 0), status.get("replicas", 0)
    available = status.get("availableReplicas", 0)
    waiting = f'Waiting for deployment "{name}" rollout to finish: '
    if updated < wanted:
        return f"{waiting}{updated} out of {wanted} new replicas have been updated...", False
    if there > updated:
        return f"{waiting}{there - updated} old replicas are pending termination...", False
    if available < updated:
        return f"{waiting}{available} of {updated} updated replicas are available...", False
    return f'deployment "{name}" successfully rolled out', True


def _daemon_set(obj: Map) -> tuple[str, bool]:
    name, status = obj["metadata"]["name"], obj.get("status") or {}
    _check_strategy(obj)
    if not _observed(obj):
        return "Waiting for daemon set spec update to be observed...", False
    wanted = status.get("desiredNumberScheduled", 0)
    updated, available = status.get("updatedNumberScheduled", 0), status.get("numberAvailable", 0)
    waiting = f'Waiting for daemon set "{name}" rollout to finish: '
    if updated < wanted:
        return f"{waiting}{updated} out of {wanted} new pods have been updated...", False
    if available < wanted:
        return f"{waiting}{available} of {wanted} updated pods are available...", False
    return f'daemon set "{name}" successfully rolled out', True


def _stateful_set(obj: Map) -> tuple[str, bool]:
    spec, status = obj["spec"], obj.get("status") or {}
    _check_strategy(obj)
    if not status.get("observedGeneration") or not _observed(obj):
        return "Waiting for statefulset spec update to be observed...", False
    wanted, ready = spec.get("replicas", 1), status.get("readyReplicas", 0)
    if ready < wanted:
        return f"Waiting for {wanted - ready} pods to be ready...", False
    updated = status.get("updatedReplicas", 0)
    rolling = (spec.get("updateStrategy") or {}).get("rollingUpdate")
    if rolling is not None:
        new = wanted - rolling.get("partition", 0)
        if updated < new:
            return (
                f"Waiting for partitioned roll out to finish: {updated} out of {new} new pods have "
                "been updated..."
            ), False
        return f"partitioned roll out complete: {updated} new pods have been updated...", True
    update, current = status.get("updateRevision", ""), status.get("currentRevision", "")
    if update != current:
        return (
            f"waiting for statefulset rolling update to complete {updated} pods at revision "
            f"{update}..."
        ), False
    there = status.get("currentReplicas", 0)
    return f"statefulset rolling update complete {there} pods at revision {current}...", True


def _check_strategy(obj: Map) -> None:
    if (obj["spec"].get("updateStrategy") or {}).get("type") != "RollingUpdate":
        raise CommandError("rollout status is only available for RollingUpdate strategy type")
