"""``kubectl debug``: a container beside a Pod's, a changed copy of a Pod, a Pod on a node."""

from __future__ import annotations

import json
import random
import sys
from typing import Any

from podium.kubectl.attachable import named_object
from podium.kubectl.command import Command, Invocation
from podium.kubectl.debugging import (
    NON_ROOT,
    PROFILES,
    Request,
    check_custom,
    ephemeral_container,
    lacks_root,
    names,
    node_pod,
    pod_copy,
)
from podium.kubectl.discovery import Discovery, ResourceType
from podium.kubectl.errors import CommandError, Said, UsageError, unreadable
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.image_names import PULL_POLICIES, check_image
from podium.kubectl.patches import STRATEGIC
from podium.kubectl.pods import container_status

Json = dict[str, Any]
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_LEGACY = (
    "--profile=legacy is deprecated and planned to be removed in v1.39. It is recommended to "
    'specify other profile, for example "--profile=general".'
)
_TARGETING = (
    'Targeting container "{}". If you don\'t see processes from this container it may be because '
    "the container runtime doesn't support this feature."
)


def run(invocation: Invocation) -> int:
    request = _request(invocation)
    _check(invocation, request)
    discovery = Discovery(invocation.session.http)
    for type_, obj in _targets(invocation, discovery):
        debugging = _Debugging(invocation, discovery, request)
        if type_.kind == "Node":
            pod, container = debugging.on_node(obj)
        elif type_.kind != "Pod":
            what = f"{type_.group}/{type_.version}, Kind={type_.kind}"
            raise CommandError(f'"{what}" not supported by debug')
        elif request.copy_to:
            pod, container = debugging.by_copy(obj)
        else:
            pod, container = debugging.inside(obj)
        if _attaches(invocation) and container:
            debugging.attach(pod, container)
    return 0


def _targets(invocation: Invocation, discovery: Discovery) -> list[tuple[ResourceType, Json]]:
    dash = invocation.dash
    words = invocation.words if dash is None else invocation.words[:dash]
    found = []
    if invocation.values.filename:
        from podium.kubectl.manifests import manifests

        for one in manifests(invocation, discovery, goes_on=False):
            answer = invocation.session.http.one(one.path)
            found.append((one.type, answer.json()))
    return found + [named_object(invocation, discovery, [word]) for word in words]


class _Debugging:
    def __init__(self, invocation: Invocation, discovery: Discovery, request: Request) -> None:
        self._invocation, self._request = invocation, request
        self._session = invocation.session
        self._pods = discovery.find("pods")
        self._quiet: bool = invocation.values.quiet

    def inside(self, pod: Json) -> tuple[Json, str]:
        name = self._name(pod)
        container = ephemeral_container(self._request, name)
        self._warn(pod, container)
        path = self._pods.path(
            pod["metadata"]["namespace"], pod["metadata"]["name"], "ephemeralcontainers"
        )
        before = pod["spec"].get("ephemeralContainers") or ()
        order = [{"name": one["name"]} for one in (*before, container)]
        patch = {
            "spec": {
                "$setElementOrder/ephemeralContainers": order,
                "ephemeralContainers": [container],
            }
        }
        changed = self._session.send("PATCH", path, (), patch, STRATEGIC)
        if any(one["name"] == name for one in before):  # all of it was there, and stays as it is
            raise Said(
                f'The Pod "{pod["metadata"]["name"]}" is invalid: spec.ephemeralContainers: '
                f'Forbidden: existing ephemeral containers "{name}" may not be changed'
            )
        return changed, name

    def by_copy(self, pod: Json) -> tuple[Json, str]:
        request, known = self._request, names(pod) if pod["spec"] else set()
        name = request.container
        if name not in known and not request.image:
            if not request.set_images:
                raise CommandError("you must specify image when creating new container")
            name = ""
        elif not name:
            name = self._name(pod)
        made = pod_copy(request, pod, name)
        for container in made["spec"]["containers"]:
            if container["name"] == name:
                self._warn(made, container)
        created = self._create(made, pod["metadata"]["namespace"])
        if self._invocation.values.replace:
            path = self._pods.path(pod["metadata"]["namespace"], pod["metadata"]["name"])
            options = {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0}
            self._session.http.request("DELETE", path, body=json.dumps(options).encode())
        return created, name

    def on_node(self, node: Json) -> tuple[Json, str]:
        name = f"node-debugger-{node['metadata']['name']}-{_random()}"
        made = node_pod(self._request, node["metadata"]["name"], name)
        container: str = made["spec"]["containers"][0]["name"]
        if not self._quiet:
            print(f"Creating debugging pod {name} with container {container} on node "
                  f"{node['metadata']['name']}.", flush=True)  # fmt: skip
        return self._create(made, self._session.namespace), container

    def _create(self, pod: Json, namespace: str) -> Json:
        return self._session.send("POST", self._pods.path(namespace), (), pod)

    def _name(self, pod: Json) -> str:
        if self._request.container:
            return self._request.container
        known = names(pod)
        name = f"debugger-{_random()}"
        while name in known:
            name = f"debugger-{_random()}"
        if not self._quiet:
            print(f"Defaulting debug container name to {name}.", flush=True)
        return name

    def _warn(self, pod: Json, container: Json) -> None:
        if lacks_root(pod, container):
            print(NON_ROOT, file=sys.stderr)

    def attach(self, pod: Json, container: str) -> None:
        """Attach once it runs; show what it has said where it is over already."""
        from podium.kubectl.attaching import Manner, attach_or_log, wait_for

        http, said = self._session.http, set[str]()

        def started(found: Json) -> bool:
            status = container_status(found, container)
            state = status.get("state") or {}
            message = (state.get("waiting") or {}).get("message")
            if message and not self._quiet and message not in said:
                said.add(message)
                print(f"Warning: container {container}: {message}", file=sys.stderr, flush=True)
            return "running" in state or "terminated" in state

        pod = wait_for(http, pod, started)
        over = "terminated" in (container_status(pod, container).get("state") or {})
        manner = Manner(self._request.stdin, self._request.tty, self._quiet)
        attach_or_log(http, pod, container, manner, over=over)


def _random() -> str:
    return "".join(random.choices(_LETTERS, k=5))


def _attaches(invocation: Invocation) -> bool:
    values = invocation.values
    return bool(values.attach if values.changed("attach") else values.stdin)


# -- the command line


def _request(invocation: Invocation) -> Request:
    values, dash = invocation.values, invocation.dash
    keep = {name for name in ("labels", "annotations") if getattr(values, f"keep_{name}")}
    for probe in ("liveness", "readiness", "startup"):
        keep |= {f"{probe}Probe"} if getattr(values, f"keep_{probe}") else set()
    return Request(
        image=values.image,
        container=values.container,
        profile=values.profile,
        command=() if dash is None else tuple(invocation.words[dash:]),
        arguments_only=values.arguments_only,
        env=_pairs(invocation, "env"),
        pull_policy=values.image_pull_policy,
        stdin=values.stdin,
        tty=values.tty,
        target=values.target,
        copy_to=values.copy_to,
        set_images=dict(_pairs(invocation, "set-image")),
        share_processes=values.share_processes if values.changed("share-processes") else None,
        same_node=values.same_node,
        keep=frozenset(keep),
        keep_init_containers=values.keep_init_containers,
        custom=_custom(values.custom),
    )


def _pairs(invocation: Invocation, flag: str) -> list[tuple[str, str]]:
    found = []
    for text in getattr(invocation.values, flag.replace("-", "_")):
        key, equals, value = text.partition("=")
        if not equals:
            raise UsageError(
                f'invalid argument "{text}" for "--{flag}" flag: {text} must be formatted as '
                "key=value",
                invocation.path,
            )
        found.append((key, value))
    return found


def _custom(path: str) -> Json | None:
    if not path:
        return None
    try:
        with open(path, "rb") as file:
            text = file.read()
    except OSError as exc:
        why = unreadable(exc, path)
        raise CommandError(
            f"must pass a container spec json file for custom profile: {why}"
        ) from exc
    import yaml

    try:
        custom = yaml.safe_load(text)
    except yaml.YAMLError as exc:
        raise CommandError(f"{path} does not contain a valid container spec: {exc}") from exc
    found: Json = custom
    return found


def _check(invocation: Invocation, request: Request) -> None:
    """Raises CommandError."""
    values = invocation.values
    if request.profile not in PROFILES:
        raise CommandError(f"unknown profile: {request.profile}")
    if values.changed("attach") and values.attach and not (request.image or request.container):
        raise CommandError(
            "you must specify --container or create a new container using --image in order to "
            "attach."
        )
    _check_copy(invocation, request)
    if request.image:
        check_image(request.image)
    if not values.filename and not (
        invocation.words if invocation.dash is None else invocation.words[: invocation.dash]
    ):
        raise CommandError("NAME or filename is required for debug")
    if request.pull_policy not in ("", *PULL_POLICIES):
        raise CommandError(f"invalid image pull policy: {request.pull_policy}")
    for name, image in request.set_images.items():
        check_image(image, name)
    if request.target:
        if request.copy_to:
            raise CommandError(
                "--target is incompatible with --copy-to. Use --share-processes instead."
            )
        if not values.quiet:
            print(_TARGETING.format(request.target), flush=True)
    if request.tty and not request.stdin:
        raise CommandError("-i/--stdin is required for containers with -t/--tty=true")
    if request.custom is not None:
        check_custom(request.custom)
    if request.profile == "legacy":
        print(_LEGACY, file=sys.stderr)


def _check_copy(invocation: Invocation, request: Request) -> None:
    values = invocation.values
    if request.copy_to:
        if not (request.image or request.set_images or request.command):
            raise CommandError("you must specify --image, --set-image or command arguments.")
        if request.command and not request.container and not request.image:
            raise CommandError(
                "you must specify an existing container or a new image when specifying args."
            )
        return
    for flag in ("replace", "same-node", "set-image"):
        if getattr(values, flag.replace("-", "_")):
            raise CommandError(f"--{flag} may only be used with --copy-to.")
    if not request.image:
        raise CommandError("you must specify --image when not using --copy-to.")


def _kept(name: str, what: str, default: bool = False) -> Flag:
    verb = "Run the init containers for the pod. Defaults to true." if default else (
        f"If true, keep the original {what}."
    )  # fmt: skip
    usage = f"{verb}(This flag only works when used with '--copy-to')"
    return Flag(f"keep-{name}", default, usage, kind=Kind.BOOL)


COMMAND = Command(
    usage="kubectl debug (POD | TYPE[[.VERSION].GROUP]/NAME) [ -- COMMAND [args...] ] [options]",
    short="Create debugging sessions for troubleshooting workloads and nodes",
    long="Put a container with tools beside those of a Pod, make a copy of a Pod with something "
    "changed,\nor a Pod in a node's namespaces with the node's files at /host.",
    examples="""
# A shell beside the containers of a Pod, which sees the processes of one of them
kubectl debug web -it --image=busybox --target=main -- sh

# A copy of a Pod in which one container runs something else
kubectl debug web -it --copy-to=web-debug --container=main -- sh

# A copy with other images
kubectl debug web --copy-to=web-debug --set-image=*=busybox

# On a node
kubectl debug node/debian -it --image=busybox
""",
    run=run,
    flags=(
        Flag("arguments-only", False, "If specified, everything after -- will be passed to the new "
             "container as Args instead of Command.", kind=Kind.BOOL),
        Flag("attach", False, "If true, wait for the container to start running, and then attach "
             "as if 'kubectl attach ...' were called.  Default false, unless '-i/--stdin' is set, "
             "in which case the default is true.", kind=Kind.BOOL),
        Flag("container", usage="Container name to use for debug container.", short="c"),
        Flag("copy-to", usage="Create a copy of the target Pod with this name."),
        Flag("custom", usage="Path to a JSON or YAML file containing a partial container spec to "
             "customize built-in debug profiles."),
        Flag("env", [], "Environment variables to set in the container.", kind=Kind.LIST),
        Flag("filename", [], "identifying the resource to debug", short="f", kind=Kind.LIST),
        Flag("image", usage="Container image to use for debug container."),
        Flag("image-pull-policy", usage="The image pull policy for the container. If left empty, "
             "this value will not be specified by the client and defaulted by the server."),
        _kept("annotations", "pod annotations"),
        _kept("init-containers", "", default=True),
        _kept("labels", "pod labels"),
        _kept("liveness", "pod liveness probes"),
        _kept("readiness", "pod readiness probes"),
        _kept("startup", "startup probes"),
        Flag("profile", "general", 'Options are "general", "baseline", "restricted", "netadmin" or '
             '"sysadmin". Defaults to "general"'),
        Flag("quiet", False, "If true, suppress informational messages.", short="q",
             kind=Kind.BOOL),
        Flag("recursive", False, kind=Kind.BOOL, hidden=True),
        Flag("replace", False, "When used with '--copy-to', delete the original Pod.",
             kind=Kind.BOOL),
        Flag("same-node", False, "When used with '--copy-to', schedule the copy of target Pod on "
             "the same node.", kind=Kind.BOOL),
        Flag("set-image", [], "When used with '--copy-to', a list of name=image pairs for changing "
             "container images, similar to how 'kubectl set image' works.", kind=Kind.LIST),
        Flag("share-processes", True, "When used with '--copy-to', enable process namespace "
             "sharing in the copy.", kind=Kind.BOOL),
        Flag("stdin", False, "Keep stdin open on the container(s) in the pod, even if nothing is "
             "attached.", short="i", kind=Kind.BOOL),
        Flag("target", usage="When using an ephemeral container, target processes in this "
             "container name."),
        Flag("tty", False, "Allocate a TTY for the debugging container.", short="t",
             kind=Kind.BOOL),
    ),
)  # fmt: skip
