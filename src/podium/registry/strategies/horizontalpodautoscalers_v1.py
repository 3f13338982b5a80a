"""HorizontalPodAutoscalers of ``autoscaling/v1``: the rules are those of ``v2``."""

from __future__ import annotations

from datetime import datetime

from podium.api.field import FieldError
from podium.api.scheme import Resource
from podium.api.types.autoscaling_v1 import HorizontalPodAutoscaler
from podium.api.views.horizontalpodautoscalers_v1 import from_hub, to_hub
from podium.registry.strategies.base import Strategy
from podium.registry.strategies.horizontalpodautoscalers import HorizontalPodAutoscalerStrategy
from podium.registry.strategies.table import Cell


class HorizontalPodAutoscalerV1Strategy(Strategy[HorizontalPodAutoscaler]):
    columns = HorizontalPodAutoscalerStrategy.columns

    def __init__(self, resource: Resource) -> None:
        super().__init__(resource)
        self._hub = HorizontalPodAutoscalerStrategy(resource)

    def default(self, obj: HorizontalPodAutoscaler) -> None:
        hub = to_hub(obj)
        self._hub.default(hub)
        view = from_hub(hub)
        obj.metadata.annotations = view.metadata.annotations
        obj.spec, obj.status = view.spec, view.status

    def prepare_for_create(self, obj: HorizontalPodAutoscaler, now: datetime) -> None:
        hub = to_hub(obj)
        self._hub.prepare_for_create(hub, now)
        self._take(obj, from_hub(hub))

    def prepare_for_update(
        self, new: HorizontalPodAutoscaler, old: HorizontalPodAutoscaler, now: datetime
    ) -> None:
        hub = to_hub(new)
        self._hub.prepare_for_update(hub, to_hub(old), now)
        self._take(new, from_hub(hub))

    def prepare_for_status_update(
        self, new: HorizontalPodAutoscaler, old: HorizontalPodAutoscaler, now: datetime
    ) -> None:
        hub = to_hub(new)
        self._hub.prepare_for_status_update(hub, to_hub(old), now)
        self._take(new, from_hub(hub))

    @staticmethod
    def _take(obj: HorizontalPodAutoscaler, prepared: HorizontalPodAutoscaler) -> None:
        for field in obj.metadata.__struct_fields__:  # others hold on to the metadata itself
            setattr(obj.metadata, field, getattr(prepared.metadata, field))
        obj.spec, obj.status = prepared.spec, prepared.status

    def validate(self, obj: HorizontalPodAutoscaler) -> list[FieldError]:
        return self._hub.validate(to_hub(obj))

    def validate_update(
        self, new: HorizontalPodAutoscaler, old: HorizontalPodAutoscaler
    ) -> list[FieldError]:
        return self._hub.validate_update(to_hub(new), to_hub(old))

    def validate_status_update(
        self, new: HorizontalPodAutoscaler, old: HorizontalPodAutoscaler
    ) -> list[FieldError]:
        return self._hub.validate_status_update(to_hub(new), to_hub(old))

    def row(self, obj: HorizontalPodAutoscaler, now: datetime) -> list[Cell]:
        return self._hub.row(to_hub(obj), now)


STRATEGY = HorizontalPodAutoscalerV1Strategy
