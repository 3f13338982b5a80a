"""``kubectl api-resources``: what kinds the server has, each in the version it prefers."""

from __future__ import annotations

import json
from typing import Any

from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import Discovery, ResourceType
from podium.kubectl.errors import CommandError
from podium.kubectl.flags import Flag, Kind, Values
from podium.kubectl.printing.table import Aligner
from podium.kubectl.writing import MANAGED_FIELDS_FLAG, as_text

_HEADERS = ["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"]
_FORMATS = ("json", "kyaml", "name", "wide", "yaml")
_SORTS = ("", "kind", "name")


def run(invocation: Invocation) -> int:
    values = invocation.values
    if invocation.words:
        raise invocation.misused(f"unexpected arguments: [{' '.join(invocation.words)}]")
    if values.output not in ("", *_FORMATS):
        raise CommandError(
            f'unable to match a printer suitable for the output format "{values.output}", '
            f"allowed formats are: {','.join(_FORMATS)}"
        )
    if values.sort_by not in _SORTS:
        raise CommandError("--sort-by accepts only name or kind")
    types = [type_ for type_ in _preferred(invocation) if _wanted(type_, values)]
    if values.sort_by:
        types.sort(key=lambda type_: type_.plural if values.sort_by == "name" else type_.kind)
    if values.output == "name":
        for type_ in types:
            print(type_.qualified)
        return 0
    if values.output in ("json", "kyaml", "yaml"):
        listed = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "",
                  "resources": [_object(type_) for type_ in types]}  # fmt: skip
        print(_text(listed, values.output), end="")
        return 0
    wide = values.output == "wide"
    headers = [[*_HEADERS, *(["VERBS", "CATEGORIES"] if wide else [])]]
    rows = [_row(type_, wide=wide) for type_ in types]
    for line in Aligner().lines(rows if values.no_headers else headers + rows):
        print(line)
    return 0


def _preferred(invocation: Invocation) -> list[ResourceType]:
    found: dict[tuple[str, str], ResourceType] = {}
    for type_ in Discovery(invocation.session.http).types:
        if type_.verbs:
            found.setdefault((type_.group, type_.plural), type_)
    return [found[key] for key in sorted(found)]


def _wanted(type_: ResourceType, values: Values) -> bool:
    return (
        (not values.changed("api-group") or type_.group == values.api_group)
        and (not values.changed("namespaced") or type_.namespaced == values.namespaced)
        and set(values.verbs) <= set(type_.verbs)
        and set(values.categories) <= set(type_.categories)
    )


def _text(listed: dict[str, Any], output: str) -> str:
    if output == "json":
        return json.dumps(listed, indent=4) + "\n"
    if output == "yaml":
        return as_text(listed, "yaml")
    from podium.kubectl.printing.kyaml import dump

    return dump(listed)


def _object(type_: ResourceType) -> dict[str, Any]:
    found = {
        "name": type_.plural,
        "singularName": type_.singular,
        "namespaced": type_.namespaced,
        "group": type_.group,
        "version": type_.version,
        "kind": type_.kind,
        "verbs": list(type_.verbs),
        "shortNames": list(type_.short_names),
        "categories": list(type_.categories),
    }
    return {name: value for name, value in found.items() if value not in ("", [])}


def _row(type_: ResourceType, *, wide: bool) -> list[str]:
    row = [
        type_.plural,
        ",".join(type_.short_names),
        type_.group_version,
        str(type_.namespaced).lower(),
        type_.kind,
    ]
    return [*row, ",".join(type_.verbs), ",".join(type_.categories)] if wide else row


COMMAND = Command(
    usage="kubectl api-resources [options]",
    short="Print the supported API resources on the server",
    run=run,
    flags=(
        Flag("api-group", usage="Limit to resources in the specified API group."),
        Flag("categories", [], "Limit to resources that belong to the specified categories.",
             kind=Kind.LIST),
        Flag("namespaced", True, "If false, non-namespaced resources will be returned, otherwise "
             "returning namespaced resources by default.", kind=Kind.BOOL),
        Flag("no-headers", False, "When using the default or custom-column output format, don't "
             "print headers (default print headers).", kind=Kind.BOOL),
        Flag("output", usage="Output format. One of: (json, yaml, kyaml, name, wide).", short="o"),
        MANAGED_FIELDS_FLAG,
        Flag("sort-by", usage="If non-empty, sort list of resources using specified field. The "
             "field can be either 'name' or 'kind'."),
        Flag("cached", False, "Use the cached list of resources if available.", kind=Kind.BOOL),
        Flag("verbs", [], "Limit to resources that support the specified verbs.", kind=Kind.LIST),
    ),
)  # fmt: skip
