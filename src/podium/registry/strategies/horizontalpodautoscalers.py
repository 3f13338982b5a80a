"""HorizontalPodAutoscalers."""

from __future__ import annotations

from datetime import datetime

from podium.api.defaults.autoscaling import set_defaults_autoscaler
from podium.api.field import FieldError
from podium.api.types.autoscaling_v2 import HorizontalPodAutoscaler, MetricSpec, MetricStatus
from podium.api.validation.autoscaling import validate_autoscaler, validate_autoscaler_status
from podium.registry.strategies.base import Strategy
from podium.registry.strategies.table import AGE, NAME, NONE, UNKNOWN, UNSET, Cell, Column, age

_SHOWN = 2


class HorizontalPodAutoscalerStrategy(Strategy[HorizontalPodAutoscaler]):
    columns = (
        NAME,
        Column("Reference"),
        Column("Targets"),
        Column("MinPods"),
        Column("MaxPods"),
        Column("Replicas"),
        AGE,
    )

    def default(self, obj: HorizontalPodAutoscaler) -> None:
        set_defaults_autoscaler(obj)

    def validate(self, obj: HorizontalPodAutoscaler) -> list[FieldError]:
        return self.validate_metadata(obj) + validate_autoscaler(obj)

    def validate_update(
        self, new: HorizontalPodAutoscaler, old: HorizontalPodAutoscaler
    ) -> list[FieldError]:
        return self.validate_metadata_update(new, old) + validate_autoscaler(new)

    def validate_status_update(
        self, new: HorizontalPodAutoscaler, old: HorizontalPodAutoscaler
    ) -> list[FieldError]:
        found = validate_autoscaler_status(new)
        return [*self.validate_metadata_update(new, old), *found]

    def row(self, obj: HorizontalPodAutoscaler, now: datetime) -> list[Cell]:
        spec = obj.spec
        return [
            obj.metadata.name,
            f"{spec.scale_target_ref.kind}/{spec.scale_target_ref.name}",
            _targets(spec.metrics, obj.status.current_metrics or []),
            UNSET if spec.min_replicas is None else str(spec.min_replicas),
            spec.max_replicas,
            obj.status.current_replicas,
            age(obj.metadata.creation_timestamp, now),
        ]


def _targets(specs: list[MetricSpec], statuses: list[MetricStatus]) -> str:
    """Return what is measured and aimed at, of the first metrics: ``cpu: 12%/80%``."""
    if not specs:
        return NONE
    texts = []
    for number, spec in enumerate(specs):
        status = statuses[number] if number < len(statuses) else MetricStatus()
        texts.append(_target(spec, status))
    more = f" + {len(texts) - _SHOWN} more..." if len(texts) > _SHOWN else ""
    return ", ".join(texts[:_SHOWN]) + more


def _target(spec: MetricSpec, status: MetricStatus) -> str:
    source = spec.resource or spec.container_resource
    measured = status.resource or status.container_resource
    if source is not None:
        current = measured.current if measured is not None else None
        if source.target.average_value is not None:
            now = current.average_value if current is not None else None
            return f"{source.name}: {now or UNKNOWN}/{source.target.average_value}"
        percent = current.average_utilization if current is not None else None
        wanted = source.target.average_utilization
        return (
            f"{source.name}: {UNKNOWN if percent is None else f'{percent}%'}/"
            f"{'<auto>' if wanted is None else f'{wanted}%'}"
        )
    other = spec.pods or spec.object or spec.external
    if other is None:
        return "<unknown type>"
    average = other.target.average_value
    return (
        f"{UNKNOWN}/{average} (avg)" if average is not None else f"{UNKNOWN}/{other.target.value}"
    )


STRATEGY = HorizontalPodAutoscalerStrategy
