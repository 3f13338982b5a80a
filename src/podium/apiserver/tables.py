"""Objects as Tables and as metadata alone: the two kinds that every resource can be turned into.

Follows ``k8s.io/apiserver/pkg/endpoints/handlers/response.go``. Cells come from the kinds'
strategies.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from podium.api import codec
from podium.api.errors import bad_request
from podium.api.scheme import Resource
from podium.apiserver.negotiation import META, MediaType
from podium.apiserver.paths import Query
from podium.registry.strategies import strategy_for
from podium.registry.strategies.table import Column, describe
from podium.registry.types import Stored

INCLUDE_OBJECT = ("", "Metadata", "Object", "None")


class TableOptions(msgspec.Struct, frozen=True):
    """``includeObject``: what of each object its row carries."""

    include_object: str = "Metadata"


def table_options(query: Query) -> TableOptions:
    """Raises ApiError (400)."""
    include = query.get("includeObject")
    if include not in INCLUDE_OBJECT:
        raise bad_request(
            f'Unable to convert to Table as requested: includeObject: Invalid value: "{include}": '
            "must be 'Metadata', 'Object', 'None', or empty"
        )
    return TableOptions(include or "Metadata")


def table(
    resource: Resource,
    items: Sequence[Stored],
    media: MediaType,
    metadata: dict[str, Any],
    options: TableOptions,
    now: datetime,
    *,
    with_columns: bool = True,
) -> dict[str, Any]:
    """Return a Table of *items*; *metadata* is the list's own.

    Without columns, as watches send it from the second event on, they are null.
    """
    strategy = strategy_for(resource)
    rows = []
    for item in items:
        row: dict[str, Any] = {"cells": strategy.row(item.obj, now)}
        conditions = strategy.row_conditions(item.obj)
        if conditions:
            row["conditions"] = conditions
        row["object"] = _row_object(item, options, media)
        rows.append(row)
    return {
        "kind": "Table",
        "apiVersion": media.api_version,
        "metadata": metadata,
        "columnDefinitions": _columns(resource, strategy.columns) if with_columns else None,
        "rows": rows,
    }


def _columns(resource: Resource, columns: Sequence[Column]) -> list[dict[str, Any]]:
    return [
        {
            "name": column.name,
            "type": column.type,
            "format": column.format,
            "description": describe(resource.kind, column),
            "priority": column.priority,
        }
        for column in columns
    ]


def _row_object(item: Stored, options: TableOptions, media: MediaType) -> Any:
    if options.include_object == "None":
        return None
    if options.include_object == "Object":
        return msgspec.Raw(item.data)
    return partial(item, media.api_version)


def partial(item: Stored, api_version: str = f"{META}/v1") -> dict[str, Any]:
    """Return the PartialObjectMetadata of an object."""
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": api_version,
        "metadata": msgspec.Raw(codec.encode(item.obj.metadata)),
    }


def partial_list(
    items: Sequence[Stored], metadata: dict[str, Any], api_version: str = f"{META}/v1"
) -> dict[str, Any]:
    return {
        "kind": "PartialObjectMetadataList",
        "apiVersion": api_version,
        "metadata": metadata,
        "items": [partial(item, api_version) for item in items],
    }
