"""``authorization.k8s.io/v1``: whether somebody may do something, and all that one may do.

Follows ``k8s.io/kubernetes/pkg/registry/authorization`` and ``pkg/apis/authorization/validation``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import urlencode

import msgspec
from aiohttp.web import StreamResponse

from podium.api import field
from podium.api.errors import bad_request, invalid_kind
from podium.api.field import FieldError, Path
from podium.api.go_text import Verbatim, quote
from podium.api.meta import metadata
from podium.api.selectors import escape_value
from podium.api.types.authorization_v1 import (
    FieldSelectorAttributes,
    LabelSelectorAttributes,
    LocalSubjectAccessReview,
    NonResourceAttributes,
    NonResourceRule,
    ResourceAttributes,
    ResourceRule,
    SelfSubjectAccessReview,
    SelfSubjectAccessReviewSpec,
    SelfSubjectRulesReview,
    SubjectAccessReview,
    SubjectAccessReviewSpec,
    SubjectAccessReviewStatus,
    SubjectRulesReviewStatus,
)
from podium.api.types.meta_v1 import ObjectMeta
from podium.api.user import UserInfo, node_name
from podium.api.validation.scheduling import validate_operands, validate_requirement
from podium.apiserver.call import Call
from podium.apiserver.paths import Query, RequestInfo
from podium.apiserver.reviews.exchange import give, take

GROUP = "authorization.k8s.io"
_SPEC = Path("spec")
_OPERATORS = {"In": "=", "NotIn": "!="}


async def subject_access_review(call: Call) -> StreamResponse:
    review, media = await take(call)
    assert isinstance(review, SubjectAccessReview)
    _refuse(_spec_offences(review.spec) + _metadata_offences(review.metadata, "must be empty"))
    review.status = await _decide(call, _subject(review.spec), review.spec)
    return give(call, review, media)


async def local_subject_access_review(call: Call) -> StreamResponse:
    review, media = await take(call)
    assert isinstance(review, LocalSubjectAccessReview)
    _refuse(_local_offences(review))
    review.status = await _decide(call, _subject(review.spec), review.spec)
    return give(call, review, media)


async def self_subject_access_review(call: Call) -> StreamResponse:
    review, media = await take(call)
    assert isinstance(review, SelfSubjectAccessReview)
    found = _what_offences(review.spec) + list(_selector_offences(review.spec))
    _refuse(found + _metadata_offences(review.metadata, "must be empty"))
    review.status = await _decide(call, call.user, review.spec)
    return give(call, review, media)


async def self_subject_rules_review(call: Call) -> StreamResponse:
    review, media = await take(call)
    assert isinstance(review, SelfSubjectRulesReview)
    namespace = review.spec.namespace
    if not namespace:
        raise bad_request("no namespace on request")
    return give(call, SelfSubjectRulesReview(status=_rules(call, namespace)), media)


def _rules(call: Call, namespace: str) -> SubjectRulesReviewStatus:
    grants = call.services.authorizer.grants(call.user, namespace)
    rules = grants.rules()
    errors = list(grants.errors)
    is_node = bool(node_name(call.user))
    if is_node:
        errors.insert(0, "node authorizer does not support user rule resolution")
    return SubjectRulesReviewStatus(
        resource_rules=[
            ResourceRule(
                verbs=rule.verbs,
                api_groups=rule.api_groups,
                resources=rule.resources,
                resource_names=rule.resource_names,
            )
            for rule in rules
            if rule.resources
        ],
        non_resource_rules=[
            NonResourceRule(verbs=rule.verbs, non_resource_urls=rule.non_resource_urls)
            for rule in rules
            if rule.non_resource_urls
        ],
        incomplete=is_node,
        evaluation_error=", ".join(errors),
    )


# ---------------------------------------------------------------------- asking


def _subject(spec: SubjectAccessReviewSpec) -> UserInfo:
    extra = {key: tuple(values) for key, values in spec.extra.items()}
    return UserInfo(spec.user, tuple(spec.groups), spec.uid, extra)


async def _decide(
    call: Call, user: UserInfo, spec: SubjectAccessReviewSpec | SelfSubjectAccessReviewSpec
) -> SubjectAccessReviewStatus:
    info, query = _attributes(spec)
    decision = call.services.authorizer.decide(user, info, query)
    return SubjectAccessReviewStatus(allowed=decision.allowed, reason=decision.reason)


def _attributes(
    spec: SubjectAccessReviewSpec | SelfSubjectAccessReviewSpec,
) -> tuple[RequestInfo, Query]:
    """Return what is asked about as a request would be seen by the authorizer."""
    other = spec.non_resource_attributes
    if other is not None:
        return RequestInfo("", other.path, other.verb), Query("")
    asked = spec.resource_attributes
    assert asked is not None  # validated
    info = RequestInfo(
        method="",
        path="",
        verb=asked.verb,
        is_resource=True,
        group=asked.group,
        version=asked.version,
        namespace=asked.namespace,
        resource=asked.resource,
        subresource=asked.subresource,
        name=asked.name,
    )
    return info, Query(urlencode({"fieldSelector": _field_selector(asked)}))


def _field_selector(asked: ResourceAttributes) -> str:
    """Return the selector as a list would name it; what has no such form restricts nothing."""
    selector = asked.field_selector
    if selector is None:
        return ""
    if selector.raw_selector:
        return selector.raw_selector
    return ",".join(
        f"{escape_value(term.key)}{_OPERATORS[term.operator]}{escape_value(term.values[0])}"
        for term in selector.requirements
        if term.operator in _OPERATORS and len(term.values) == 1
    )


# ---------------------------------------------------------------------- validating


def _refuse(found: Sequence[FieldError]) -> None:
    """Raises ApiError (422) where anything was found. Upstream names no kind here."""
    if found:
        raise invalid_kind(GROUP, "", "", found)


def _what_offences(
    spec: SubjectAccessReviewSpec | SelfSubjectAccessReviewSpec,
) -> list[FieldError]:
    what, other = spec.resource_attributes, spec.non_resource_attributes
    if what is not None and other is not None:
        why = "cannot be specified in combination with resourceAttributes"
        return [field.invalid(_SPEC.child("nonResourceAttributes"), _shown(other), why)]
    if what is None and other is None:
        why = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        return [field.invalid(_SPEC.child("resourceAttributes"), None, why)]
    return []


def _spec_offences(spec: SubjectAccessReviewSpec) -> list[FieldError]:
    found = _what_offences(spec)
    if not spec.user and not spec.groups:
        why = "at least one of user or group must be specified"
        found.append(field.invalid(_SPEC.child("user"), "", why))
    return [*found, *_selector_offences(spec)]


def _selector_offences(
    spec: SubjectAccessReviewSpec | SelfSubjectAccessReviewSpec,
) -> Iterator[FieldError]:
    """Yield what is wrong about selectors; operators may be ones that are still to come."""
    what, at = spec.resource_attributes, _SPEC.child("resourceAttributes")
    if what is None:
        return
    if what.field_selector is not None:
        here = at.child("fieldSelector")
        yield from _form_offences(here, what.field_selector)
        for i, term in enumerate(what.field_selector.requirements):
            place = here.child("requirements").index(i)
            if not term.key:
                yield field.required(place.child("key"), "must be specified")
            yield from validate_operands(place, term, any_operator=True)
    if what.label_selector is not None:
        here = at.child("labelSelector")
        yield from _form_offences(here, what.label_selector)
        for i, need in enumerate(what.label_selector.requirements):
            place = here.child("requirements").index(i)
            yield from validate_requirement(place, need, any_operator=True)


def _form_offences(
    at: Path, selector: FieldSelectorAttributes | LabelSelectorAttributes
) -> Iterator[FieldError]:
    if selector.raw_selector and selector.requirements:
        why = "may not specified at the same time as requirements"
        yield field.invalid(at.child("rawSelector"), selector.raw_selector, why)
    if not selector.raw_selector and not selector.requirements:
        why = f"when {at} is specified, requirements or rawSelector is required"
        yield field.required(at.child("requirements"), why)


def _local_offences(review: LocalSubjectAccessReview) -> list[FieldError]:
    without = msgspec.structs.replace(review.metadata, namespace="")
    found = _spec_offences(review.spec)
    found += _metadata_offences(without, "must be empty except for namespace")
    what, namespace = review.spec.resource_attributes, metadata(review).namespace
    if what is not None and what.namespace != namespace:
        at = _SPEC.child("resourceAttributes", "namespace")
        found.append(field.invalid(at, what.namespace, "must match metadata.namespace"))
    other = review.spec.non_resource_attributes
    if other is not None:
        at = _SPEC.child("nonResourceAttributes")
        found.append(field.invalid(at, _shown(other), "disallowed on this kind of request"))
    return found


def _metadata_offences(meta: ObjectMeta, why: str) -> list[FieldError]:
    bare = msgspec.structs.replace(meta, managed_fields=[])
    if bare == ObjectMeta():
        return []
    return [field.invalid(Path("metadata"), Verbatim(_shown_metadata(meta)), why)]


def _shown_metadata(meta: ObjectMeta) -> str:
    """Name and namespace as Go prints them; the rest of Go's dump says nothing to anybody."""
    return f"v1.ObjectMeta{{Name:{quote(meta.name)}, Namespace:{quote(meta.namespace)}}}"


def _shown(other: NonResourceAttributes) -> Verbatim:
    path, verb = quote(other.path), quote(other.verb)
    return Verbatim(f"authorization.NonResourceAttributes{{Path:{path}, Verb:{verb}}}")
