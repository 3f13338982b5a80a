"""Objects that a command is for: of files, by name, or by selectors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from podium.kubectl import selectors
from podium.kubectl.command import Invocation
from podium.kubectl.discovery import Discovery, ResourceType
from podium.kubectl.errors import CommandError, Said, StatusError, Unread
from podium.kubectl.files import given
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.lists import refusal
from podium.kubectl.manifests import Manifest, entries, misplaced, readable
from podium.kubectl.session import Session
from podium.kubectl.targets import resolve
from podium.kubectl.writing import together

NOTHING_NAMED = """\
error: You must provide one or more resources by argument or filename.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'
   '<resource> <name>'
   '<resource>'"""
_NO_NAME = "resource(s) were provided, but no name was specified"
_WORDS_WITH_FILES = (
    "when paths, URLs, or stdin is provided as input, you may not specify resource arguments as "
    "well"
)
_SLASHED_WITH_FILES = "resource/name arguments cannot be provided when a path is specified"
NAME_WITH_SELECTOR = "name cannot be provided when a selector is specified"
SLASHED_WITH_SELECTOR = (
    "selectors and the all flag cannot be used when passing resource/name arguments"
)

ALL_FLAG = Flag("all", False, "Select all resources in the namespace of the specified resource "
                "types", kind=Kind.BOOL)  # fmt: skip
SELECTOR_FLAG = Flag("selector", usage="Selector (label query) to filter on, supports '=', '==', "
                     "'!=', 'in', 'notin'.(e.g. -l key1=value1,key2=value2,key3 in (value3)). "
                     "Matching objects must satisfy all of the specified label constraints.",
                     short="l")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Chosen:
    """An object by its name; *said* is what a file says of it, *listed* what a list showed."""

    type: ResourceType
    namespace: str
    name: str
    said: dict[str, Any] | None = None
    listed: dict[str, Any] | None = None
    source: str = ""

    @property
    def path(self) -> str:
        return self.type.path(self.namespace, self.name)

    def read(self, session: Session, subresource: str = "") -> dict[str, Any]:
        """Return what the server has. Raises StatusError."""
        if self.listed is not None and not subresource:
            return self.listed
        path = self.type.path(self.namespace, self.name, subresource)
        found: dict[str, Any] = session.http.one(path).json()
        return found


def choose(
    invocation: Invocation,
    words: Sequence[str],
    *,
    discovery: Discovery | None = None,
    every: bool = False,
    selects: bool = True,
    latest: bool = True,
    reads: bool = False,
    typed: bool = False,
) -> Iterable[Chosen]:
    """Return what files or *words* name, by the flags of the command. Raises CommandError.

    *every*: a type alone means all of its objects. *selects*: ``--selector`` chooses. Unless
    *latest* what a file says of an object counts, whatever the server has. What cannot be read of
    files, where the command *reads* what the server has of their objects that too, is told at their
    end, as ``manifests`` has it; of what kinds is known where they are to be *typed*.
    """
    values, session = invocation.values, invocation.session
    discovery = discovery or Discovery(session.http)
    slashed = any("/" in word for word in words)
    if given(values):
        if words:
            raise CommandError(_SLASHED_WITH_FILES if slashed else _WORDS_WITH_FILES)
        found = entries(invocation, discovery, typed=typed)
        read = readable(_of_file(session, one, latest=latest, reads=reads) for one in found)
        return _with_labels(read, getattr(values, "selector", "") if selects else "")
    if not words:
        raise Said(NOTHING_NAMED)
    names = ("selector", "field_selector") if selects else ()
    selected = any(getattr(values, name, "") for name in names)
    chosen: list[Chosen] = []
    for target in resolve(words, discovery):
        if target.name:
            if selected:
                raise CommandError(SLASHED_WITH_SELECTOR if slashed else NAME_WITH_SELECTOR)
            if getattr(values, "all_namespaces", False) and target.type.namespaced:
                raise CommandError("a resource cannot be retrieved by name across all namespaces")
            namespace = session.namespace if target.type.namespaced else ""
            chosen.append(Chosen(target.type, namespace, target.name))
        else:
            chosen += _listed(invocation, target.type, every=every, selects=selects)
    return chosen


def _with_labels(found: Iterable[Chosen], text: str) -> Iterable[Chosen]:
    """Return those with the labels of a selector, as files say or, where it was asked, the server.

    Raises CommandError.
    """
    if not text:
        return found
    matches = selectors.matching(text)

    def labels(one: Chosen) -> dict[str, str]:
        return ((one.listed or one.said or {}).get("metadata") or {}).get("labels") or {}

    return (one for one in found if matches(labels(one)))


def _of_file(
    session: Session, found: Manifest | CommandError, *, latest: bool, reads: bool
) -> Chosen | CommandError:
    if isinstance(found, CommandError):
        return found
    known = None if latest else found.document
    one = Chosen(found.type, found.namespace, found.name, found.document, known, found.source)
    if not reads:
        return one
    try:
        return replace(one, listed=one.read(session))
    except StatusError as error:
        return error


def read_all(session: Session, chosen: Iterable[Chosen]) -> list[Chosen]:
    """Return what was chosen, as the server has it. Raises CommandError for all that is missing."""
    found: list[Chosen] = []
    failures: list[CommandError] = []
    for one in chosen:
        try:
            obj = one.read(session)
        except StatusError as error:
            failures.append(error)
        else:
            found.append(Chosen(one.type, one.namespace, one.name, one.said, obj, one.source))
    if failures:
        raise together(failures)
    return found


def listed(
    session: Session, type_: ResourceType, namespace: str, query: list[tuple[str, str]]
) -> list[dict[str, Any]]:
    """Return the objects of a type, each with its kind, which items of a list do not say.

    Raises StatusError in the words that are for lists.
    """
    try:
        items = session.http.request("GET", type_.path(namespace), query).json()["items"]
    except StatusError as error:
        said = dict(query)
        labels, fields = said.get("labelSelector", ""), said.get("fieldSelector", "")
        raise refusal(error, type_, labels, fields) from error
    return [{"apiVersion": type_.group_version, "kind": type_.kind, **one} for one in items or ()]


def _listed(
    invocation: Invocation, type_: ResourceType, *, every: bool, selects: bool
) -> list[Chosen]:
    values, session = invocation.values, invocation.session
    selector = getattr(values, "selector", "") if selects else ""
    fields = getattr(values, "field_selector", "")
    if not (selector or fields or getattr(values, "all", False) or every):
        raise CommandError(_NO_NAME)
    query = [("labelSelector", selector)] if selector else []
    query += [("fieldSelector", fields)] if fields else []
    namespace = "" if getattr(values, "all_namespaces", False) else session.namespace
    found = []
    for obj in listed(session, type_, namespace, query):
        metadata = obj["metadata"]
        place = metadata.get("namespace", "")
        found.append(Chosen(type_, place, metadata["name"], None, obj))
    if session.enforces_namespace and not namespace and type_.namespaced and found:
        raise Unread([misplaced(one.namespace, "") for one in found])
    return found
