"""What ``kubectl debug`` makes: a container in a Pod, a copy of a Pod, a Pod on a node. Pure."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from podium.kubectl.errors import CommandError
from podium.kubectl.pods import every_container

Json = dict[str, Any]

PROFILES = ("legacy", "general", "baseline", "netadmin", "restricted", "sysadmin")
NON_ROOT = (
    "Warning: Non-root user is configured for the entire target Pod, and some capabilities granted "
    'by debug profile may not work. Please consider using "--custom" with a custom profile that '
    'specifies "securityContext.runAsUser: 0".'
)
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_HOST_ROOT = "host-root"


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line says; *keep* holds which of ``labels``, ``annotations`` and the probes
    a copy has, too. *custom* is part of a container."""

    image: str = ""
    container: str = ""
    profile: str = "general"
    command: Sequence[str] = ()
    arguments_only: bool = False
    env: Sequence[tuple[str, str]] = ()
    pull_policy: str = ""
    stdin: bool = False
    tty: bool = False
    target: str = ""
    copy_to: str = ""
    set_images: Mapping[str, str] = field(default_factory=dict)
    share_processes: bool | None = None
    same_node: bool = False
    keep: frozenset[str] = frozenset()
    keep_init_containers: bool = True
    custom: Mapping[str, Any] | None = None

    def fill(self, container: Json) -> Json:
        """Give a container what was asked for."""
        if self.command:
            container["args" if self.arguments_only else "command"] = list(self.command)
            if not self.arguments_only:
                container.pop("args", None)
        if self.env:
            container["env"] = [{"name": name, "value": value} for name, value in self.env]
        if self.image:
            container["image"] = self.image
        if self.pull_policy:
            container["imagePullPolicy"] = self.pull_policy
        for name, wanted in (("stdin", self.stdin), ("tty", self.tty)):
            container.pop(name, None)
            if wanted:
                container[name] = True
        return container


def names(pod: Json) -> set[str]:
    return {one["name"] for _, one in every_container(pod)}


def ephemeral_container(request: Request, name: str) -> Json:
    """Return a container to be added to a Pod that runs."""
    container = request.fill({"name": name, "terminationMessagePolicy": "File"})
    if request.target:
        container["targetContainerName"] = request.target
    _secure(container, request.profile)
    return _customised(container, request)


def node_pod(request: Request, node: str, name: str) -> Json:
    """Return a Pod on *node*, in whose file system ``/host`` is the node's where it may be."""
    container = request.fill(
        {"name": request.container or "debugger", "terminationMessagePolicy": "File"}
    )
    spec: Json = {
        "containers": [container],
        "nodeName": node,
        "restartPolicy": "Never",
        "tolerations": [{"operator": "Exists"}],
    }
    if request.profile in ("legacy", "general", "sysadmin"):
        spec["volumes"] = [{"name": _HOST_ROOT, "hostPath": {"path": "/"}}]
        container["volumeMounts"] = [{"name": _HOST_ROOT, "mountPath": "/host"}]
    if request.profile in ("legacy", "general", "sysadmin", "netadmin"):
        spec |= {"hostNetwork": True, "hostPID": True, "hostIPC": True}
    if request.profile != "general":  # who has the node's processes needs no more to trace them
        _secure(container, request.profile)
    spec["containers"] = [_customised(container, request)]
    labels = {"app.kubernetes.io/managed-by": "kubectl-debug"}
    metadata = {"name": name, "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def pod_copy(request: Request, pod: Json, name: str) -> Json:
    """Return a copy of *pod* in which the container *name* was added or changed.

    With "" for *name* only images are changed. Raises CommandError.
    """
    spec: Json = copy.deepcopy(pod["spec"])
    spec.pop("ephemeralContainers", None)
    if request.share_processes is not None:
        spec["shareProcessNamespace"] = request.share_processes
    if not request.same_node:
        spec.pop("nodeName", None)
    for container in spec["containers"]:
        image = request.set_images.get(container["name"]) or request.set_images.get("*")
        container["image"] = image or container["image"]
    metadata = {"name": request.copy_to, "namespace": pod["metadata"]["namespace"]}
    kept = {"labels", "annotations"} if not name else set(request.keep)
    kept |= {"annotations"} if request.profile == "legacy" else set()
    for part in ("labels", "annotations"):
        if part in kept and part in pod["metadata"]:
            metadata[part] = pod["metadata"][part]
    made = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
    if name:
        _put(spec, request, name)
    return made


def _put(spec: Json, request: Request, name: str) -> None:
    listed = [*spec["containers"], *(spec.get("initContainers") or ())]
    container = next((one for one in listed if one["name"] == name), None)
    if container is None:
        container = {"name": name, "terminationMessagePolicy": "File"}
        spec["containers"].append(container)
    request.fill(container)
    if request.profile != "legacy":
        _lay_bare(spec, request)
        _secure(container, request.profile)
    place = next((at for at, one in enumerate(spec["containers"]) if one is container), None)
    if place is not None:
        spec["containers"][place] = _customised(container, request)


def _lay_bare(spec: Json, request: Request) -> None:
    """Have its processes seen, and nothing that would end or judge them."""
    spec.setdefault("shareProcessNamespace", True)
    if not request.keep_init_containers:
        spec.pop("initContainers", None)
    for container in spec["containers"]:
        for probe in _PROBES:
            if probe not in request.keep:
                container.pop(probe, None)


def _secure(container: Json, profile: str) -> None:
    """Give a container the rights of a profile."""
    context = container.get("securityContext") or {}
    if profile in ("general", "netadmin"):
        added = ["SYS_PTRACE"] if profile == "general" else ["NET_ADMIN", "NET_RAW"]
        before = context.get("capabilities") or {}
        capabilities = {**before, "add": [*(before.get("add") or ()), *added]}
        context = {**context, "capabilities": capabilities}
    elif profile == "sysadmin":
        context = {**context, "privileged": True}
    elif profile == "baseline":
        context = {}
    elif profile == "restricted":
        context = {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        }
    container.pop("securityContext", None)
    if context:
        container["securityContext"] = context


def _customised(container: Json, request: Request) -> Json:
    if request.custom is None:
        return container
    from podium.api import schema
    from podium.api.patch import strategic
    from podium.api.types.core_v1 import Container

    found: Json = strategic.apply(container, dict(request.custom), schema.definition_of(Container))
    return found


def check_custom(custom: Any) -> None:
    """Raises CommandError where a custom profile says what is not its to say."""
    if not isinstance(custom, dict):
        raise CommandError("custom profile: not a container spec")
    if any(custom.get(key) for key in ("name", "command", "image", "lifecycle", "volumeDevices")):
        raise CommandError(
            "name, command, image, lifecycle and volume devices are not modifiable via custom "
            "profile"
        )


def lacks_root(pod: Json, container: Json) -> bool:
    """Whether rights of the container's may be in vain, as its user is not root."""
    user = (pod["spec"].get("securityContext") or {}).get("runAsUser")
    context = container.get("securityContext") or {}
    if not user or not context or context.get("runAsUser") == 0:
        return False
    return bool(context.get("privileged") or (context.get("capabilities") or {}).get("add"))
