"""``kubectl run``: a Pod of one container."""

from __future__ import annotations

import re
from typing import Any

from podium.kubectl.attachable import checked_timeout_of, timeout_flag
from podium.kubectl.command import Command, Invocation
from podium.kubectl.deleting import HOW_FLAGS, delete_options, wait_flag
from podium.kubectl.discovery import Discovery, ResourceType
from podium.kubectl.errors import CommandError
from podium.kubectl.files import KUSTOMIZE_FLAG, recursive_flag
from podium.kubectl.flags import Flag, Kind, Values
from podium.kubectl.image_names import PULL_POLICIES, check_image
from podium.kubectl.overriding import WAY_FLAG, overridden
from podium.kubectl.recording import RECORD_FLAG, recorded
from podium.kubectl.selectors import labels_of
from podium.kubectl.writing import (
    DRY_RUN_FLAG,
    MANAGED_FIELDS_FLAG,
    OUTPUT_FLAGS,
    dry_run,
    manager_flag,
    printed,
    write_query,
)

_IGNORED = "it is ignored by kubectl run and will be removed in a future release"
_RESTART = ("Always", "OnFailure", "Never")


def run(invocation: Invocation) -> int:
    values, session = invocation.values, invocation.session
    removal = delete_options(values)
    if not invocation.words:
        raise CommandError("NAME is required for run")
    pod = _pod(invocation)
    attached = bool(values.attach if values.changed("attach") else values.stdin)
    _check_attached(values, attached)
    discovery = Discovery(session.http)
    services = [(discovery.find("services"), _service(pod))] if values.expose else []
    if values.overrides:
        pod = overridden(pod, values.overrides, values.override_type)
    made = [(discovery.find("pods"), pod), *services]
    made = [(type_, recorded(invocation, obj)) for type_, obj in made]
    if dry_run(values) != "client":
        made = [(type_, _create(invocation, type_, obj)) for type_, obj in made]
    if attached:
        from podium.kubectl.run_attached import run_attached

        run_attached(invocation, made, removal)
        return 0
    for type_, obj in made:
        printed(invocation, type_, obj, "created", typed=True, parts=True)
    return 0


def _create(invocation: Invocation, type_: ResourceType, obj: dict[str, Any]) -> dict[str, Any]:
    values, session = invocation.values, invocation.session
    if values.save_config:
        from podium.kubectl.last_applied import annotated

        obj = annotated(obj, typed=True)
    path, query = type_.path(session.namespace), write_query(values, validates=False)
    return session.send("POST", path, query, obj)


def _check_attached(values: Values, attached: bool) -> None:
    """Raises CommandError."""
    if values.tty and not values.stdin:
        raise CommandError("-i/--stdin is required for containers with -t/--tty=true")
    if values.expose and not values.port:
        raise CommandError("--port must be set when exposing a service")
    if values.rm and not attached:
        raise CommandError("--rm should only be used for attached containers")
    if attached and dry_run(values) != "none":
        raise CommandError(
            "--dry-run=[server|client] can't be used with attached containers options (--attach, "
            "--stdin, or --tty)"
        )
    checked_timeout_of(values, "kubectl run" if attached else "")


def _service(pod: dict[str, Any]) -> dict[str, Any]:
    """Return a Service for the port of a Pod."""
    number = pod["spec"]["containers"][0]["ports"][0]["containerPort"]
    metadata = {
        key: pod["metadata"][key] for key in ("name", "namespace") if key in pod["metadata"]
    }
    spec = {
        "ports": [{"protocol": "TCP", "port": number, "targetPort": number}],
        "selector": pod["metadata"]["labels"],
    }
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec,
            "status": {"loadBalancer": {}}}  # fmt: skip


def _pod(invocation: Invocation) -> dict[str, Any]:
    """Return the Pod that the command line says. Raises CommandError."""
    values, (name, *arguments) = invocation.values, invocation.words
    _check(values)
    metadata: dict[str, Any] = {"name": name, "labels": {"run": name}}
    if values.labels:
        metadata["labels"] = labels_of(values.labels)
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
    if values.privileged:
        container["securityContext"] = {"privileged": True}
    if values.stdin:
        container |= {"stdin": True} | ({} if values.leave_stdin_open else {"stdinOnce": True})
    if values.tty:
        container["tty"] = True
    spec = {
        "containers": [container],
        "dnsPolicy": "ClusterFirst",
        "restartPolicy": values.restart or ("OnFailure" if values.stdin else "Always"),
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": {}}


def _check(values: Values) -> None:
    if not values.image:
        raise CommandError("--image is required")
    check_image(values.image)
    for text, known, what in (
        (values.image_pull_policy, PULL_POLICIES, "image pull"),
        (values.restart, _RESTART, "restart"),
    ):
        if text and text not in known:
            raise CommandError(
                f"invalid {what} policy: {text}, valid values are: {', '.join(known)}"
            )


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise CommandError(f"invalid annotations format: {text}")
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
    "[--dry-run=server|client] [--overrides=inline-json] [--command] -- [COMMAND] [args...] "
    "[options]",
    short="Run a particular image on the cluster",
    long="Create a Pod that runs an image.",
    examples="""
# A Pod of an image
kubectl run web --image=nginx

# What it would be
kubectl run web --image=nginx --dry-run=client -o yaml

# With another command, once
kubectl run once --image=busybox --restart=Never --command -- sh -c "echo hello"

# A shell, for as long as it is used
kubectl run shell --image=busybox --rm -it --restart=Never -- sh
""",
    run=run,
    flags=(
        *HOW_FLAGS,
        wait_flag(False),
        # Of files the command takes nothing, as upstream's.
        Flag("filename", [], "to use to replace the resource.", short="f", kind=Kind.LIST,
             hidden=True, deprecated=_IGNORED, letter_deprecated=_IGNORED),
        KUSTOMIZE_FLAG,
        recursive_flag(),
        Flag("annotations", [], "Annotations to apply to the pod.", kind=Kind.ARRAY),
        Flag("attach", False, "If true, wait for the Pod to start running, and then attach to the "
             "Pod as if 'kubectl attach ...' were called.  Default false, unless '-i/--stdin' is "
             "set, in which case the default is true. With '--restart=Never' the exit code of the "
             "container process is returned.", kind=Kind.BOOL),
        Flag("command", False, "If true and extra arguments are present, use them as the 'command' "
             "field in the container, rather than the 'args' field which is the default.",
             kind=Kind.BOOL),
        Flag("detach-keys", "ctrl-p,ctrl-q", "Override the key sequence for detaching a "
             "container."),
        DRY_RUN_FLAG,
        Flag("env", [], "Environment variables to set in the container.", kind=Kind.ARRAY),
        Flag("expose", False, "If true, create a ClusterIP service associated with the pod.  "
             "Requires `--port`.", kind=Kind.BOOL),
        manager_flag("kubectl-run"),
        RECORD_FLAG,
        Flag("generator", hidden=True,
             deprecated="has no effect and will be removed in the future."),
        Flag("image", usage="The image for the container to run.", required=True),
        Flag("image-pull-policy", usage="The image pull policy for the container. If left empty, "
             "this value will not be specified by the client and defaulted by the server."),
        Flag("labels", usage="Comma separated labels to apply to the pod. Will override previous "
             "values.", short="l"),
        Flag("leave-stdin-open", False, "If the pod is started in interactive mode or with stdin, "
             "leave stdin open after the first attach completes. By default, stdin will be closed "
             "after the first attach completes.", kind=Kind.BOOL),
        *OUTPUT_FLAGS,
        WAY_FLAG,
        Flag("overrides", usage="An inline JSON override for the generated object. If this is "
             "non-empty, it is used to override the generated object. Requires that the object "
             "supply a valid apiVersion field."),
        timeout_flag(60.0),
        Flag("port", usage="The port that this container exposes."),
        Flag("restart", "Always", "The restart policy for this Pod.  Legal values [Always, "
             "OnFailure, Never]."),
        Flag("privileged", False, "If true, run the container in privileged mode.",
             kind=Kind.BOOL),
        Flag("quiet", False, "If true, suppress prompt messages.", short="q", kind=Kind.BOOL),
        Flag("rm", False, "If true, delete the pod after it exits.  Only valid when attaching to "
             "the container, e.g. with '--attach' or with '-i/--stdin'.", kind=Kind.BOOL),
        Flag("save-config", False, "If true, the configuration of current object will be saved in "
             "its annotation. Otherwise, the annotation will be unchanged. This flag is useful "
             "when you want to perform kubectl apply on this object in the future.",
             kind=Kind.BOOL),
        MANAGED_FIELDS_FLAG,
        Flag("stdin", False, "Keep stdin open on the container in the pod, even if nothing is "
             "attached.", short="i", kind=Kind.BOOL),
        Flag("tty", False, "Allocate a TTY for the container in the pod.", short="t",
             kind=Kind.BOOL),
    ),
)  # fmt: skip
