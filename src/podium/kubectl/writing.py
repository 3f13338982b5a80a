"""What commands that change something have in common: dry runs, field managers, what they print."""

from __future__ import annotations

import json
import sys

from podium.kubectl.errors import CommandError, Said, StatusError, Unreachable, Unread
from podium.kubectl.flags import FALSE, TRUE, Flag, Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from podium.kubectl.command import Invocation
    from podium.kubectl.discovery import ResourceType
    from podium.kubectl.flags import Values

DRY_RUN_FLAG = Flag(
    "dry-run", "none", 'Must be "none", "server", or "client". If client strategy, only print the '
    "object that would be sent, without sending it. If server strategy, submit server-side request "
    "without persisting the resource.", bare="unchanged",
)  # fmt: skip
TEMPLATE_FLAG = Flag(
    "template", usage="Template string or path to template file to use when -o=go-template, "
    "-o=go-template-file. The template format is golang templates "
    "[http://golang.org/pkg/text/template/#pkg-overview].",
)  # fmt: skip
MISSING_KEYS_FLAG = Flag(
    "allow-missing-template-keys", True, "If true, ignore any errors in templates when a field or "
    "map key is missing in the template. Only applies to golang and jsonpath output formats.",
    kind=Kind.BOOL,
)  # fmt: skip
OUTPUT_FLAGS = (
    Flag("output", usage="Output format. One of: (json, yaml, kyaml, name, go-template, "
         "go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file).",
         short="o", kind=Kind.FORMAT),
    TEMPLATE_FLAG,
    MISSING_KEYS_FLAG,
)  # fmt: skip
VALIDATE_FLAG = Flag(
    "validate", "strict", 'Must be one of: strict (or true), warn, ignore (or false). "true" or '
    '"strict" will use a schema to validate the input and fail the request if invalid.',
    bare="strict",
)  # fmt: skip
SAVE_CONFIG_FLAG = Flag(
    "save-config", False, "If true, the configuration of current object will be saved in its "
    "annotation. Otherwise, the annotation will be unchanged. This flag is useful when you want to "
    "perform kubectl apply on this object in the future.", kind=Kind.BOOL,
)  # fmt: skip
MANAGED_FIELDS_FLAG = Flag(
    "show-managed-fields", False, "If true, keep the managedFields when printing objects in JSON "
    "or YAML format.", kind=Kind.BOOL,
)  # fmt: skip


def manager_flag(default: str) -> Flag:
    return Flag("field-manager", default, "Name of the manager used to track field ownership.")


def log_warning(place: str, text: str, level: str = "W") -> None:
    """Print a warning as Go's klog does; *place* is where upstream's says it."""
    import os
    from datetime import UTC, datetime

    now = datetime.now(UTC)
    stamp = f"{now:%m%d %H:%M:%S.%f} {os.getpid():7}"
    print(f"{level}{stamp} {place}] {text}", file=sys.stderr)


def dry_run(values: Values) -> str:
    """Return ``none``, ``client`` or ``server``. Raises CommandError."""
    text: str = getattr(values, "dry_run", "none")
    if text == "unchanged":
        log_warning(
            "helpers.go:714", "--dry-run is deprecated and can be replaced with --dry-run=client."
        )
        values.settle(DRY_RUN_FLAG, "client")  # and told of once
        return "client"
    if text in FALSE or text in TRUE:
        mode, line = ("client", 728) if text in TRUE else ("none", 731)
        log_warning(
            f"helpers.go:{line}",
            f"--dry-run={text} is deprecated (boolean value) and can be replaced with "
            f"--dry-run={mode}.",
        )
        values.settle(DRY_RUN_FLAG, mode)
        return mode
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


def check_output(values: Values) -> None:
    """Raise CommandError for a format that objects are not printed in."""
    from podium.kubectl import formats

    formats.printer(values, formats.FOR_WRITERS)


def whole(values: Values) -> bool:
    """Whether objects are shown, not only named."""
    return bool(values.output or values.template) and values.output != "name"


#: What stands for the name of an object that the server has not named yet.
_UNNAMED = "<unknown>"


def printed(
    invocation: Invocation,
    type_: ResourceType,
    obj: dict[str, Any],
    did: str,
    *,
    typed: bool = False,
    parts: bool = False,
) -> None:
    """Print what became of an object: ``pod/web created``, or with -o the object.

    *typed*: upstream's has it in its own type, and prints JSON in the order of that. *parts*: all
    that the command prints is one text, whose documents are set apart.
    """
    values = invocation.values
    if not whole(values):
        name = f"{named(type_)}/{_own_name(obj)}"
        print(name if values.output == "name" else f"{name} {did}{suffix(values)}")
        return
    if parts and values.output == "yaml" and invocation.session.documents:
        print("---")
    invocation.session.documents += 1
    print(text_of(values, obj, typed=typed), end="")


def text_of(values: Values, obj: dict[str, Any], *, typed: bool = False) -> str:
    """Return an object in the format that was asked for. Raises CommandError."""
    from podium.kubectl import formats

    obj = formats.without_managers(obj, values)
    if typed and values.output == "json":
        return as_text(obj, "json", typed=True)
    if typed and values.output == "kyaml":
        from podium.kubectl.go_order import ordered
        from podium.kubectl.printing.kyaml import dump

        return dump(ordered(obj), sort=False)
    show = formats.printer(values, formats.FOR_WRITERS)
    return show(obj) if show is not None else ""


def as_text(document: Any, output: str, *, typed: bool = False) -> str:
    """Return *document* as kubectl prints it: JSON or YAML, keys sorted; *typed* JSON is in the
    order of Go's type."""
    if output == "json":
        if typed:
            from podium.kubectl.go_order import ordered

            document = ordered(document)
        text = json.dumps(document, indent=4, sort_keys=not typed, ensure_ascii=False) + "\n"
        return text.translate(ESCAPED)
    from podium.kubectl.printing.yaml_text import dump

    return dump(document)


#: What Go's encoder writes as escapes in texts, wherever JSON may end up.
ESCAPED = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


def named(type_: ResourceType) -> str:
    """``pod``, ``deployment.apps``: how results name a type."""
    return _named(type_.group, type_.kind)


def name_of(obj: dict[str, Any]) -> str:
    """``pod/web``, ``deployment.apps/web``: how results name an object by what it says itself."""
    group, slash, _ = (obj.get("apiVersion") or "").partition("/")
    return f"{_named(group if slash else '', obj['kind'])}/{_own_name(obj)}"


def _own_name(obj: dict[str, Any]) -> str:
    metadata = obj.get("metadata")
    return (metadata.get("name") if isinstance(metadata, dict) else "") or _UNNAMED


def _named(group: str, kind: str) -> str:
    return f"{kind.lower()}.{group}" if group else kind.lower()


def suffix(values: Values) -> str:
    return {"client": " (dry run)", "server": " (server dry run)"}.get(dry_run(values), "")


def each(
    things: Iterable[Any],
    work: Callable[[Any], None],
    *,
    before: Sequence[CommandError] = (),
    after: Sequence[CommandError] = (),
) -> int:
    """Do *work* for each; what fails for one does not keep the others from it.

    Returns the exit code; of several failures each is told at the end, a single one is raised.
    Things may end in an Unread; so may those of *before* and *after*.
    """
    failures = [*before]

    def one(thing: Any) -> None:
        try:
            work(thing)
        except Unreachable:
            raise
        except CommandError as error:
            failures.append(error)

    try:
        for thing in things:
            one(thing)
    except Unread as unread:
        failures.append(unread)
    failures += after
    if failures:
        raise together(failures)
    return 0


def together(failures: Sequence[CommandError]) -> CommandError:
    """Return one failure for several."""
    if len(failures) == 1:
        return failures[0]
    return Said("\n".join(one.among_others() for one in failures))


def about_file(error: StatusError, verb: str, source: str) -> StatusError:
    """Return *error* as it is told of an object from a file."""
    message = f'error when {verb} "{source}": {error}'
    return type(error)({**error.status, "message": message})
