"""Validation of Leases."""

from __future__ import annotations

from podium.api import names
from podium.api.field import FieldError, Path, forbidden, invalid
from podium.api.types.coordination_v1 import Lease
from podium.api.validation.common import NOT_NEGATIVE, NOT_POSITIVE

SPEC = Path("spec")


def validate_lease(lease: Lease) -> list[FieldError]:
    """Return the offences of a Lease's spec."""
    spec = lease.spec
    errors: list[FieldError] = []
    if spec.lease_duration_seconds is not None and spec.lease_duration_seconds <= 0:
        at = SPEC.child("leaseDurationSeconds")
        errors.append(invalid(at, spec.lease_duration_seconds, NOT_POSITIVE))
    if spec.lease_transitions is not None and spec.lease_transitions < 0:
        at = SPEC.child("leaseTransitions")
        errors.append(invalid(at, spec.lease_transitions, NOT_NEGATIVE))
    if spec.strategy is not None:
        errors.extend(
            invalid(SPEC.child("strategy"), spec.strategy, message)
            for message in names.qualified_name(spec.strategy)
        )
    if spec.preferred_holder and not spec.strategy:
        text = "may only be specified when `strategy` is defined"
        errors.append(forbidden(SPEC.child("preferredHolder"), text))
    return errors
