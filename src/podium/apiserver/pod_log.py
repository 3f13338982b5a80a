"""``pods/log``: a container's log, passed on from its node as it is written.

Follows ``k8s.io/kubernetes/pkg/registry/core/pod`` (``LogLocation``, validation of PodLogOptions).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress

from aiohttp import ClientError, ClientResponse
from aiohttp.web import Response, StreamResponse, WebSocketResponse

from podium.api import field
from podium.api.errors import ApiError, bad_request, failure, internal, invalid_kind
from podium.api.field import FieldError, Path
from podium.api.go_time import parse_time
from podium.api.scheme import NODES
from podium.api.types.core_v1 import Pod
from podium.api.types.meta_v1 import StatusDetails
from podium.apiserver import web_socket
from podium.apiserver.call import Call
from podium.apiserver.paths import Query
from podium.apiserver.query import integer
from podium.kit import unsized

_BASE64 = "base64.binary.k8s.io"
#: What logs are told in over WebSockets.
_PROTOCOLS = ("binary.k8s.io", _BASE64)
_STREAMS = ("All", "Stderr", "Stdout")
#: How much of a kubelet's error is passed on, in bytes.
_ERROR_LIMIT = 2048


async def log(call: Call) -> StreamResponse:
    pod = (await call.registry.get(call.resource, call.namespace, call.name)).obj
    options = log_options(call.query, pod.metadata.name)
    container = choose_container(pod, call.query.get("container"))
    if not pod.spec.node_name:
        return Response(status=204)
    node = (await call.registry.get(NODES, "", pod.spec.node_name)).obj
    path = f"/containerLogs/{pod.metadata.namespace}/{pod.metadata.name}/{container}"
    response: StreamResponse = StreamResponse(
        headers={"Content-Type": "text/plain", "Cache-Control": "no-cache, private"}
    )
    async with (
        call.services.streams.ending(),
        call.services.nodes.open(node, path, options) as upstream,
    ):
        if upstream.status >= 300:
            raise await _passed_on(upstream, call)
        with suppress(ClientError):  # the kubelet went away
            if web_socket.wanted(call.request):
                response = socket = await _socket(call)
                await _in_messages(upstream, socket)
            else:
                await _stream(call, upstream, response)
            return response
    if not response.prepared:
        raise internal("the server is shutting down")
    # Closing without the last chunk tells the client that this is not the end.
    response.force_close()
    if call.request.transport is not None:
        call.request.transport.abort()
    return response


async def _stream(call: Call, upstream: ClientResponse, response: StreamResponse) -> None:
    await unsized.begin(call.request, response)
    async for chunk in upstream.content.iter_any():
        await response.write(chunk)


async def _socket(call: Call) -> WebSocketResponse:
    """Return the WebSocket for a log. Raises ApiError (400, 403)."""
    names = web_socket.offered(call.request)
    chosen = [name for name in names if name in _PROTOCOLS][:1]
    if names and not chosen:
        text = f"requested protocol(s) are not supported: {names}; supports {list(_PROTOCOLS)}"
        raise failure(403, "Forbidden", text)
    return await web_socket.opened(call.request, chosen)


async def _in_messages(upstream: ClientResponse, socket: WebSocketResponse) -> None:
    """Send the log as messages, an empty one first."""

    async def send(chunk: bytes) -> None:
        if socket.ws_protocol == _BASE64:
            await socket.send_str(b64encode(chunk).decode())
        else:
            await socket.send_bytes(chunk)

    async def chunks() -> None:
        await send(b"")
        with suppress(ClientError):  # the kubelet went away
            async for chunk in upstream.content.iter_any():
                await send(chunk)

    await web_socket.while_there(socket, chunks())
    await socket.close()


def log_options(query: Query, pod_name: str) -> dict[str, str]:
    """Return the options to hand to the kubelet. Raises ApiError (400, 422)."""
    numbers = {name: integer(query, name) for name in ("tailLines", "limitBytes", "sinceSeconds")}
    since_time = query.get("sinceTime")
    if since_time:
        try:
            parse_time(since_time)
        except ValueError as exc:
            raise bad_request(str(exc)) from None
    found = list(_offences(numbers, since_time, query.get("stream")))
    if found:
        raise invalid_kind("", "PodLogOptions", pod_name, found)
    options = {name: str(value) for name, value in numbers.items() if value is not None}
    if since_time:
        options["sinceTime"] = since_time
    if query.get("stream") not in ("", "All"):
        options["stream"] = query.get("stream")
    for name in ("follow", "previous", "timestamps"):
        if query.flag(name):
            options[name] = "true"
    return options


def _offences(numbers: dict[str, int | None], since_time: str, stream: str) -> Iterator[FieldError]:
    tail, limit, since = numbers["tailLines"], numbers["limitBytes"], numbers["sinceSeconds"]
    if tail is not None and tail < 0:
        yield field.invalid(Path("tailLines"), tail, "must be greater than or equal to 0")
    if limit is not None and limit < 1:
        yield field.invalid(Path("limitBytes"), limit, "must be greater than 0")
    if since is not None and since_time:
        yield field.forbidden(
            Path("[]"), "at most one of `sinceTime` or `sinceSeconds` may be specified"
        )
    elif since is not None and since < 1:
        yield field.invalid(Path("sinceSeconds"), since, "must be greater than 0")
    if stream not in ("", *_STREAMS):
        yield field.not_supported(Path("stream"), stream, _STREAMS)
    elif stream not in ("", "All") and tail is not None:
        yield field.forbidden(
            Path("[]"), "`tailLines` and specific `stream` are mutually exclusive for now"
        )


def choose_container(pod: Pod, asked: str) -> str:
    """Return the container that is meant. Raises ApiError (400) where that is not clear."""
    spec, name = pod.spec, pod.metadata.name
    known = [container.name for container in (*spec.init_containers, *spec.containers)]
    known += [container.name for container in spec.ephemeral_containers]
    if asked:
        if asked not in known:
            raise bad_request(f"container {asked} is not valid for pod {name}")
        return asked
    if len(spec.containers) == 1:
        return spec.containers[0].name
    raise bad_request(
        f"a container name must be specified for pod {name}, choose one of: [{' '.join(known)}]"
    )


async def _passed_on(upstream: ClientResponse, call: Call) -> ApiError:
    """Return the kubelet's refusal as ``GenericHttpResponseChecker`` turns it into a Status."""
    said = bytearray()
    async for piece in upstream.content.iter_any():
        said += piece
        if len(said) >= _ERROR_LIMIT:
            break
    text = said[:_ERROR_LIMIT].decode(errors="replace")
    if upstream.status == 400:
        return bad_request(text)
    if upstream.status == 500:
        return internal(text)
    return failure(
        upstream.status,
        "NotFound" if upstream.status == 404 else "",
        f"the server responded with the status code {upstream.status} but did not return more "
        f"information (get pods/log {call.name}): {text}",
        StatusDetails(name=call.name, kind="pods/log"),
    )
