"""What the kinds that make Pods from a template have in common."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from podium.api import selectors
from podium.api.types.autoscaling_v1 import Scale, ScaleSpec, ScaleStatus
from podium.api.types.core_v1 import PodSpec
from podium.api.types.meta_v1 import LabelSelector, ObjectMeta
from podium.registry.strategies.base import Strategy, T, UpdateRules
from podium.registry.strategies.table import NONE, Cell, Column

CONTAINERS = Column("Containers", priority=1)
IMAGES = Column("Images", priority=1)
SELECTOR = Column("Selector", priority=1)


class WorkloadStrategy(Strategy[T]):
    """Status is a subresource, and generations of the spec are counted."""

    counts_generations = True

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
