"""What the kinds that make Pods from a template have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from podium.api import meta, selectors
from podium.api.field import Path
from podium.api.types.autoscaling_v1 import Scale, ScaleSpec, ScaleStatus
from podium.api.types.core_v1 import PodSpec, PodTemplateSpec
from podium.api.types.meta_v1 import LabelSelector, ObjectMeta
from podium.registry.strategies.base import Strategy, T, UpdateRules
from podium.registry.strategies.closed_gates import drop_closed_fields
from podium.registry.strategies.pod_warnings import name_warnings, template_warnings
from podium.registry.strategies.table import NONE, Cell, Column

CONTAINERS = Column("Containers", priority=1)
IMAGES = Column("Images", priority=1)
SELECTOR = Column("Selector", priority=1)


class TemplateStrategy(Strategy[T]):
    """A kind with a template of Pods, which is held to what Pods are held to."""

    #: Where the template stands, for warnings.
    template_path = Path("spec.template")

    def template(self, obj: Any) -> PodTemplateSpec | None:
        template: PodTemplateSpec | None = obj.spec.template
        return template

    def prepare_for_create(self, obj: T, now: datetime) -> None:
        super().prepare_for_create(obj, now)
        template = self.template(obj)
        if template is not None:
            drop_closed_fields(template.spec)

    def prepare_for_update(self, new: T, old: T, now: datetime) -> None:
        template, before = self.template(new), self.template(old)
        if template is not None:
            drop_closed_fields(template.spec, before.spec if before is not None else None)
        super().prepare_for_update(new, old, now)

    def warnings_on_create(self, obj: T) -> list[str]:
        return list(self._template_warnings(obj))

    def warnings_on_update(self, new: T, old: T) -> list[str]:
        """What was warned of is not warned of again until the spec changes."""
        if meta.metadata(new).generation == meta.metadata(old).generation:
            return []
        return list(self._template_warnings(new))

    def _template_warnings(self, obj: T) -> Iterator[str]:
        template = self.template(obj)
        if template is not None:
            yield from template_warnings(self.template_path, template)


class WorkloadStrategy(TemplateStrategy[T]):
    """Status is a subresource, and generations of the spec are counted."""

    counts_generations = True

    def warnings_on_create(self, obj: T) -> list[str]:
        name = meta.metadata(obj).name
        return [
            *name_warnings(name, "Pod names and hostnames"),
            *super().warnings_on_create(obj),
        ]

    def rules(self, subresource: str = "") -> UpdateRules[T]:
        if subresource == "scale":
            return UpdateRules(self._prepare_scale_update, self.validate_update)
        return super().rules(subresource)

    def _prepare_scale_update(self, new: T, old: T, now: datetime) -> None:
        """Take nothing but the number of replicas from *new*."""
        wanted: Any = new
        kept: Any = old
        replicas = wanted.spec.replicas
        self.prepare_for_status_update(new, old, now)
        wanted.spec = msgspec.structs.replace(kept.spec, replicas=replicas)
        wanted.status = kept.status
        self.count_generation(new, old)

    def scale(self, obj: Any) -> Scale:
        """Return what ``/scale`` shows of *obj*. Only kinds with that subresource are asked."""
        metadata, spec = obj.metadata, obj.spec
        selector = spec.selector
        text = (
            ",".join(f"{key}={value}" for key, value in sorted(selector.items()))
            if isinstance(selector, dict)
            else selector_text(selector)
        )
        return Scale(
            metadata=ObjectMeta(
                name=metadata.name,
                namespace=metadata.namespace,
                uid=metadata.uid,
                resource_version=metadata.resource_version,
                creation_timestamp=metadata.creation_timestamp,
            ),
            spec=ScaleSpec(replicas=spec.replicas or 0),
            status=ScaleStatus(replicas=obj.status.replicas, selector=text),
        )


def selector_text(selector: LabelSelector | None) -> str:
    """Return *selector* in the form of a query; ``<none>`` where it says nothing."""
    if selector is None:
        return NONE
    return str(selectors.from_struct(selector)) or NONE


def labels_text(labels: Mapping[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items())) or NONE


def template_cells(spec: PodSpec) -> list[Cell]:
    """Return the cells of ``Containers`` and ``Images``."""
    return [
        ",".join(container.name for container in spec.containers),
        ",".join(container.image for container in spec.containers),
    ]
