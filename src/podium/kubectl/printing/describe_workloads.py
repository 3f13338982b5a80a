"""``describe`` of what makes Pods: Deployments, Jobs and their like. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from podium.kubectl import selectors
from podium.kubectl.printing import ages, describe
from podium.kubectl.printing.describe import Lines, rfc1123
from podium.kubectl.printing.describe_containers import containers
from podium.kubectl.printing.describe_pod import placing, spread
from podium.kubectl.printing.describe_volumes import volumes

Map = Mapping[str, Any]

_INDEXES = 50


def deployment(lines: Lines, obj: Map, _now: datetime, sets: Sequence[Map]) -> None:
    """Write a Deployment; *sets* are the ReplicaSets of its namespace."""
    metadata, spec, status = obj["metadata"], obj["spec"], obj.get("status") or {}
    lines.add(0, f"Name:\t{metadata['name']}")
    lines.add(0, f"Namespace:\t{metadata.get('namespace', '')}")
    lines.add(0, f"CreationTimestamp:\t{rfc1123(metadata.get('creationTimestamp'))}")
    describe.labels(lines, "Labels:", metadata.get("labels"))
    describe.notes(lines, metadata.get("annotations"))
    lines.add(0, f"Selector:\t{selectors.as_text(spec.get('selector'))}")
    counts = " | ".join(
        f"{status.get(key, 0)} {title}"
        for title, key in (("updated", "updatedReplicas"), ("total", "replicas"),
                           ("available", "availableReplicas"),
                           ("unavailable", "unavailableReplicas"))
    )  # fmt: skip
    lines.add(0, f"Replicas:\t{spec.get('replicas', 1)} desired | {counts}")
    strategy = spec.get("strategy") or {}
    lines.add(0, f"StrategyType:\t{strategy.get('type', '')}")
    lines.add(0, f"MinReadySeconds:\t{spec.get('minReadySeconds', 0)}")
    rolling = strategy.get("rollingUpdate")
    if rolling:
        lines.add(0, f"RollingUpdateStrategy:\t{rolling.get('maxUnavailable', 0)} max unavailable, "
                  f"{rolling.get('maxSurge', 0)} max surge")  # fmt: skip
    template(lines, spec["template"])
    _conditions(lines, status)
    own = [one for one in sets if _owner(one) == metadata["uid"]]
    if own:
        new = next((one for one in sorted(own, key=_made) if _same_pods(one, obj)), None)
        old = [one for one in sorted(own, key=_made) if one is not new]
        lines.add(0, f"OldReplicaSets:\t{_sets(old)}")
        lines.add(0, f"NewReplicaSet:\t{_sets([new] if new else [])}")


def replica_set(lines: Lines, obj: Map, _now: datetime, pods: Sequence[Map] | str) -> None:
    """Write a ReplicaSet, or a ReplicationController; *pods* are those of its namespace, or why
    they cannot be seen."""
    metadata, spec, status = obj["metadata"], obj["spec"], obj.get("status") or {}
    older = obj.get("kind") == "ReplicationController"
    wanted = spec.get("selector")
    lines.add(0, f"Name:\t{metadata['name']}")
    lines.add(0, f"Namespace:\t{metadata.get('namespace', '')}")
    chosen = describe.inline(wanted) if older else selectors.as_text(wanted) or "<none>"
    lines.add(0, f"Selector:\t{chosen}")
    describe.labels(lines, "Labels:", metadata.get("labels"))
    describe.notes(lines, metadata.get("annotations"))
    if not older:
        lines.field("Controlled By", describe.controller(metadata))
    lines.add(0, f"Replicas:\t{status.get('replicas', 0)} current / "
              f"{spec.get('replicas', 1)} desired")  # fmt: skip
    found = f"error in fetching pods: {pods}" if isinstance(pods, str) else _phases(metadata, pods)
    lines.add(0, f"Pods Status:\t{found}")
    template(lines, spec.get("template"))
    _conditions(lines, status)


def daemon_set(lines: Lines, obj: Map, _now: datetime, pods: Sequence[Map]) -> None:
    metadata, spec, status = obj["metadata"], obj["spec"], obj.get("status") or {}
    lines.add(0, f"Name:\t{metadata['name']}")
    lines.add(0, f"Namespace:\t{metadata.get('namespace', '')}")
    lines.add(0, f"Selector:\t{selectors.as_text(spec.get('selector'))}")
    nodes = (spec["template"].get("spec") or {}).get("nodeSelector")
    lines.add(0, f"Node-Selector:\t{describe.inline(nodes)}")
    describe.labels(lines, "Labels:", metadata.get("labels"))
    describe.notes(lines, metadata.get("annotations"))
    for title, key in (
        ("Desired Number of Nodes Scheduled", "desiredNumberScheduled"),
        ("Current Number of Nodes Scheduled", "currentNumberScheduled"),
        ("Number of Nodes Scheduled with Up-to-date Pods", "updatedNumberScheduled"),
        ("Number of Nodes Scheduled with Available Pods", "numberAvailable"),
        ("Number of Nodes Misscheduled", "numberMisscheduled"),
    ):
        lines.add(0, f"{title}: {status.get(key, 0)}")
    lines.add(0, f"Pods Status:\t{_phases(metadata, pods)}")
    template(lines, spec["template"])


def stateful_set(lines: Lines, obj: Map, _now: datetime, pods: Sequence[Map]) -> None:
    metadata, spec, status = obj["metadata"], obj["spec"], obj.get("status") or {}
    lines.add(0, f"Name:\t{metadata['name']}")
    lines.add(0, f"Namespace:\t{metadata.get('namespace', '')}")
    lines.add(0, f"CreationTimestamp:\t{rfc1123(metadata.get('creationTimestamp'))}")
    lines.add(0, f"Selector:\t{selectors.as_text(spec.get('selector'))}")
    describe.labels(lines, "Labels:", metadata.get("labels"))
    describe.notes(lines, metadata.get("annotations"))
    lines.add(0, f"Service Name:\t{spec.get('serviceName', '')}")
    lines.add(0, f"Pod Management Policy:\t{spec.get('podManagementPolicy', '')}")
    desired = f"{spec.get('replicas', 1)} desired | {status.get('replicas', 0)} total"
    lines.add(0, f"Replicas:\t{desired}")
    strategy = spec.get("updateStrategy") or {}
    lines.add(0, f"Update Strategy:\t{strategy.get('type', '')}")
    rolling = strategy.get("rollingUpdate") or {}
    if "partition" in rolling:
        lines.add(1, f"Partition:\t{rolling['partition']}")
        lines.field("MaxUnavailable", rolling.get("maxUnavailable"), 1)
    retention = spec.get("persistentVolumeClaimRetentionPolicy")
    if retention:
        lines.add(0, "Persistent Volume Claim Retention Policy:")
        lines.add(1, f"WhenDeleted:\t{retention.get('whenDeleted', '')}")
        lines.add(1, f"WhenScaled:\t{retention.get('whenScaled', '')}")
    lines.add(0, f"Pods Status:\t{_phases(metadata, pods)}")
    template(lines, spec["template"])
    _claims(lines, spec.get("volumeClaimTemplates") or ())


def _claims(lines: Lines, templates: Sequence[Map]) -> None:
    lines.add(0, "Volume Claims:" if templates else "Volume Claims:\t<none>")
    for one in templates:
        metadata, spec = one["metadata"], one.get("spec") or {}
        lines.add(1, f"Name:\t{metadata['name']}")
        lines.add(1, f"StorageClass:\t{spec.get('storageClassName', '')}")
        describe.labels(lines, "Labels:", metadata.get("labels"), 1)
        describe.labels(lines, "Annotations:", metadata.get("annotations"), 1)
        requests = (spec.get("resources") or {}).get("requests") or {}
        lines.add(1, f"Capacity:\t{requests.get('storage', '<default>')}")
        lines.add(1, f"Access Modes:\t[{' '.join(spec.get('accessModes') or ())}]")


def job(lines: Lines, obj: Map, _now: datetime) -> None:
    metadata, spec, status = obj["metadata"], obj["spec"], obj.get("status") or {}
    lines.add(0, f"Name:\t{metadata['name']}")
    lines.add(0, f"Namespace:\t{metadata.get('namespace', '')}")
    lines.add(0, f"Selector:\t{selectors.as_text(spec.get('selector'))}")
    describe.labels(lines, "Labels:", metadata.get("labels"))
    describe.notes(lines, metadata.get("annotations"))
    lines.field("Controlled By", describe.controller(metadata))
    lines.field("Parallelism", spec.get("parallelism"))
    lines.add(0, f"Completions:\t{spec.get('completions', '<unset>')}")
    lines.field("Completion Mode", spec.get("completionMode"))
    if spec.get("suspend") is not None:
        lines.add(0, f"Suspend:\t{str(spec['suspend']).lower()}")
    lines.field("Backoff Limit", spec.get("backoffLimit"))
    lines.field("TTL Seconds After Finished", spec.get("ttlSecondsAfterFinished"))
    began, ended = status.get("startTime"), status.get("completionTime")
    if began:
        lines.add(0, f"Start Time:\t{rfc1123(began)}")
    if ended:
        lines.add(0, f"Completed At:\t{rfc1123(ended)}")
    if began and ended:
        took = (ages.parse(ended) - ages.parse(began)).total_seconds()
        lines.add(0, f"Duration:\t{ages.human(took)}")
    if spec.get("activeDeadlineSeconds") is not None:
        lines.add(0, f"Active Deadline Seconds:\t{spec['activeDeadlineSeconds']}s")
    ready = f" ({status['ready']} Ready)" if "ready" in status else ""
    lines.add(0, f"Pods Statuses:\t{status.get('active', 0)} Active{ready} / "
              f"{status.get('succeeded', 0)} Succeeded / {status.get('failed', 0)} Failed"
              )  # fmt: skip
    if spec.get("completionMode") == "Indexed":
        lines.add(0, f"Completed Indexes:\t{_indexes(status.get('completedIndexes', ''))}")
    template(lines, spec["template"])


def _indexes(text: str) -> str:
    end = text.find(",", _INDEXES)
    return (text if end < 0 else f"{text[: end + 1]}...") or "<none>"


def cron_job(lines: Lines, obj: Map, _now: datetime) -> None:
    metadata, spec, status = obj["metadata"], obj["spec"], obj.get("status") or {}
    describe.head(lines, metadata)
    lines.add(0, f"Schedule:\t{spec['schedule']}")
    lines.add(0, f"Concurrency Policy:\t{spec.get('concurrencyPolicy', '')}")
    lines.add(0, f"Suspend:\t{spec.get('suspend', '<unset>')}")
    lines.add(0, f"Time Zone:\t{spec.get('timeZone', '<unset>')}")
    for title, key in (("Successful", "successful"), ("Failed", "failed")):
        limit = spec.get(f"{key}JobsHistoryLimit", "<unset>")
        lines.add(0, f"{title} Job History Limit:\t{limit}")
    deadline = spec.get("startingDeadlineSeconds")
    shown = "<unset>" if deadline is None else f"{deadline}s"
    lines.add(0, f"Starting Deadline Seconds:\t{shown}")
    inner = spec["jobTemplate"].get("spec") or {}
    chosen = inner.get("selector")
    lines.add(0, f"Selector:\t{'<unset>' if chosen is None else selectors.as_text(chosen)}")
    lines.add(0, f"Parallelism:\t{inner.get('parallelism', '<unset>')}")
    lines.add(0, f"Completions:\t{inner.get('completions', '<unset>')}")
    if inner.get("activeDeadlineSeconds") is not None:
        lines.add(0, f"Active Deadline Seconds:\t{inner['activeDeadlineSeconds']}s")
    template(lines, inner["template"])
    last = status.get("lastScheduleTime")
    lines.add(0, f"Last Schedule Time:\t{rfc1123(last) if last else '<unset>'}")
    active = ", ".join(one["name"] for one in status.get("active") or ())
    lines.add(0, f"Active Jobs:\t{active or '<none>'}")


def template(lines: Lines, found: Map | None) -> None:
    """Write a template of Pods."""
    lines.add(0, "Pod Template:")
    if found is None:
        lines.add(1, "<unset>")
        return
    metadata, spec = found.get("metadata") or {}, found.get("spec") or {}
    describe.labels(lines, "  Labels:", metadata.get("labels"))
    if metadata.get("annotations"):
        describe.notes(lines, metadata["annotations"], "  Annotations:")
    lines.field("Service Account", spec.get("serviceAccountName"), 1)
    if spec.get("initContainers"):
        containers(lines, "Init Containers", spec["initContainers"])
    containers(lines, "Containers", spec.get("containers") or ())
    volumes(lines, spec.get("volumes"), "  ")
    spread(lines, spec, "  ")
    lines.field("Priority Class Name", spec.get("priorityClassName"), 1)
    placing(lines, spec, "  ")


def _conditions(lines: Lines, status: Map) -> None:
    describe.conditions(lines, status.get("conditions"), "Type", "Status", "Reason", blanks=1)


def _phases(metadata: Map, pods: Sequence[Map]) -> str:
    own = Counter(
        (pod.get("status") or {}).get("phase") for pod in pods if _owner(pod) == metadata["uid"]
    )
    return (
        f"{own['Running']} Running / {own['Pending']} Waiting / {own['Succeeded']} Succeeded / "
        f"{own['Failed']} Failed"
    )


def _owner(obj: Map) -> str:
    """The uid of the controller of an object."""
    owners = obj["metadata"].get("ownerReferences") or ()
    return next((str(one["uid"]) for one in owners if one.get("controller")), "")


def _made(obj: Map) -> tuple[str, str]:
    return obj["metadata"].get("creationTimestamp", ""), obj["metadata"]["name"]


def _same_pods(replica_set: Map, deployment: Map) -> bool:
    """Whether a ReplicaSet has the Deployment's template, but for the hash among its labels."""

    def bare(template: Map) -> Map:
        metadata = dict(template.get("metadata") or {})
        kept = {key: value for key, value in (metadata.get("labels") or {}).items()
                if key != "pod-template-hash"}  # fmt: skip
        return {**template, "metadata": {**metadata, "labels": kept}}

    return bare(replica_set["spec"]["template"]) == bare(deployment["spec"]["template"])


def _sets(found: Sequence[Map]) -> str:
    texts = (
        f"{one['metadata']['name']} ({(one.get('status') or {}).get('replicas', 0)}/"
        f"{one['spec'].get('replicas', 1)} replicas created)"
        for one in found
    )
    return ", ".join(texts) or "<none>"
