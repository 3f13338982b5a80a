"""Objects that a command changes in place: what is different is patched, or shown.

For ``kubectl set``: a change is a function that writes into an object.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from podium.kubectl.choosing import SELECTOR_FLAG, Chosen, choose, read_all
from podium.kubectl.command import Invocation
from podium.kubectl.discovery import ResourceType
from podium.kubectl.errors import CommandError, StatusError
from podium.kubectl.files import FILE_FLAGS, FILENAME_FLAG, documents, recursive_flag
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.manifests import readable
from podium.kubectl.patches import difference
from podium.kubectl.recording import recorded
from podium.kubectl.typed_objects import check_typed, typed
from podium.kubectl.writing import (
    DRY_RUN_FLAG,
    MANAGED_FIELDS_FLAG,
    OUTPUT_FLAGS,
    check_output,
    dry_run,
    each,
    manager_flag,
    printed,
    write_query,
)

Map = dict[str, Any]
Change = Callable[[ResourceType, Map], None]

_COMMON_FLAGS = (
    DRY_RUN_FLAG, *OUTPUT_FLAGS, MANAGED_FIELDS_FLAG, manager_flag("kubectl-set"),
    Flag("all", False, "Select all resources, in the namespace of the specified resource types",
         kind=Kind.BOOL),
    Flag("local", False, "If true, set will NOT contact api-server but run locally.",
         kind=Kind.BOOL),
)  # fmt: skip
SET_FLAGS = (*FILE_FLAGS, SELECTOR_FLAG, *_COMMON_FLAGS)
#: Those of the commands that choose by no labels.
SET_NAMED_FLAGS = (*FILE_FLAGS, *_COMMON_FLAGS)
#: Those of the command that has no kustomizations, either.
SET_FILED_FLAGS = (FILENAME_FLAG, recursive_flag(default=True), *_COMMON_FLAGS)

_TEMPLATED = frozenset(
    "DaemonSet Deployment Job ReplicaSet ReplicationController StatefulSet".split()
)


def check(invocation: Invocation) -> None:
    """Raise CommandError for flags that do not go together."""
    values = invocation.values
    check_output(values)
    if values.local and dry_run(values) == "server":
        raise CommandError(
            "cannot specify --local and --dry-run=server - did you mean --dry-run=client?"
        )


def chosen(invocation: Invocation, words: Sequence[str]) -> list[Chosen]:
    """Return what the command is for; with ``--local`` from files, and nobody is asked."""
    if not invocation.values.local:
        found = choose(invocation, words, reads=True, typed=True)
        return read_all(invocation.session, found)
    return [
        Chosen(one.type, "", one.name, one.said, typed(one.said or {}), one.source)
        for one in from_files(invocation, known=True)
    ]


def from_files(invocation: Invocation, *, known: bool = False) -> Iterator[Chosen]:
    """Yield the objects of the command's files as they say them; no server is asked.

    Kinds that nobody knows are taken unless they are to be *known*. Raises CommandError.
    """

    def entry(found: tuple[str, Map] | CommandError) -> Chosen | CommandError:
        if isinstance(found, CommandError):
            return found
        source, document = found
        if known:
            try:
                check_typed(source, document)
            except CommandError as exc:
                return exc
        name = (document.get("metadata") or {}).get("name", "")
        return Chosen(type_of(document), "", name, document, document, source)

    return readable(map(entry, documents(invocation)))


def type_of(document: Map) -> ResourceType:
    """Return the type of an object, without asking a server."""
    from podium.api import scheme

    version, kind = document["apiVersion"], document["kind"]
    group, _, plain = version.rpartition("/")
    known = scheme.find_kind(group, plain, kind)
    plural = known.plural if known is not None else f"{kind.lower()}s"
    return ResourceType(group, plain, plural, kind, known is None or known.namespaced)


def pod_spec(type_: ResourceType, obj: Map) -> Map:
    """Return the specification of the Pods that *obj* is, or makes. Raises CommandError."""
    if type_.kind == "Pod":
        found: Map = obj["spec"]
    elif type_.kind == "CronJob":
        found = obj["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    elif type_.kind in _TEMPLATED:
        found = obj["spec"]["template"]["spec"]
    else:
        what = f"*{type_.version}.{type_.kind}"
        raise CommandError(f"the object is not a pod or does not have a pod template: {what}")
    return found


class Unfit(CommandError):
    """An object that cannot be changed so; among others it has a line more, as upstream's."""

    def among_others(self) -> str:
        return f"{self}\n"


def name_among_failures(type_: ResourceType, name: str, *, local: bool) -> str:
    """Return how failures name an object, as upstream's does also where it has asked nobody."""
    if not local:
        return f"{type_.plural}/{name}"
    kind, group = type_.kind.lower(), type_.group
    return f"{kind}.{group}/{name}\n" if group else f"{kind}/{name}"


def update(
    invocation: Invocation,
    objects: Iterable[Chosen],
    change: Change,
    did: str,
    failed: str,
    *,
    named: bool = True,
    always: bool = False,
) -> int:
    """Change objects; return the exit code.

    *failed* stands before the server's refusals. *named*: what the change refuses is told with the
    object's name. *always*: say so also where nothing changes.
    """
    values, session = invocation.values, invocation.session
    query = write_query(values, validates=False)

    def one(item: Chosen) -> None:
        before = item.read(session)
        after = copy.deepcopy(before)
        try:
            change(item.type, after)
        except CommandError as exc:
            if isinstance(exc, StatusError) or not named:
                raise
            name = name_among_failures(item.type, item.name, local=values.local)
            raise Unfit(f"error: {name} {exc}") from exc
        after = recorded(invocation, after)
        if before == after and not always:
            return
        if not values.local and dry_run(values) != "client":
            after = _patched(invocation, item, before, after, query, failed)
        printed(invocation, item.type, after, did, typed=True, parts=True)

    return each(objects, one)


def _patched(
    invocation: Invocation, item: Chosen, before: Map, after: Map, query: Any, failed: str
) -> Map:
    patch, kind = difference(item.type, before, after)
    try:
        return invocation.session.send("PATCH", item.path, query, patch, kind)
    except StatusError as error:
        if not failed:
            raise
        raise CommandError(f"{failed} {error}".removesuffix("\n")) from error


def matching(containers: Sequence[Map], pattern: str) -> list[Map]:
    """Return the containers whose name *pattern*, with stars, matches."""
    import re

    stars = re.compile(".*".join(map(re.escape, pattern.split("*"))))
    return [one for one in containers if stars.fullmatch(one["name"])]
