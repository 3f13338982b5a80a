"""``kubectl explain``: kinds and their fields, by what the server's OpenAPI documents say."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import Discovery, ResourceType
from podium.kubectl.errors import CommandError, Said, StatusError
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.printing import explain

_FORMATS = ("", "plaintext", "plaintext-openapiv2")


def run(invocation: Invocation) -> int:
    values = invocation.values
    if not invocation.words:
        raise CommandError(
            'You must specify the type of resource to explain. Use "kubectl api-resources" for a '
            "complete list of supported resources."
        )
    if len(invocation.words) > 1:
        raise CommandError("We accept only this format: explain RESOURCE")
    if values.output not in _FORMATS:
        raise CommandError(f"unrecognized format: {values.output}")
    type_, path = _meant(invocation)
    schemas = _schemas(invocation, type_)
    schema = schemas.kind(type_.group, type_.version, type_.kind)
    if schema is None:
        what = f"{type_.group}/{type_.version}, Kind={type_.kind}"
        raise CommandError(f'couldn\'t find resource for "{what}"')
    older = values.output == "plaintext-openapiv2"
    head = "" if older else explain.head(type_.group, type_.version, type_.kind)
    try:
        field = explain.walk(schemas, schema, path, head)
    except explain.NoSuchFieldError as exc:
        sys.stdout.write(exc.before)
        raise CommandError(str(exc)) from exc
    name = path[-1] if path else ""
    if older:
        kind = (type_.group_version, type_.kind)
        sys.stdout.write(explain.older(schemas, field, name, kind, recursive=values.recursive))
    else:
        text = explain.plain(
            schemas, field, name, recursive=values.recursive, depth=values.max_depth
        )
        sys.stdout.write(head + text)
    return 0


def _meant(invocation: Invocation) -> tuple[ResourceType, Sequence[str]]:
    """Return the type that is asked for, and the path of the field."""
    discovery, version = Discovery(invocation.session.http), invocation.values.api_version
    whole = invocation.words[0].removesuffix(".")
    if re.search(r"\[|\.\.|\A\.", whole):
        raise CommandError("invalid jsonpath syntax, first node must be field node")
    word, *path = whole.split(".")
    types = discovery.types
    try:
        found = discovery.find(word)
    except CommandError as exc:
        raise Said(str(exc)) from exc
    for candidate in types:  # deployments.apps.spec: the group may stand behind the resource
        group = candidate.group.split(".")
        if candidate.plural == word and group == path[: len(group)]:
            found, path = candidate, path[len(group) :]
            break
    if version and version != found.group_version:
        others = [one for one in types if one.plural == found.plural]
        chosen = next((one for one in others if one.group_version == version), None)
        if chosen is None:
            group, _, plain = version.rpartition("/")
            what = f"{group}/{plain}, Resource={found.plural}"
            raise CommandError(f'couldn\'t find resource for "{what}"')
        found = chosen
    return found, path


def _schemas(invocation: Invocation, type_: ResourceType) -> explain.Schemas:
    root = f"apis/{type_.group_version}" if type_.group else f"api/{type_.version}"
    try:
        answer = invocation.session.http.request("GET", f"/openapi/v3/{root}")
    except StatusError as error:
        if error.code != 404:
            raise
        raise CommandError(f'couldn\'t find resource for "{type_.group_version}"') from error
    return explain.Schemas(answer.json())


COMMAND = Command(
    usage="kubectl explain TYPE [--recursive=FALSE|TRUE] [--api-version=api-version-group] "
    "[-o|--output=plaintext|plaintext-openapiv2] [options]",
    short="Get documentation for a resource",
    long="Say what fields the objects of a kind have, and of what types they are.",
    examples="""
# Pods, and their fields
kubectl explain pods

# One field of theirs
kubectl explain pods.spec.containers

# All fields, however deep
kubectl explain pods --recursive
""",
    run=run,
    flags=(
        Flag("api-version", usage="Use given api-version (group/version) of the resource."),
        Flag("output", "plaintext", "Format in which to render the schema. Valid values are: "
             "(plaintext, plaintext-openapiv2).", short="o"),
        Flag("recursive", False, "When true, print the name of all the fields recursively. "
             "Otherwise, print the available fields with their description.", short="R",
             kind=Kind.BOOL),
        Flag("max-depth", 0, "Maximum depth when printing the fields recursively, 0 for no limit. "
             "It has an effect only with --recursive.", kind=Kind.INT),
    ),
)  # fmt: skip
