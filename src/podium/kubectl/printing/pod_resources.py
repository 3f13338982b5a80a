"""What a Pod asks for and may use at most, all its containers together. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from podium.api import quantity
from podium.api.quantity import Amount

Map = Mapping[str, Any]
Amounts = dict[str, Amount]


def total(pod: Map, kind: str) -> Amounts:
    """Return the sum of *kind*, ``requests`` or ``limits``.

    Init containers run one by one, each beside the sidecars before it, and the others after them
    all: what counts is the most of what runs at once. The Pod's own amounts win over the sum.
    """
    spec = pod["spec"]
    running = _sum(_of(one, kind) for one in spec.get("containers") or ())
    sidecars: Amounts = {}
    most: Amounts = {}
    for one in spec.get("initContainers") or ():
        own = _of(one, kind)
        if one.get("restartPolicy") == "Always":
            sidecars = _sum((sidecars, own))
            most = _largest(most, sidecars)
        else:
            most = _largest(most, _sum((sidecars, own)))
    found = _largest(_sum((running, sidecars)), most)
    found |= _of(spec, kind)
    overhead = {name: quantity.parse(text) for name, text in (spec.get("overhead") or {}).items()}
    if kind == "limits":
        overhead = {name: amount for name, amount in overhead.items() if name in found}
    return _sum((found, overhead))


def sum_of(pods: Iterable[Map], kind: str) -> Amounts:
    return _sum(total(pod, kind) for pod in pods)


def _of(holder: Map, kind: str) -> Amounts:
    listed = (holder.get("resources") or {}).get(kind) or {}
    return {name: quantity.parse(text) for name, text in listed.items()}


def _sum(parts: Iterable[Amounts]) -> Amounts:
    found: Amounts = {}
    for part in parts:
        for name, amount in part.items():
            found[name] = found[name] + amount if name in found else amount
    return found


def _largest(one: Amounts, other: Amounts) -> Amounts:
    found = dict(one)
    for name, amount in other.items():
        if name not in found or found[name] < amount:
            found[name] = amount
    return found
