"""Validation of Nodes."""

from __future__ import annotations

from podium.api.field import FieldError, Path, duplicate, forbidden, invalid
from podium.api.types.core_v1 import Node
from podium.api.validation.common import Errors, cidr, families
from podium.api.validation.resources import validate_amount
from podium.api.validation.scheduling import validate_taints

SPEC, STATUS = Path("spec"), Path("status")


def validate_node(node: Node) -> list[FieldError]:
    """Return the offences of a new Node, beyond those of the metadata."""
    errors = list(validate_taints(Path("metadata.taints"), node.spec.taints))
    errors.extend(_validate_amounts(node))
    errors.extend(_validate_cidrs(SPEC.child("podCIDRs"), node.spec.pod_cidrs))
    return errors


def validate_node_update(new: Node, old: Node) -> list[FieldError]:
    """Return the offences of an update, of the spec as of the status."""
    errors = list(_validate_amounts(new))
    seen: set[tuple[str, str]] = set()
    for i, address in enumerate(new.status.addresses):
        key = (address.type, address.address)
        if key in seen:
            errors.append(duplicate(STATUS.child("addresses").index(i), address))
        seen.add(key)
    for name, mine, theirs in (
        ("podCIDRs", new.spec.pod_cidrs, old.spec.pod_cidrs),
        ("providerID", new.spec.provider_id, old.spec.provider_id),
    ):
        if theirs and mine != theirs:
            what = "podCIDR" if name == "podCIDRs" else name
            text = f'node updates may not change {what} except from "" to valid'
            errors.append(forbidden(SPEC.child(name), text))
    errors.extend(validate_taints(Path("metadata.taints"), new.spec.taints))
    if new.spec.external_id != old.spec.external_id:
        errors.append(forbidden(SPEC.child("externalID"), "may not be updated"))
    return errors


def _validate_amounts(node: Node) -> Errors:
    for part, amounts in (
        ("capacity", node.status.capacity),
        ("allocatable", node.status.allocatable),
    ):
        for name in sorted(amounts):
            yield from validate_amount(STATUS.child(part, name), name, amounts[name])


def _validate_cidrs(path: Path, cidrs: list[str]) -> Errors:
    for i, value in enumerate(cidrs):
        yield from cidr(path.index(i), value)
    kinds = families(cidrs)
    if len(set(kinds)) < len(kinds):
        yield invalid(path, cidrs, "may specify no more than one CIDR for each IP family")
    for i, value in enumerate(cidrs):
        if value in cidrs[:i]:
            yield duplicate(path.index(i), value)
