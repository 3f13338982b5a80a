"""``kubectl run``: a Pod of one container."""

from __future__ import annotations

import json
import re
from typing import Any

from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import Discovery
from podium.kubectl.errors import CommandError
from podium.kubectl.flags import Flag, Kind, Values
from podium.kubectl.writing import (
    DRY_RUN_FLAG,
    MANAGED_FIELDS_FLAG,
    OUTPUT_FLAG,
    dry_run,
    manager_flag,
    printed,
    write_query,
)

_RESTART = ("Always", "OnFailure", "Never")
_PULL = ("Always", "IfNotPresent", "Never")
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_IMAGE = re.compile(
    rf"""(?:(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[a-fA-F0-9:]+\])(?::[0-9]+)?/)?
    {_PART}(?:/{_PART})*(?::\w[\w.-]{{0,127}})?(?:@[A-Za-z][\w.+-]*:[0-9a-fA-F]{{32,}})?\Z""",
    re.VERBOSE | re.ASCII,
)


def run(invocation: Invocation) -> int:
    values, session = invocation.values, invocation.session
    if not values.changed("image"):
        raise CommandError('required flag(s) "image" not set')
    if not invocation.words:
        raise CommandError("NAME is required for run")
    pod = _pod(invocation)
    query = write_query(values, validates=False)
    type_ = Discovery(session.http).find("pods")
    if dry_run(values) != "client":
        path = type_.path(session.namespace)
        answer = session.http.request("POST", path, query, body=json.dumps(pod).encode())
        session.warn(answer)
        pod = answer.json()
    printed(invocation, type_, pod, "created", typed=True)
    return 0


def _pod(invocation: Invocation) -> dict[str, Any]:
    """Return the Pod that the command line says. Raises CommandError."""
    values, (name, *arguments) = invocation.values, invocation.words
    _check(values)
    metadata: dict[str, Any] = {"name": name, "labels": _labels(values.labels) or {"run": name}}
    if invocation.session.enforces_namespace:
        metadata["namespace"] = invocation.session.namespace
    if values.annotations:
        metadata["annotations"] = dict(_pair(text) for text in values.annotations)
    container: dict[str, Any] = {"name": name, "image": values.image, "resources": {}}
    if arguments:
        container["command" if values.command else "args"] = arguments
    if values.env:
        container["env"] = [_variable(text) for text in values.env]
    if values.port:
        container["ports"] = [{"containerPort": _port(values.port)}]
    if values.image_pull_policy:
        container["imagePullPolicy"] = values.image_pull_policy
    spec = {
        "containers": [container],
        "dnsPolicy": "ClusterFirst",
        "restartPolicy": values.restart or "Always",
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": {}}


def _check(values: Values) -> None:
    if not values.image:
        raise CommandError("--image is required")
    if not _IMAGE.match(values.image):
        raise CommandError(f'invalid image name "{values.image}": invalid reference format')
    for text, known, what in (
        (values.image_pull_policy, _PULL, "image pull"),
        (values.restart, _RESTART, "restart"),
    ):
        if text and text not in known:
            raise CommandError(
                f"invalid {what} policy: {text}, valid values are: {', '.join(known)}"
            )


def _labels(text: str) -> dict[str, str]:
    labels: dict[str, str] = {}
    for part in text.split(",") if text else ():
        key, equals, value = part.partition("=")
        if not equals or "=" in value:
            raise CommandError(f"unexpected label spec: {part}")
        labels[key] = value
    return labels


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise CommandError(f"unexpected annotations spec: {text}")
    return key, value


def _variable(text: str) -> dict[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise CommandError(f"invalid env: {text}")
    return {"name": name, "value": value} if value else {"name": name}


def _port(text: str) -> int:
    if not re.fullmatch(r"\d+", text, re.ASCII):
        raise CommandError("--port must be a number")
    return int(text)


COMMAND = Command(
    usage="kubectl run NAME --image=image [--env=\"key=value\"] [--port=port] "
    "[--dry-run=server|client] [--command] -- [COMMAND] [args...] [options]",
    short="Run a particular image on the cluster",
    long="Create a Pod that runs an image.",
    examples="""
# A Pod of an image
kubectl run web --image=nginx

# What it would be
kubectl run web --image=nginx --dry-run=client -o yaml

# With another command, once
kubectl run once --image=busybox --restart=Never --command -- sh -c "echo hello"
""",
    run=run,
    flags=(
        Flag("annotations", [], "Annotations to apply to the pod.", kind=Kind.ARRAY),
        Flag("command", False, "If true and extra arguments are present, use them as the 'command' "
             "field in the container, rather than the 'args' field which is the default.",
             kind=Kind.BOOL),
        DRY_RUN_FLAG,
        Flag("env", [], "Environment variables to set in the container.", kind=Kind.ARRAY),
        manager_flag("kubectl-run"),
        Flag("generator", hidden=True,
             deprecated="has no effect and will be removed in the future."),
        Flag("image", usage="The image for the container to run."),
        Flag("image-pull-policy", usage="The image pull policy for the container. If left empty, "
             "this value will not be specified by the client and defaulted by the server."),
        Flag("labels", usage="Comma separated labels to apply to the pod. Will override previous "
             "values.", short="l"),
        OUTPUT_FLAG,
        Flag("port", usage="The port that this container exposes."),
        Flag("restart", "Always", "The restart policy for this Pod.  Legal values [Always, "
             "OnFailure, Never]."),
        MANAGED_FIELDS_FLAG,
    ),
)  # fmt: skip
