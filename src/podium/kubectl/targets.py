"""What a command's words name: ``pods``, ``pod web db``, ``pod/web svc/db``, ``all``."""

from __future__ import annotations

from podium.kubectl.errors import CommandError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podium.kubectl.discovery import Discovery, ResourceType

SEPARATE = (
    "there is no need to specify a resource type as a separate argument when passing arguments in "
    "resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get "
    "resource resource/<resource_name>'"
)


class Target:
    """One object, or with "" for *name* all objects of a type; "" for *namespace* is the
    command's."""

    __slots__ = ("name", "namespace", "type")

    def __init__(self, type_: ResourceType, name: str = "", namespace: str = "") -> None:
        self.type, self.name, self.namespace = type_, name, namespace


def resolve(words: Sequence[str], discovery: Discovery) -> list[Target]:
    """Return what *words* name, in their order. Raises CommandError."""
    if any("/" in word for word in words):
        return [_by_path(word, discovery) for word in words]
    if not words:
        return []
    types = _types(words[0], discovery)
    if len(words) == 1:
        return [Target(type_) for type_ in types]
    if "" in words[1:]:  # $NAME was not set: that must not mean all objects
        raise CommandError("resource name may not be empty")
    if "," not in words[0] and len(types) > 1:  # a category
        raise CommandError("you must specify only one resource")
    return [Target(type_, name) for type_ in types for name in words[1:]]


def _by_path(word: str, discovery: Discovery) -> Target:
    kind, slash, name = word.partition("/")
    if not slash:
        raise CommandError(SEPARATE)
    if "/" in name:
        raise CommandError("arguments in resource/name form may not have more than one slash")
    if not kind or not name or "," in kind:
        raise CommandError("arguments in resource/name form must have a single resource and name")
    return Target(discovery.find(kind), name)


def _types(words: str, discovery: Discovery) -> list[ResourceType]:
    types: list[ResourceType] = []
    for word in words.split(","):
        types += discovery.meant(word)
    return list({(one.group, one.plural): one for one in types}.values())
