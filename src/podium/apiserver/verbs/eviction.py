"""POST to ``pods/<name>/eviction``: a deletion that asks the Pod's disruption budget first."""

from __future__ import annotations

from aiohttp.web import StreamResponse

from podium.api import errors, field
from podium.api.field import Path
from podium.api.scheme import PODS
from podium.api.types.meta_v1 import DeleteOptions
from podium.api.types.policy_v1 import Eviction
from podium.apiserver import bodies, query
from podium.apiserver.call import Call
from podium.apiserver.query import WriteOptions
from podium.apiserver.verbs import reply
from podium.registry import eviction

_POLICIES = ("Foreground", "Background", "Orphan", "nil")


async def evict(call: Call) -> StreamResponse:
    media = call.media()
    options = query.write_options(call.query, "CreateOptions")
    asked, warnings = await bodies.decode(call.request, Eviction, options.field_validation)
    call.warnings += warnings
    if asked.metadata.name != call.name:
        raise errors.bad_request("name in URL does not match name in Eviction object")
    delete = asked.delete_options or DeleteOptions()
    policy = delete.propagation_policy
    if policy is not None and policy not in _POLICIES:
        found = [field.not_supported(Path("propagationPolicy"), policy, _POLICIES)]
        raise errors.invalid_kind("meta.k8s.io", "DeleteOptions", "", found)
    dry_run = options.dry_run or bool(delete.dry_run)
    context = call.context(WriteOptions(dry_run=dry_run, field_manager=options.field_manager))
    await call.registry.admit(PODS, call.namespace, call.name, "eviction", asked, context)
    await eviction.evict(call.registry, call.namespace, call.name, delete, context)
    return reply.success(call, media, 201)
