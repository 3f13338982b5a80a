"""Checks of Pod templates."""

from __future__ import annotations

from collections.abc import Mapping

from podium.api import meta
from podium.api.field import Path, forbidden
from podium.api.go_text import Verbatim, quote
from podium.api.types.core_v1 import Pod, PodTemplateSpec
from podium.api.validation.common import Errors
from podium.api.validation.common import labels as validate_labels
from podium.api.validation.pod_annotations import validate_pod_annotations
from podium.api.validation.pods import validate_pod_spec


def validate_template(path: Path, template: PodTemplateSpec) -> Errors:
    """Check a template as the Pods that will be made of it."""
    pod = Pod(metadata=template.metadata, spec=template.spec)
    yield from validate_labels(path.child("labels"), template.metadata.labels)
    yield from meta.validate_annotations(template.metadata.annotations, path.child("annotations"))
    yield from validate_pod_annotations(path.child("annotations"), pod)
    # Without its metadata, which is not the Pods' own: names of claims are made of those.
    yield from validate_pod_spec(path.child("spec"), Pod(spec=template.spec), template=True)
    if template.spec.ephemeral_containers:
        at = path.child("spec", "ephemeralContainers")
        yield forbidden(at, "ephemeral containers not allowed in pod template")


def go_labels(labels: Mapping[str, str]) -> Verbatim:
    """Return labels as Go dumps a map of them."""
    if not labels:
        return Verbatim("map[string]string(nil)")
    pairs = ", ".join(f"{quote(key)}:{quote(labels[key])}" for key in sorted(labels))
    return Verbatim(f"map[string]string{{{pairs}}}")
