"""ControllerRevisions: what a controller made of a template at some time."""

from __future__ import annotations

from datetime import datetime

from podium.api import meta
from podium.api.field import FieldError, Path, required
from podium.api.types.apps_v1 import ControllerRevision
from podium.api.validation.common import Errors, immutable, non_negative
from podium.registry.strategies.base import Strategy
from podium.registry.strategies.table import AGE, NAME, NONE, Cell, Column, age


class ControllerRevisionStrategy(Strategy[ControllerRevision]):
    columns = (NAME, Column("Controller"), Column("Revision"), AGE)

    def validate(self, obj: ControllerRevision) -> list[FieldError]:
        return [*self.validate_metadata(obj), *_validate(obj)]

    def validate_update(self, new: ControllerRevision, old: ControllerRevision) -> list[FieldError]:
        found = self.validate_metadata_update(new, old)
        return [*found, *_validate(new), *immutable(Path("data"), new.data, old.data)]

    def row(self, obj: ControllerRevision, now: datetime) -> list[Cell]:
        owner = meta.controller_of(obj)
        controller = NONE
        if owner is not None:
            group = owner.api_version.partition("/")[0] if "/" in owner.api_version else ""
            kind = owner.kind.lower()
            controller = f"{kind}.{group}/{owner.name}" if group else f"{kind}/{owner.name}"
        created = obj.metadata.creation_timestamp
        return [obj.metadata.name, controller, obj.revision, age(created, now)]


def _validate(obj: ControllerRevision) -> Errors:
    if obj.data is None:
        yield required(Path("data"), "data is mandatory")
    yield from non_negative(Path("revision"), obj.revision)


STRATEGY = ControllerRevisionStrategy
