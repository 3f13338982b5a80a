"""LimitRanger: the LimitRanges of a namespace fill in what containers leave out, and bound them.

Follows ``plugin/pkg/admission/limitranger``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from podium.api import errors
from podium.api.quantity import parse
from podium.api.resources import pod_limits, pod_requests
from podium.api.scheme import LIMITRANGES, PERSISTENTVOLUMECLAIMS, PODS
from podium.api.types.core_v1 import Container, LimitRange, LimitRangeItem, Pod
from podium.domain.quota import text
from podium.registry.admission.base import Attributes

ANNOTATION = "kubernetes.io/limit-ranger"


class LimitRanger:
    name = "LimitRanger"

    async def admit(self, attributes: Attributes) -> None:
        """Fill in default limits and requests of new Pods, and say so in an annotation."""
        if attributes.resource is not PODS or attributes.subresource:
            return
        if attributes.operation != "CREATE":
            return
        pod: Pod = attributes.obj
        for limits in _ranges(attributes):
            _fill(pod, limits)

    async def validate(self, attributes: Attributes) -> None:
        """Raises ApiError (403) with everything that is beyond the limits."""
        if attributes.subresource or attributes.operation not in ("CREATE", "UPDATE"):
            return
        if attributes.resource is PODS and attributes.operation == "CREATE":
            found = [
                text for limits in _ranges(attributes) for text in _offences(attributes.obj, limits)
            ]
        elif attributes.resource is PERSISTENTVOLUMECLAIMS:
            requests = attributes.obj.spec.resources.requests
            found = [
                text
                for limits in _ranges(attributes)
                for item in limits.spec.limits or ()
                if item.type == "PersistentVolumeClaim"
                for text in _bounds(item, requests, {}, "PersistentVolumeClaim", requests_only=True)
            ]
        else:
            return
        if found:
            why = found[0] if len(found) == 1 else f"[{', '.join(found)}]"
            raise errors.forbidden(attributes.resource, attributes.name, why)


def _ranges(attributes: Attributes) -> list[LimitRange]:
    return list(attributes.reader.known(LIMITRANGES, attributes.namespace))


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
    title: str, container: Container, defaults: Mapping[str, str], requests: Mapping[str, str]
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


def _offences(pod: Pod, limits: LimitRange) -> Iterator[str]:
    for item in limits.spec.limits or ():
        if item.type == "Container":
            for container in (*pod.spec.containers, *pod.spec.init_containers):
                resources = container.resources
                yield from _bounds(item, resources.requests, resources.limits, "Container")
        elif item.type == "Pod":
            yield from _bounds(item, _texts(pod_requests(pod)), _texts(pod_limits(pod)), "Pod")


def _texts(amounts: Mapping[str, int]) -> dict[str, str]:
    return {name: text(name, amount) for name, amount in amounts.items()}


def _bounds(
    item: LimitRangeItem,
    requests: Mapping[str, str],
    limits: Mapping[str, str],
    kind: str,
    *,
    requests_only: bool = False,
) -> Iterator[str]:
    for name, least in sorted(item.min.items()):
        yield from _least(name, least, requests.get(name), limits.get(name), kind)
    for name, most in sorted(item.max.items()):
        stated = requests if requests_only else limits
        yield from _most(name, most, requests.get(name), stated.get(name), kind, requests_only)
    for name, ratio in sorted(item.max_limit_request_ratio.items()):
        yield from _ratio(name, ratio, requests.get(name), limits.get(name), kind)


def _least(
    name: str, least: str, request: str | None, limit: str | None, kind: str
) -> Iterator[str]:
    if request is None:
        yield f"minimum {name} usage per {kind} is {least}.  No request is specified"
    elif parse(request).value < parse(least).value:
        yield f"minimum {name} usage per {kind} is {least}, but request is {request}"
    elif limit is not None and parse(limit).value < parse(least).value:
        yield f"minimum {name} usage per {kind} is {least}, but limit is {limit}"


def _most(
    name: str, most: str, request: str | None, limit: str | None, kind: str, requests_only: bool
) -> Iterator[str]:
    if limit is None and not requests_only:
        yield f"maximum {name} usage per {kind} is {most}.  No limit is specified"
    elif not requests_only and limit is not None and parse(limit).value > parse(most).value:
        yield f"maximum {name} usage per {kind} is {most}, but limit is {limit}"
    elif request is not None and parse(request).value > parse(most).value:
        yield f"maximum {name} usage per {kind} is {most}, but request is {request}"


def _ratio(
    name: str, ratio: str, request: str | None, limit: str | None, kind: str
) -> Iterator[str]:
    begin = f"{name} max limit to request ratio per {kind} is {ratio}, but"
    if request is None or not parse(request).value:
        yield f"{begin} no request is specified or request is 0"
    elif limit is None:
        yield f"{begin} no limit is specified"
    else:
        actual = parse(limit).value / parse(request).value
        if actual > parse(ratio).value:
            yield f"{begin} provided ratio is {float(actual):f}"
