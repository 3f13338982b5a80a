"""managedFields of what is answered and not kept: as upstream does, it says who has written it."""

from __future__ import annotations

from typing import Any

from podium.api import managed_fields
from podium.api.fields.extract import compare
from podium.api.fields.shapes import shape_of_type
from podium.api.meta import metadata
from podium.apiserver.call import Call
from podium.apiserver.query import WriteOptions


def note(call: Call, obj: Any, options: WriteOptions) -> None:
    """Note in *obj*, just decoded, the fields that the request has set."""
    kind = type(obj)
    subresource = call.subresource.name if call.subresource else ""
    empty = managed_fields.plain_without_owners(kind())
    written = managed_fields.plain_without_owners(obj)
    try:
        comparison = compare(shape_of_type(kind), empty, written)
    except ValueError:  # items without their keys: owners cannot be told
        return
    manager = managed_fields.Manager(
        call.context(options).field_manager, managed_fields.UPDATE, obj.api_version, subresource
    )
    now = call.services.clock.now().replace(microsecond=0)
    managed = managed_fields.update({}, comparison, manager, now)
    metadata(obj).managed_fields = managed_fields.encode(managed)
