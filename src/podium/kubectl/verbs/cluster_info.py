"""``kubectl cluster-info``: where the control plane is; ``dump``, what the cluster is like."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from podium.kubectl import formats
from podium.kubectl.attachable import checked_timeout, timeout_flag
from podium.kubectl.command import Command, Invocation
from podium.kubectl.errors import CommandError, StatusError
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.lists import items, pages
from podium.kubectl.verbs.events import BLANK
from podium.kubectl.writing import MISSING_KEYS_FLAG, TEMPLATE_FLAG, as_text

_GREEN, _YELLOW, _PLAIN = "\x1b[0;32m", "\x1b[0;33m", "\x1b[0m"
#: What is dumped before all else.
_FIRST = "nodes"
_LABEL = "kubernetes.io/cluster-service=true"
#: What is dumped of each namespace.
_RESOURCES = (
    ("/api/v1", "events"),
    ("/api/v1", "replicationcontrollers"),
    ("/api/v1", "services"),
    ("/apis/apps/v1", "daemonsets"),
    ("/apis/apps/v1", "deployments"),
    ("/apis/apps/v1", "replicasets"),
    ("/api/v1", "pods"),
)
_KINDS = {"events": "EventList", "replicationcontrollers": "ReplicationControllerList",
          "services": "ServiceList", "daemonsets": "DaemonSetList",
          "deployments": "DeploymentList", "replicasets": "ReplicaSetList", "pods": "PodList",
          "nodes": "NodeList"}  # fmt: skip
#: What upstream's says of logs that are refused, whatever the server does.
_UNSAID = {400: "the server rejected our request for an unknown reason",
           404: "the server could not find the requested resource"}  # fmt: skip


def run(invocation: Invocation) -> int:
    http = invocation.session.http
    namespace = invocation.values.namespace or "kube-system"
    query = [("labelSelector", _LABEL)]
    services = list(items(http, f"/api/v1/namespaces/{namespace}/services", query))
    server = f"{http.server.scheme}://{http.authority}"
    print(_line("Kubernetes control plane", server))
    for service in services:
        metadata, spec = service["metadata"], service["spec"]
        name = (metadata.get("labels") or {}).get("kubernetes.io/name") or metadata["name"]
        print(_line(name, _address(server, metadata, spec, service.get("status") or {})))
    print("\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.")
    return 0


def _line(name: str, link: str) -> str:
    if sys.stdout.isatty():
        return f"{_GREEN}{name}{_PLAIN} is running at {_YELLOW}{link}{_PLAIN}"
    return f"{name} is running at {link}"


def _address(server: str, metadata: Any, spec: Any, status: Any) -> str:
    """Where a service is reached: through its balancer, or through the API server."""
    port = (spec.get("ports") or [{}])[0]
    ingress = (status.get("loadBalancer") or {}).get("ingress")
    if ingress:
        host = ingress[0].get("ip") or ingress[0].get("hostname")
        return "".join(f"http://{host}:{one['port']} " for one in spec.get("ports") or ())
    scheme = "https:" if port.get("port") == 443 or port.get("name") == "https" else ""
    name = f"{scheme}{metadata['name']}"
    name += f":{port['name']}" if port.get("name") else (":" if scheme else "")
    return f"{server}/api/v1/namespaces/{metadata['namespace']}/services/{name}/proxy"


def dump(invocation: Invocation) -> int:
    """Print all, or write it into files below a directory."""
    values, http = invocation.values, invocation.session.http
    checked_timeout(invocation, usage=False)
    formats.printer(values, formats.FOR_WRITERS)  # before anything is asked for
    _put(invocation, _FIRST, _list(invocation, "/api/v1", "nodes"))
    for namespace in _namespaces(invocation):
        root = f"/namespaces/{namespace}"
        for group, resource in _RESOURCES:
            found = _list(invocation, f"{group}{root}", resource)
            _put(invocation, f"{namespace}/{_file(resource)}", found)
        for pod in items(http, f"/api/v1{root}/pods"):
            spec, name = pod["spec"], pod["metadata"]["name"]
            every = (*spec.get("initContainers", ()), *spec["containers"])
            logs = (_log(invocation, namespace, name, container["name"]) for container in every)
            _write(invocation, f"{namespace}/{name}/logs.txt", logs)
    if values.output_directory not in ("", "-"):
        print(f"Cluster info dumped to {values.output_directory}")
    return 0


def _namespaces(invocation: Invocation) -> Iterator[str]:
    values = invocation.values
    if values.all_namespaces:
        for namespace in items(invocation.session.http, "/api/v1/namespaces"):
            yield namespace["metadata"]["name"]
    elif values.namespaces:
        yield from values.namespaces
    else:
        yield from dict.fromkeys(("kube-system", invocation.session.namespace))


def _file(resource: str) -> str:
    return {"replicationcontrollers": "replication-controllers"}.get(resource, resource)


def _list(invocation: Invocation, root: str, resource: str) -> dict[str, Any]:
    found: list[Any] = []
    version = ""
    for page in pages(invocation.session.http, f"{root}/{resource}"):
        found += (formats.without_managers(one, invocation.values) for one in page["items"] or ())
        version = page["metadata"].get("resourceVersion", "")
    if resource == "events":
        found = [{**BLANK, **one} for one in found]
    api = "apps/v1" if "/apis/apps/" in root else "v1"
    return {"kind": _KINDS[resource], "apiVersion": api,
            "metadata": {"resourceVersion": version}, "items": found}  # fmt: skip


def _put(invocation: Invocation, name: str, document: dict[str, Any]) -> None:
    values = invocation.values
    first, name = name == _FIRST, f"{name}.{values.output}"
    show = formats.printer(values, formats.FOR_WRITERS)
    if show is None:
        raise CommandError(f"list types are not supported by name printing: *v1.{document['kind']}")
    if values.output == "json" and not values.template:
        text = as_text(document, "json", typed=True)
    else:
        text = show(document)
        if values.output == "yaml" and not first:
            text = f"---\n{text}"
    _write(invocation, name, [text.encode()])


def _log(invocation: Invocation, namespace: str, pod: str, container: str) -> bytes:
    title = f"==== START logs for container {container} of pod {namespace}/{pod} ====\n"
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}/log"
    try:
        text = invocation.session.http.request(
            "GET", path, [("container", container)], accept="*/*"
        ).body
    except StatusError as error:
        why = f"{_UNSAID[error.code]} (get pods {pod})" if error.code in _UNSAID else str(error)
        text = f"Request log error: {why}\n".encode()
    end = title.replace("START", "END")
    return title.encode() + text + end.encode()


def _write(invocation: Invocation, name: str, pieces: Iterable[bytes]) -> None:
    """Write a file below the directory that was asked for, or print."""
    directory = invocation.values.output_directory
    if directory in ("", "-"):
        sys.stdout.flush()
        sys.stdout.buffer.writelines(pieces)
        return
    path = os.path.join(directory, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.writelines(pieces)


COMMAND = Command(
    usage="kubectl cluster-info [flags] [options]",
    short="Display cluster information",
    long="Say where the control plane is, and services with the label "
    "kubernetes.io/cluster-service=true.",
    run=run,
    children={
        "dump": Command(
            "kubectl cluster-info dump [flags] [options]",
            "Dump relevant information for debugging and diagnosis",
            dump,
            flags=(
                Flag("all-namespaces", False, "If true, dump all namespaces.  If true, "
                     "--namespaces is ignored.", short="A", kind=Kind.BOOL),
                Flag("namespaces", [], "A comma separated list of namespaces to dump.",
                     kind=Kind.LIST),
                Flag("output", "json", "Output format. One of: (json, yaml, kyaml, name, "
                     "go-template, go-template-file, template, templatefile, jsonpath, "
                     "jsonpath-as-json, jsonpath-file).", short="o",
                     kind=Kind.FORMAT),
                Flag("show-managed-fields", False, "If true, keep the managedFields when printing "
                     "objects in JSON or YAML format.", kind=Kind.BOOL),
                TEMPLATE_FLAG,
                MISSING_KEYS_FLAG,
                timeout_flag(20.0),
                Flag("output-directory", usage="Where to output the files.  If empty or '-' uses "
                     "stdout, otherwise creates a directory hierarchy in that directory"),
            ),
        )
    },
)  # fmt: skip
