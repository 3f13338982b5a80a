"""POST to ``pods/<name>/restart?container=…``: containers start again in place.

It is all of them where none is named. There is no body; the answer is the Pod, with what was asked
for in an annotation that its node acts on (``podium.domain.pods.restart_request``). This is our
own, not Kubernetes'.
"""

from __future__ import annotations

from aiohttp.web import StreamResponse

from podium.apiserver import query
from podium.apiserver.call import Call
from podium.apiserver.negotiation import OBJECT_KINDS
from podium.apiserver.verbs import reply
from podium.registry.strategies.pods import RestartRequest


async def restart(call: Call) -> StreamResponse:
    media = call.media(OBJECT_KINDS)
    options = query.write_options(call.query, "CreateOptions")
    asked = RestartRequest(containers=call.query.all("container"))
    asked.metadata.name, asked.metadata.namespace = call.name, call.namespace
    item = await call.registry.create(
        call.resource, call.namespace, asked, call.context(options), name=call.name,
        subresource="restart",
    )  # fmt: skip
    return reply.stored(call, item, media, 201)
