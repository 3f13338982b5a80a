"""What commands that change something have in common: dry runs, field managers, what they print."""

from __future__ import annotations

import json
import sys

from podium.kubectl.errors import CommandError, StatusError
from podium.kubectl.flags import Flag, Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from podium.kubectl.command import Invocation
    from podium.kubectl.discovery import ResourceType
    from podium.kubectl.flags import Values

DRY_RUN_FLAG = Flag(
    "dry-run", "none", 'Must be "none", "server", or "client". If client strategy, only print the '
    "object that would be sent, without sending it. If server strategy, submit server-side request "
    "without persisting the resource.", bare="unchanged",
)  # fmt: skip
OUTPUT_FLAG = Flag("output", usage="Output format. One of: (json, yaml, name).", short="o")
VALIDATE_FLAG = Flag(
    "validate", "strict", 'Must be one of: strict (or true), warn, ignore (or false). "true" or '
    '"strict" will use a schema to validate the input and fail the request if invalid.',
    bare="strict",
)  # fmt: skip
MANAGED_FIELDS_FLAG = Flag(
    "show-managed-fields", False, "If true, keep the managedFields when printing objects in JSON "
    "or YAML format.", kind=Kind.BOOL,
)  # fmt: skip


def manager_flag(default: str) -> Flag:
    return Flag("field-manager", default, "Name of the manager used to track field ownership.")


def dry_run(values: Values) -> str:
    """Return ``none``, ``client`` or ``server``. Raises CommandError."""
    text: str = values.dry_run
    if text == "unchanged":
        print("W1128 --dry-run is deprecated and can be replaced with --dry-run=client.",
              file=sys.stderr)  # fmt: skip
        return "client"
    if text not in ("none", "client", "server"):
        raise CommandError(
            f'Invalid dry-run value ({text}). Must be "none", "server", or "client".'
        )
    return text


_VALIDATION = {
    **dict.fromkeys(("strict", "true"), "Strict"),
    **dict.fromkeys(("ignore", "false"), "Ignore"),
    "warn": "Warn",
}


def write_query(values: Values, *, validates: bool = True) -> list[tuple[str, str]]:
    """Return the query of a write: dry run, field manager, validation."""
    query = [("dryRun", "All")] if dry_run(values) == "server" else []
    query += [("fieldManager", values.field_manager)] if values.field_manager else []
    if validates:
        text = str(values.validate).lower()
        if text not in _VALIDATION:
            raise CommandError(
                f'invalid - validate option "{values.validate}"; must be one of: strict (or true), '
                "warn, ignore (or false)"
            )
        query.append(("fieldValidation", _VALIDATION[text]))
    return query


def printed(invocation: Invocation, type_: ResourceType, obj: dict[str, Any], did: str) -> None:
    """Print what became of an object: ``pod/web created``, or with -o the object."""
    values = invocation.values
    if not values.output:
        print(f"{named(type_)}/{obj['metadata']['name']} {did}{suffix(values)}")
        return
    if values.output == "name":
        print(f"{named(type_)}/{obj['metadata']['name']}")
        return
    if values.output not in ("json", "yaml"):
        raise CommandError(
            f'unable to match a printer suitable for the output format "{values.output}", '
            "allowed formats are: json,name,yaml"
        )
    if not values.show_managed_fields:
        obj = {**obj, "metadata": {k: v for k, v in obj["metadata"].items()
                                   if k != "managedFields"}}  # fmt: skip
    print(as_text(obj, values.output), end="")


def as_text(document: Any, output: str) -> str:
    """Return *document* as kubectl prints it: JSON or YAML, keys sorted."""
    if output == "json":
        text = json.dumps(document, indent=4, sort_keys=True, ensure_ascii=False) + "\n"
        return text.translate(_ESCAPED)
    from podium.kubectl.printing.yaml_text import dump

    return dump(document)


#: What Go's encoder writes as escapes in texts, wherever JSON may end up.
_ESCAPED = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


def named(type_: ResourceType) -> str:
    """``pod``, ``deployment.apps``: how results name a type."""
    kind = type_.kind.lower()
    return f"{kind}.{type_.group}" if type_.group else kind


def suffix(values: Values) -> str:
    mode = values.dry_run if values.dry_run != "unchanged" else "client"
    return {"client": " (dry run)", "server": " (server dry run)"}.get(mode, "")


def each(things: Iterable[Any], work: Callable[[Any], None]) -> int:
    """Do *work* for each; what the server refuses does not keep the others from it.

    Returns the exit code; the refusals stand on stderr at the end.
    """
    refused: list[StatusError] = []
    for thing in things:
        try:
            work(thing)
        except StatusError as error:
            refused.append(error)
    sys.stdout.flush()
    for refusal in refused:
        print(refusal.lines(), file=sys.stderr)
    return 1 if refused else 0


def about_file(error: StatusError, verb: str, source: str) -> StatusError:
    """Return *error* as it is told of an object from a file."""
    message = f'error when {verb} "{source}": {error}'
    return StatusError({**error.status, "message": message})
