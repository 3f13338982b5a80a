"""``pods/exec``, ``pods/attach`` and ``pods/portforward``: to the kubelet of the Pod's node.

Follows ``k8s.io/kubernetes/pkg/registry/core/pod`` (``AttachLocation`` and its fellows).
"""

from __future__ import annotations

from urllib.parse import quote, urlencode

from aiohttp.web import StreamResponse
from msgspec.structs import replace

from podium.api.errors import bad_request, internal
from podium.api.scheme import NODES
from podium.api.types.core_v1 import Pod
from podium.apiserver import upgrade
from podium.apiserver.call import Call
from podium.apiserver.node_proxy import door
from podium.apiserver.pod_log import choose_container
from podium.apiserver.upgrade import Target

#: The kubelet's names for which streams are wanted.
_STREAMS = {"stdin": "input", "stdout": "output", "stderr": "error", "tty": "tty"}


async def exec_(call: Call) -> StreamResponse:
    query = [("command", word) for word in call.query.all("command")]
    return await _command(call, "exec", query)


async def attach(call: Call) -> StreamResponse:
    return await _command(call, "attach", [])


async def port_forward(call: Call) -> StreamResponse:
    query = [("port", port) for port in call.query.all("ports")]
    return await _connect(call, await _pod(call), "portForward", "", query)


async def _command(call: Call, action: str, query: list[tuple[str, str]]) -> StreamResponse:
    pod = await _pod(call)
    container = choose_container(pod, call.query.get("container"))
    query += [(theirs, "1") for ours, theirs in _STREAMS.items() if call.query.flag(ours)]
    return await _connect(call, pod, action, f"/{quote(container)}", query)


async def _pod(call: Call) -> Pod:
    await _may_connect(call)
    pod: Pod = (await call.registry.get(call.resource, call.namespace, call.name)).obj
    return pod


async def _may_connect(call: Call) -> None:
    """A WebSocket begins with GET, yet who opens one does more than read: that takes ``create``."""
    if call.info.verb == "get":
        creating = replace(call.info, verb="create")
        call.services.authorizer.authorize(call.user, creating, call.query)


async def _connect(
    call: Call, pod: Pod, action: str, rest: str, query: list[tuple[str, str]]
) -> StreamResponse:
    name = pod.metadata.name
    if not pod.spec.node_name:
        raise bad_request(f"pod {name} does not have a host assigned")
    if not upgrade.wanted(call.request):
        raise bad_request("Upgrade request required")
    node = (await call.registry.get(NODES, "", pod.spec.node_name)).obj
    path = f"/{action}/{quote(pod.metadata.namespace)}/{quote(name)}{rest}?{urlencode(query)}"
    at, (_, context) = door(node), await call.services.nodes.connections()
    async with call.services.streams.ending():
        return await upgrade.pass_on(call.request, Target(at.host, at.port, path, context))
    raise internal("the server is shutting down")
