"""LimitRanger: the LimitRanges of a namespace fill in what containers leave out, and bound them.

Follows ``plugin/pkg/admission/limitranger``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from podium.api import resources
from podium.api.quantity import parse
from podium.api.scheme import LIMITRANGES, PERSISTENTVOLUMECLAIMS, PODS
from podium.api.types.core_v1 import Container, LimitRange, LimitRangeItem, Pod
from podium.registry.admission.base import AdmissionPlugin, Attributes

ANNOTATION = "kubernetes.io/limit-ranger"

#: Quantities by the name of the resource.
_Amounts = Mapping[str, str]


class LimitRanger(AdmissionPlugin):
    name = "LimitRanger"
    resources = (PODS, PERSISTENTVOLUMECLAIMS)

    async def admit(self, attributes: Attributes) -> None:
        """Fill in default limits and requests of new Pods, and say so in an annotation."""
        if attributes.resource is not PODS or attributes.subresource:
            return
        if attributes.operation == "CREATE":
            for limits in _ranges(attributes):
                _fill(attributes.obj, limits)

    async def validate(self, attributes: Attributes) -> None:
        """Raises ApiError (403) with everything that is beyond the limits of a LimitRange."""
        if not _concerns(attributes):
            return
        for limits in _ranges(attributes):
            if attributes.resource is PODS:
                found = _pod_offences(attributes.obj, limits)
            else:
                found = _claim_offences(attributes.obj.spec.resources.requests, limits)
            texts = list(dict.fromkeys(found))  # containers that offend alike are told once
            if texts:
                why = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
                raise attributes.forbidden(why)


def _concerns(attributes: Attributes) -> bool:
    """Whether containers can be bounded, or a claim; what is being deleted is left alone."""
    resource, operation = attributes.resource, attributes.operation
    if attributes.old is not None and attributes.old.metadata.deletion_timestamp is not None:
        return False
    if resource is PODS:
        return (operation, attributes.subresource) in (("CREATE", ""), ("UPDATE", "resize"))
    claims = resource is PERSISTENTVOLUMECLAIMS and not attributes.subresource
    return claims and operation in ("CREATE", "UPDATE")


def _ranges(attributes: Attributes) -> list[LimitRange]:
    return list(attributes.reader.known(LIMITRANGES, attributes.namespace))


# ---------------------------------------------------------------------- defaults


def _fill(pod: Pod, limits: LimitRange) -> None:
    defaults: dict[str, str] = {}
    requests: dict[str, str] = {}
    for item in limits.spec.limits or ():
        if item.type == "Container":
            defaults |= item.default
            requests |= item.default_request
    said: list[str] = []
    for title, containers in (
        ("container", pod.spec.containers),
        ("init container", pod.spec.init_containers),
    ):
        for container in containers:
            said += _complete(title, container, defaults, requests)
    if said:
        text = f"LimitRanger plugin set: {'; '.join(said)}"
        pod.metadata.annotations = {**pod.metadata.annotations, ANNOTATION: text}


def _complete(
    title: str, container: Container, defaults: _Amounts, requests: _Amounts
) -> Iterator[str]:
    for word, stated, more in (
        ("request", "requests", requests),
        ("limit", "limits", defaults),
    ):
        there: dict[str, str] = getattr(container.resources, stated)
        new = sorted(name for name in more if name not in there)
        if new:
            setattr(container.resources, stated, {**there, **{name: more[name] for name in new}})
            yield f"{', '.join(new)} {word} for {title} {container.name}"


# ---------------------------------------------------------------------- bounds


def _pod_offences(pod: Pod, limits: LimitRange) -> Iterator[str]:
    for item in limits.spec.limits or ():
        if item.type == "Container":
            for container in (*pod.spec.containers, *pod.spec.init_containers):
                yield from _bounds(item, container.resources.requests, container.resources.limits)
        elif item.type == "Pod":
            requests = resources.pod_requests(pod, with_overhead=False)
            most = resources.pod_limits(pod, with_overhead=False)
            yield from _bounds(item, _texts(pod, requests), _texts(pod, most))


def _texts(pod: Pod, totals: resources.Amounts) -> dict[str, str]:
    return {name: str(amount) for name, amount in resources.as_written(pod, totals).items()}


def _claim_offences(requests: _Amounts, limits: LimitRange) -> Iterator[str]:
    """A claim's limits mean nothing: what is asked for counts."""
    for item in limits.spec.limits or ():
        if item.type == "PersistentVolumeClaim":
            for name, least in sorted(item.min.items()):
                yield from _least(item.type, name, least, requests.get(name), None)
            for name, most in sorted(item.max.items()):
                yield from _most_requested(item.type, name, most, requests.get(name))


def _bounds(item: LimitRangeItem, requests: _Amounts, limits: _Amounts) -> Iterator[str]:
    for name, least in sorted(item.min.items()):
        yield from _least(item.type, name, least, requests.get(name), limits.get(name))
    for name, most in sorted(item.max.items()):
        yield from _most(item.type, name, most, requests.get(name), limits.get(name))
    for name, ratio in sorted(item.max_limit_request_ratio.items()):
        yield from _ratio(item.type, name, ratio, requests.get(name), limits.get(name))


def _least(
    kind: str, name: str, least: str, request: str | None, limit: str | None
) -> Iterator[str]:
    begin = f"minimum {name} usage per {kind} is {least}"
    if request is None:
        yield f"{begin}.  No request is specified"
    elif parse(request) < parse(least):
        yield f"{begin}, but request is {request}"
    elif limit is not None and parse(limit) < parse(least):
        yield f"{begin}, but limit is {limit}"


def _most(kind: str, name: str, most: str, request: str | None, limit: str | None) -> Iterator[str]:
    begin = f"maximum {name} usage per {kind} is {most}"
    if limit is None:
        yield f"{begin}.  No limit is specified"
    elif parse(limit) > parse(most):
        yield f"{begin}, but limit is {limit}"
    elif request is not None and parse(request) > parse(most):
        yield f"{begin}, but request is {request}"


def _most_requested(kind: str, name: str, most: str, request: str | None) -> Iterator[str]:
    begin = f"maximum {name} usage per {kind} is {most}"
    if request is None:
        yield f"{begin}.  No request is specified"
    elif parse(request) > parse(most):
        yield f"{begin}, but request is {request}"


def _ratio(
    kind: str, name: str, ratio: str, request: str | None, limit: str | None
) -> Iterator[str]:
    begin = f"{name} max limit to request ratio per {kind} is {ratio}, but"
    if request is None or not parse(request):
        yield f"{begin} no request is specified or request is 0"
    elif limit is None or not parse(limit):
        yield f"{begin} no limit is specified or limit is 0"
    else:
        actual = parse(limit).value / parse(request).value
        if actual > parse(ratio).value:
            yield f"{begin} provided ratio is {float(actual):f}"
