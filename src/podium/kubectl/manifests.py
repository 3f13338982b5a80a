"""Objects of files as commands take them: with the type that the server knows, and a place.

What cannot be read does not keep the rest from being used: it is told at the end.
"""

from __future__ import annotations

from podium.kubectl import selectors
from podium.kubectl.errors import CommandError, Unreachable, Unread
from podium.kubectl.files import documents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, TypeVar

    from podium.kubectl.command import Invocation
    from podium.kubectl.discovery import Discovery, ResourceType

    T = TypeVar("T")


class Manifest:
    """An object of a file, and where it goes: *namespace* is "" for kinds without one."""

    __slots__ = ("document", "name", "namespace", "source", "type")

    def __init__(
        self, source: str, document: dict[str, Any], type_: ResourceType, namespace: str, name: str
    ) -> None:
        self.source, self.document, self.type = source, document, type_
        self.namespace, self.name = namespace, name

    @property
    def path(self) -> str:
        assert self.name  # without it, this would be all objects
        return self.type.path(self.namespace, self.name)

    @property
    def collection(self) -> str:
        return self.type.path(self.namespace)


#: What commands do with the objects of files, where their errors say so.
_DOES = {"delete": "deleting", "replace": "replacing"}


def manifests(
    invocation: Invocation,
    discovery: Discovery,
    *,
    nameless: bool = False,
    validates: bool = False,
    goes_on: bool = True,
) -> Iterator[Manifest]:
    """Yield the objects of the command's files; what cannot be read is told after all others.

    Only *nameless* ones may be without a name: without one, a path is that of all objects. With
    *validates* they are to be as their schema says, where ``--validate`` does not forbid it. Unless
    it *goes_on* the first that cannot be read ends it. Raises CommandError.
    """
    found = entries(invocation, discovery, nameless=nameless, validates=validates)
    return readable(found, goes_on=goes_on)


def readable(found: Iterable[T | CommandError], *, goes_on: bool = True) -> Iterator[T]:
    """Yield what could be read; at the end raise Unread for what could not."""
    failures: list[CommandError] = []
    for one in found:
        if not isinstance(one, CommandError):
            yield one
        elif goes_on:
            failures.append(one)
        else:
            raise one
    if failures:
        raise Unread(failures)


def gathered(found: Iterable[T]) -> tuple[list[T], list[Unread]]:
    """Return what *found* yields before it ends, and the failure that it may end in."""
    items: list[T] = []
    try:
        items.extend(found)
    except Unread as exc:
        return items, [exc]
    return items, []


def entries(
    invocation: Invocation,
    discovery: Discovery,
    *,
    nameless: bool = False,
    validates: bool = False,
    typed: bool = False,
) -> Iterator[Manifest | CommandError]:
    """Yield the objects of the command's files, or why there is none, in their order.

    *typed*: only kinds that upstream's has types for are known.
    """
    for found in documents(invocation, validates=validates):
        if isinstance(found, CommandError):
            yield found
            continue
        try:
            made = _manifest(invocation, discovery, *found, typed=typed)
            if not made.name and not nameless:
                raise _NamelessError(_without_name(invocation.path.split(" ")[1], made))
        except Unreachable:
            raise
        except CommandError as exc:
            yield exc
        else:
            yield made


class _NamelessError(CommandError):
    """An object of a file has no name."""

    def among_others(self) -> str:
        return self.lines()


def _without_name(verb: str, manifest: Manifest) -> str:
    text = "resource name may not be empty"
    return f'error when {_DOES[verb]} "{manifest.source}": {text}' if verb in _DOES else text


def _manifest(
    invocation: Invocation,
    discovery: Discovery,
    source: str,
    document: dict[str, Any],
    *,
    typed: bool,
) -> Manifest:
    kind, version = document["kind"], document["apiVersion"]
    if typed:
        from podium.kubectl.typed_objects import check_typed

        check_typed(source, document)
    try:
        type_ = discovery.kind(version, kind)
    except CommandError as exc:
        name = (document.get("metadata") or {}).get("name", "")
        raise CommandError(
            f'resource mapping not found for name: "{name}" namespace: '
            f'"{(document.get("metadata") or {}).get("namespace", "")}" from "{source}": {exc}'
        ) from exc
    metadata = document.setdefault("metadata", {})
    namespace = ""
    if type_.namespaced:
        session = invocation.session
        namespace = metadata.get("namespace") or session.namespace
        if session.enforces_namespace and namespace != session.namespace:
            raise misplaced(namespace, session.namespace)
        metadata["namespace"] = namespace
    return Manifest(source, document, type_, namespace, metadata.get("name", ""))


def misplaced(namespace: str, wanted: str) -> CommandError:
    """Return the failure for an object of another namespace than that of the command."""
    return CommandError(
        f'the namespace from the provided object "{namespace}" does not match the namespace '
        f"\"{wanted}\". You must pass '--namespace={namespace}' to perform this operation."
    )


def selected(found: Iterable[Manifest], text: str) -> Iterator[Manifest]:
    """Yield what has the labels of a selector. Raises CommandError."""
    for one in having(found, text):
        assert not isinstance(one, CommandError)  # there were none
        yield one


def having(
    found: Iterable[Manifest | CommandError], text: str
) -> Iterator[Manifest | CommandError]:
    """Yield what has the labels of a selector, and failures. Raises CommandError."""
    if not text:
        yield from found
        return
    matches = selectors.matching(text)
    for one in found:
        if isinstance(one, CommandError) or matches(
            (one.document.get("metadata") or {}).get("labels") or {}
        ):
            yield one
