"""``kubectl create job`` and ``create cronjob``."""

from __future__ import annotations

from typing import Any

from podium.kubectl.command import Invocation
from podium.kubectl.creating import (
    Map,
    create,
    creates,
    generator,
    only_name,
    required,
    resource,
)
from podium.kubectl.discovery import Discovery
from podium.kubectl.errors import CommandError
from podium.kubectl.flags import Flag
from podium.kubectl.targets import resolve

_JOBS = resource("batch", "v1", "jobs", "Job")
_IMAGE = "Image name to run."


def _template(name: str, image: str, command: list[str], restart: str) -> Map:
    container: Map = {"name": name, "image": image}
    container |= {"command": command} if command else {}
    container["resources"] = {}
    spec: Map = {"containers": [container], "restartPolicy": restart}
    return {"metadata": {}, "spec": spec}


def run_job(invocation: Invocation) -> int:
    values, name = invocation.values, only_name(invocation)
    command = list(invocation.words[1:])
    if bool(values.image) == bool(values.__getattr__("from")):
        raise CommandError("either --image or --from must be specified")
    if command and not values.image:
        raise CommandError("cannot specify --from and command")
    if values.image:
        fields: Map = {"spec": {"template": _template(name, values.image, command, "Never")},
                       "status": {}}  # fmt: skip
    else:
        fields = _of_cron_job(_cron_job(invocation))
    create(invocation, _JOBS, name, fields, "failed to create job:")
    return 0


def _cron_job(invocation: Invocation) -> Map:
    session = invocation.session
    text = invocation.values.__getattr__("from")
    targets = resolve([text], Discovery(session.http))
    if len(targets) != 1 or not targets[0].name:
        raise CommandError("from must be an existing cronjob")
    type_ = targets[0].type
    path = type_.path(session.namespace, targets[0].name)
    found: Map = session.http.request("GET", path).json()
    if type_.kind != "CronJob":
        raise CommandError(f"unknown object type *v1.{type_.kind}")
    return found


def _of_cron_job(cron_job: Map) -> Map:
    """Return the Job that a CronJob starts by hand."""
    template: dict[str, Any] = cron_job["spec"]["jobTemplate"]
    said = template.get("metadata") or {}
    annotations = {"cronjob.kubernetes.io/instantiate": "manual", **(said.get("annotations") or {})}
    metadata: Map = {"annotations": annotations}
    if said.get("labels"):
        metadata["labels"] = said["labels"]
    metadata["ownerReferences"] = [
        {"apiVersion": "batch/v1", "kind": "CronJob", "name": cron_job["metadata"]["name"],
         "uid": cron_job["metadata"]["uid"], "controller": True}
    ]  # fmt: skip
    return {"metadata": metadata, "spec": template.get("spec") or {}, "status": {}}


def _cron(invocation: Invocation, name: str) -> Map:
    values, command = invocation.values, list(invocation.words[1:])
    template = _template(name, values.image, command, values.restart or "OnFailure")
    job = {"metadata": {"name": name}, "spec": {"template": template}}
    return {"spec": {"schedule": values.schedule, "jobTemplate": job}, "status": {}}


JOB = generator(
    "job NAME --image=image [--from=cronjob/name] -- [COMMAND] [args...]",
    "Create a job with the specified name",
    run_job,
    (
        Flag("image", usage=_IMAGE),
        Flag("from", usage="The name of the resource to create a Job from (only cronjob is "
             "supported)."),
    ),
)  # fmt: skip
CRON_JOB = generator(
    "cronjob NAME --image=image --schedule='0/5 * * * ?' -- [COMMAND] [args...] [flags]",
    "Create a cron job with the specified name",
    creates(resource("batch", "v1", "cronjobs", "CronJob"), _cron, "failed to create cronjob:"),
    (
        required("image", _IMAGE),
        required("schedule", "A schedule in the Cron format the job should be run with."),
        Flag("restart", usage="job's restart policy. supported values: OnFailure, Never"),
    ),
    aliases=("cj",),
)
