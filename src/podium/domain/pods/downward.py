"""The downward API: fields of a Pod and resources of its containers, as text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import msgspec

from podium.api import quantity
from podium.api.types.core_v1 import (
    Container,
    ObjectFieldSelector,
    Pod,
    ResourceFieldSelector,
)
from podium.domain.pods.containers import find_container

_SUBSCRIPT = re.compile(r"^metadata\.(labels|annotations)\['(.*)'\]$")


class UnknownField(ValueError):
    """A field path, resource or container that the downward API does not have."""


class DownwardFacts(msgspec.Struct, frozen=True):
    """What a Pod's own object does not tell: addresses, and what the node has to give."""

    host_ip: str = ""
    pod_ips: tuple[str, ...] = ()
    allocatable: Mapping[str, str] | None = None
    #: Annotations that a kubelet adds to what the API has: where a Pod came from, and when.
    annotations: Mapping[str, str] = msgspec.field(default_factory=dict)


def field_value(pod: Pod, selector: ObjectFieldSelector, facts: DownwardFacts) -> str:
    """Return the text behind a ``fieldRef``. Raises UnknownField."""
    path = selector.field_path
    subscript = _SUBSCRIPT.match(path)
    if subscript:
        source = getattr(pod.metadata, subscript.group(1))
        return str(source.get(subscript.group(2), ""))
    simple = {
        "metadata.name": pod.metadata.name,
        "metadata.namespace": pod.metadata.namespace,
        "metadata.uid": pod.metadata.uid,
        "spec.nodeName": pod.spec.node_name,
        "spec.serviceAccountName": pod.spec.service_account_name,
        "status.hostIP": facts.host_ip,
        "status.hostIPs": facts.host_ip,
        "status.podIP": facts.pod_ips[0] if facts.pod_ips else "",
        "status.podIPs": ",".join(facts.pod_ips),
    }
    if path in simple:
        return simple[path]
    if path == "metadata.labels":
        return format_map(pod.metadata.labels)
    if path == "metadata.annotations":
        return format_map({**facts.annotations, **pod.metadata.annotations})
    raise UnknownField(f"unsupported fieldPath: {path}")


def format_map(values: Mapping[str, str]) -> str:
    """Write labels or annotations as the downward API's files have them: sorted, one a line."""
    return "\n".join(
        f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in sorted(values.items())
    )


def resource_value(
    pod: Pod, selector: ResourceFieldSelector, own: Container | None, facts: DownwardFacts
) -> str:
    """Return the number behind a ``resourceFieldRef``, divided and rounded up.

    *own* is the container that asks, where the selector names none. A limit that is not set is the
    node's allocatable; a request that is not set is the limit, or 0. Raises UnknownField.
    """
    container = own
    if selector.container_name:
        container = find_container(pod, selector.container_name)
    if container is None:
        raise UnknownField(f"container {selector.container_name} not found")
    kind, _, name = selector.resource.partition(".")
    if kind not in ("limits", "requests") or not name:
        raise UnknownField(f"unsupported container resource : {selector.resource}")
    limits, requests = container.resources.limits, container.resources.requests
    if kind == "limits":
        amount = limits.get(name) or (facts.allocatable or {}).get(name, "0")
    else:
        amount = requests.get(name) or limits.get(name, "0")
    return str(_divide(name, amount, selector.divisor or "1"))


def _divide(name: str, amount: str, divisor: str) -> int:
    measure = quantity.to_milli if name == "cpu" else quantity.to_int
    by = measure(divisor) or measure("1")
    return -(-measure(amount) // by)
