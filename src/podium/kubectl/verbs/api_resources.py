"""``kubectl api-resources``: what kinds the server has, each in the version it prefers."""

from __future__ import annotations

from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import Discovery, ResourceType
from podium.kubectl.errors import CommandError, Said
from podium.kubectl.flags import Flag, Kind, Values
from podium.kubectl.printing.table import Aligner

_HEADERS = ["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"]
_FORMATS = ("name", "wide")


def run(invocation: Invocation) -> int:
    values = invocation.values
    if invocation.words:
        raise Said(
            f"error: unexpected arguments: [{' '.join(invocation.words)}]\n"
            f"See '{invocation.path} -h' for help and examples"
        )
    if values.output not in ("", *_FORMATS):
        raise CommandError(
            f'unable to match a printer suitable for the output format "{values.output}", '
            f"allowed formats are: {','.join(_FORMATS)}"
        )
    types = [type_ for type_ in _preferred(invocation) if _wanted(type_, values)]
    if values.output == "name":
        for type_ in types:
            print(type_.qualified)
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
        Flag("output", usage="Output format. One of: (name, wide).", short="o"),
        Flag("verbs", [], "Limit to resources that support the specified verbs.", kind=Kind.LIST),
    ),
)  # fmt: skip
