"""Amounts of resources, as they are stored: nothing is finer than a thousandth.

Follows ``SetDefaults_ResourceList`` of Kubernetes.
"""

from __future__ import annotations

from podium.api.quantity import whole_millis
from podium.api.types.core_v1 import ResourceRequirements, VolumeResourceRequirements


def rounded(amounts: dict[str, str]) -> dict[str, str]:
    """Return *amounts*, itself where nothing is to be rounded up."""
    for name, text in amounts.items():
        if (whole := whole_millis(text)) != text:
            amounts = {**amounts, name: whole}
    return amounts


def round_requirements(resources: ResourceRequirements | VolumeResourceRequirements) -> None:
    resources.limits = rounded(resources.limits)
    resources.requests = rounded(resources.requests)
