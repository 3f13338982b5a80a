"""What the generators of ``kubectl create`` have in common: objects by flags, sent or shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import ResourceType
from podium.kubectl.errors import CommandError, StatusError
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.last_applied import annotated
from podium.kubectl.writing import (
    DRY_RUN_FLAG,
    MANAGED_FIELDS_FLAG,
    OUTPUT_FLAGS,
    SAVE_CONFIG_FLAG,
    VALIDATE_FLAG,
    check_output,
    dry_run,
    manager_flag,
    printed,
    write_query,
)

Map = dict[str, Any]
#: What an object of a name has beside its apiVersion, kind and name. Raises CommandError.
Build = Callable[[Invocation, str], Map]

COMMON_FLAGS = (DRY_RUN_FLAG, *OUTPUT_FLAGS, VALIDATE_FLAG, MANAGED_FIELDS_FLAG, SAVE_CONFIG_FLAG,
                manager_flag("kubectl-create"))  # fmt: skip


def required(name: str, usage: str, kind: Kind = Kind.TEXT, default: Any = "") -> Flag:
    """A flag that must be given; :func:`check_required` says so."""
    return Flag(name, default, usage, kind=kind, required=True)


def resource(group: str, version: str, plural: str, kind: str, *, namespaced: bool = True) -> Any:
    """Return the type as results name it; nothing else of it is asked for."""
    return ResourceType(group, version, plural, kind, namespaced, "", (), (), ())


def only_name(invocation: Invocation) -> str:
    """Return the one word before ``--``. Raises Said."""
    words = invocation.words[: invocation.dash]
    if len(words) != 1:
        raise invocation.misused(f"exactly one NAME is required, got {len(words)}")
    return words[0]


def creates(type_: ResourceType, build: Build, failed: str = "") -> Callable[[Invocation], int]:
    """Return what makes an object of a type; a refusal is told behind *failed*, if there is one."""

    def run(invocation: Invocation) -> int:
        name = only_name(invocation)
        create(invocation, type_, name, build(invocation, name), failed)
        return 0

    return run


def create(
    invocation: Invocation, type_: ResourceType, name: str, fields: Map, failed: str = ""
) -> None:
    """Create an object with *fields*, or show what it would be. Raises CommandError."""
    values, session = invocation.values, invocation.session
    metadata: Map = {"name": name}
    if type_.namespaced and session.enforces_namespace:
        metadata["namespace"] = session.namespace
    metadata.update(fields.pop("metadata", {}))
    obj = {"kind": type_.kind, "apiVersion": type_.group_version, "metadata": metadata, **fields}
    check_output(values)
    query = write_query(values)
    if values.save_config:
        obj = annotated(obj, typed=True)
    if dry_run(values) != "client":
        try:
            obj = session.send("POST", type_.path(session.namespace), query, obj)
        except StatusError as error:
            if not failed:
                raise
            raise CommandError(f"{failed} {error}") from error
    printed(invocation, type_, obj, "created", typed=True)


def generator(
    usage: str,
    short: str,
    run: Callable[[Invocation], int],
    flags: tuple[Flag, ...] = (),
    **more: Any,
) -> Command:
    """Return the command of a generator, with the flags of them all."""
    usage = f"kubectl create {usage} [options]"
    return Command(usage=usage, short=short, run=run, flags=(*flags, *COMMON_FLAGS), **more)


def dry_run_usage(text: str) -> str:
    return f"{text} [--dry-run=server|client|none]"


def int_or_text(text: str) -> int | str:
    """Return an IntOrString: a number where *text* is one that such a field can hold."""
    number = text.isascii() and text.isdigit() and int(text) < 1 << 31
    return int(text) if number else text
