"""``serviceaccounts/token``: a token for a service account, bound to a Pod where asked.

Follows ``k8s.io/kubernetes/pkg/registry/core/serviceaccount/storage/token.go`` and
``pkg/apis/authentication/validation``.
"""

from __future__ import annotations

import uuid
from datetime import timedelta

import msgspec
from aiohttp.web import StreamResponse

from podium.api import codec, field
from podium.api.errors import ApiError, bad_request, failure, invalid_kind
from podium.api.field import FieldError, Path
from podium.api.meta import metadata
from podium.api.scheme import NODES, PODS, SECRETS
from podium.api.types.authentication_v1 import (
    BoundObjectReference,
    TokenRequest,
    TokenRequestStatus,
)
from podium.api.types.meta_v1 import StatusDetails
from podium.apiserver import bodies, owners, query, responses
from podium.apiserver.auth.tokens import Claims, Ref
from podium.apiserver.call import Call
from podium.registry.types import Stored

GROUP = "authentication.k8s.io"
DEFAULT_SECONDS = 3600
MIN_SECONDS = 600
MAX_SECONDS = 1 << 32


class _Bound(msgspec.Struct, frozen=True):
    pod: Ref | None = None
    secret: Ref | None = None
    node: Ref | None = None


async def create_token(call: Call) -> StreamResponse:
    media = call.media()
    options = query.write_options(call.query, "CreateOptions")
    request, warnings = await bodies.decode(call.request, TokenRequest, options.field_validation)
    call.warnings += warnings
    context = call.context(options)
    await call.registry.admit(call.resource, call.namespace, call.name, "token", request, context)
    account = await call.registry.get(call.resource, call.namespace, call.name)
    if request.spec.expiration_seconds is None:
        request.spec.expiration_seconds = DEFAULT_SECONDS
    owners.note(call, request, options)
    _complete(request, call, account)
    found = validate(request)
    if found:
        raise invalid_kind(GROUP, "TokenRequest", "", found)
    bound = await _bound(call, request.spec.bound_object_ref)
    if not options.dry_run:
        _sign(call, request, account, bound)
    return responses.answer(codec.encode(request), media, 201, call.warnings)


def _complete(request: TokenRequest, call: Call, account: Stored) -> None:
    """Fill in what the path and the defaults say; refuse another account's name or uid."""
    meta = request.metadata
    if meta.name and meta.name != call.name:
        raise bad_request(
            f"the name in the token request ({meta.name}) does not match the name on the URL "
            f"({call.name})"
        )
    bodies.match_namespace(request, call.info, call.resource)
    uid = metadata(account.obj).uid
    if meta.uid and meta.uid != uid:
        raise _conflict(
            "TokenRequest",
            call.name,
            f"the UID in the token request ({meta.uid}) does not match the UID of the service "
            f"account ({uid})",
        )
    meta.name = call.name
    meta.creation_timestamp = call.services.clock.now().replace(microsecond=0)
    if not request.spec.audiences:
        request.spec.audiences = [call.services.signer.issuer]
    request.status = TokenRequestStatus()


def validate(request: TokenRequest) -> list[FieldError]:
    seconds = request.spec.expiration_seconds or 0
    at = Path("spec").child("expirationSeconds")
    if seconds < MIN_SECONDS:
        return [field.invalid(at, seconds, "may not specify a duration less than 10 minutes")]
    if seconds > MAX_SECONDS:
        return [field.invalid(at, seconds, "may not specify a duration larger than 2^32 seconds")]
    return []


async def _bound(call: Call, ref: BoundObjectReference | None) -> _Bound:
    """Return the objects that the token is to die with. Raises ApiError (400, 404, 409)."""
    if ref is None:
        return _Bound()
    group, _, version = ref.api_version.rpartition("/")
    resource = {"Pod": PODS, "Secret": SECRETS, "Node": NODES}.get(ref.kind)
    if group or resource is None:
        kind = f"{group}/{version}, Kind={ref.kind}"
        raise bad_request(f"cannot bind token to object of type {kind}")
    namespace = call.namespace if resource.namespaced else ""
    found = await call.registry.get(resource, namespace, ref.name)
    target = _ref(found)
    if resource is PODS and found.obj.spec.service_account_name != call.name:
        raise bad_request(
            f'cannot bind token for serviceaccount "{call.name}" to pod running with different '
            "serviceaccount name."
        )
    if ref.uid and ref.uid != target.uid:
        raise _conflict(
            ref.kind,
            ref.name,
            f"the UID in the bound object reference ({ref.uid}) does not match the UID in record. "
            "The object might have been deleted and then recreated",
        )
    if resource is SECRETS:
        return _Bound(secret=target)
    if resource is NODES:
        return _Bound(node=target)
    return _Bound(pod=target, node=await _node_of(call, found.obj.spec.node_name))


async def _node_of(call: Call, name: str) -> Ref | None:
    if not name:
        return None
    try:
        return _ref(await call.registry.get(NODES, "", name))
    except ApiError as error:
        if error.code != 404:
            raise
        return Ref(name, "")


def _sign(call: Call, request: TokenRequest, account: Stored, bound: _Bound) -> None:
    now = call.services.clock.now()
    assert request.spec.expiration_seconds is not None
    expires = now.replace(microsecond=0) + timedelta(seconds=request.spec.expiration_seconds)
    claims = Claims(
        namespace=call.namespace,
        service_account=_ref(account),
        audiences=tuple(request.spec.audiences),
        expires=expires,
        pod=bound.pod,
        secret=bound.secret,
        node=bound.node,
        id=str(uuid.uuid4()),
    )
    token = call.services.signer.sign(claims, now)
    request.status = TokenRequestStatus(token=token, expiration_timestamp=expires)


def _ref(item: Stored) -> Ref:
    meta = metadata(item.obj)
    return Ref(meta.name, meta.uid)


def _conflict(kind: str, name: str, why: str) -> ApiError:
    qualified = f"{kind}.{GROUP}" if kind == "TokenRequest" else kind
    group = GROUP if kind == "TokenRequest" else ""
    return failure(
        409,
        "Conflict",
        f'Operation cannot be fulfilled on {qualified} "{name}": {why}',
        StatusDetails(name=name, group=group, kind=kind),
    )
