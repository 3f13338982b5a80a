"""PodTemplates."""

from __future__ import annotations

from datetime import datetime

from podium.api.defaults.workloads import set_defaults_pod_template
from podium.api.field import FieldError, Path
from podium.api.types.core_v1 import PodTemplate, PodTemplateSpec
from podium.api.validation.templates import validate_template
from podium.registry.strategies.table import NAME, Cell, Column
from podium.registry.strategies.workload import TemplateStrategy, labels_text, template_cells


class PodTemplateStrategy(TemplateStrategy[PodTemplate]):
    returns_deleted_object = True
    template_path = Path("template")
    columns = (NAME, Column("Containers"), Column("Images"), Column("Pod Labels"))

    def template(self, obj: PodTemplate) -> PodTemplateSpec:
        return obj.template

    def default(self, obj: PodTemplate) -> None:
        set_defaults_pod_template(obj)

    def validate(self, obj: PodTemplate) -> list[FieldError]:
        found = validate_template(Path("template"), obj.template)
        return self.validate_metadata(obj) + list(found)

    def prepare_for_create(self, obj: PodTemplate, now: datetime) -> None:
        super().prepare_for_create(obj, now)
        obj.metadata.generation = 1

    def prepare_for_update(self, new: PodTemplate, old: PodTemplate, now: datetime) -> None:
        super().prepare_for_update(new, old, now)
        changed = new.template != old.template
        new.metadata.generation = old.metadata.generation + changed

    def validate_update(self, new: PodTemplate, old: PodTemplate) -> list[FieldError]:
        found = validate_template(Path("template"), new.template)
        return self.validate_metadata_update(new, old) + list(found)

    def row(self, obj: PodTemplate, now: datetime) -> list[Cell]:
        cells = template_cells(obj.template.spec)
        return [obj.metadata.name, *cells, labels_text(obj.template.metadata.labels)]


STRATEGY = PodTemplateStrategy
