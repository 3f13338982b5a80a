"""Which resources the server has, in two requests, and which one a word on a command line means."""

from __future__ import annotations

import sys
from functools import cached_property

from podium.kubectl.errors import CommandError, Malformed, StatusError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from podium.kubectl.http import Http

_AGGREGATED = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
)


class ResourceType:
    """A resource as a group's version serves it."""

    __slots__ = ("categories", "group", "kind", "namespaced", "plural", "short_names", "singular",
                 "verbs", "version")  # fmt: skip

    def __init__(
        self,
        group: str,
        version: str,
        plural: str,
        kind: str,
        namespaced: bool,
        singular: str = "",
        short_names: Sequence[str] = (),
        categories: Sequence[str] = (),
        verbs: Sequence[str] = (),
    ) -> None:
        self.group, self.version, self.plural, self.kind = group, version, plural, kind
        self.namespaced, self.singular, self.short_names = namespaced, singular, short_names
        self.categories, self.verbs = categories, verbs

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ResourceType) and self.path() == other.path()

    def __hash__(self) -> int:
        return hash(self.path())

    @property
    def group_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """``pods``, ``deployments.apps``: how messages name it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """Return the path of the collection or the object; *namespace* "" means all of them.

        Raises Malformed for words that would lead somewhere else.
        """
        _check_segment("namespace", namespace)
        _check_segment("resource name", name)
        _check_segment("subresource", subresource)
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        place = f"/namespaces/{namespace}" if namespace and self.namespaced else ""
        parts = [root + place, self.plural, *([name] if name else [])]
        return "/".join([*parts, *([subresource] if subresource else [])])


def _check_segment(what: str, text: str) -> None:
    if text in (".", ".."):
        wrong = [f"may not be '{text}'"]
    else:
        wrong = [f"may not contain '{character}'" for character in "/%" if character in text]
    if wrong:
        raise Malformed({"message": f'invalid {what} "{text}": [{" ".join(wrong)}]'})


class Discovery:
    """What one server has; asked for once."""

    def __init__(self, http: Http) -> None:
        self._http = http

    @cached_property
    def types(self) -> list[ResourceType]:
        """All types of all versions, the preferred one of each group first."""
        found: list[ResourceType] = []
        for path in ("/api", "/apis"):
            document = self._asked(path)
            for group in document.get("items", ()):
                name = group["metadata"].get("name", "")
                for version in group["versions"]:
                    found += _types(name, version)
        return found

    def _asked(self, path: str) -> dict[str, Any]:
        try:
            document: dict[str, Any] = self._http.request("GET", path, accept=_AGGREGATED).json()
        except StatusError as error:
            if error.code != 401:
                raise
            text = "the server has asked for the client to provide credentials"
            raise StatusError({**error.status, "message": text}) from error
        return document

    def find(self, word: str) -> ResourceType:
        """Return the type that ``pods``, ``po``, ``deployment.apps`` or ``events.v1.events.k8s.io``
        means. Raises CommandError."""
        if "types" not in self.__dict__ and (known := _known(word)):
            return known
        for test in _meanings(word):
            for candidate in self.types:
                if test(candidate):
                    self._warn(word, candidate)
                    return candidate
        resource, dot, group = word.partition(".")
        where = f' in group "{group}"' if dot and group else ""
        raise CommandError(f'the server doesn\'t have a resource type "{resource}"{where}')

    def _warn(self, word: str, chosen: ResourceType) -> None:
        """Say where a short name means something else, too."""
        if word not in chosen.short_names:
            return
        others = {one.qualified: None for one in self.types if word in one.short_names}
        others.pop(chosen.qualified)
        if others:
            print(f'Warning: short name "{word}" could also match lower priority resource '
                  f"{', '.join(others)}", file=sys.stderr)  # fmt: skip

    def meant(self, word: str) -> list[ResourceType]:
        """Return the types of a category (``all``), or the one that *word* means."""
        if "types" not in self.__dict__ and (known := _known(word)):
            return [known]
        return self.category(word) or [self.find(word)]

    def kind(self, group_version: str, kind: str) -> ResourceType:
        """Return the type of objects of a kind. Raises CommandError in upstream's words."""
        if group_version == "v1" and "types" not in self.__dict__:
            known = _known(kind.lower())
            if known is not None and known.kind == kind:
                return known
        for candidate in self.types:
            if candidate.kind == kind and candidate.group_version == group_version:
                return candidate
        raise CommandError(
            f'no matches for kind "{kind}" in version "{group_version}"\n'
            "ensure CRDs are installed first"
        )

    def category(self, name: str) -> list[ResourceType]:
        """Return the types of a category (``all``), each once."""
        found: dict[tuple[str, str], ResourceType] = {}
        for candidate in self.types:
            if name in candidate.categories and "list" in candidate.verbs:
                found.setdefault((candidate.group, candidate.plural), candidate)
        return list(found.values())


def _types(group: str, version: dict[str, Any]) -> Iterator[ResourceType]:
    for resource in version.get("resources", ()):
        kind = resource["responseKind"]
        yield ResourceType(
            group,
            version["version"],
            resource["resource"],
            kind.get("kind", ""),
            resource.get("scope") == "Namespaced",
            singular=resource.get("singularResource", ""),
            short_names=resource.get("shortNames", ()),
            categories=resource.get("categories", ()),
            verbs=resource.get("verbs", ()),
        )


#: What every server has in core/v1: plural, kind, short name; a dash before what has no namespace.
#: Who asks for one of these needs no discovery.
_CORE = """\
pods Pod po;services Service svc;configmaps ConfigMap cm;secrets Secret;events Event;
-nodes Node no;-namespaces Namespace ns;serviceaccounts ServiceAccount sa;
endpoints Endpoints ep;persistentvolumeclaims PersistentVolumeClaim pvc;
-persistentvolumes PersistentVolume pv;replicationcontrollers ReplicationController rc;
resourcequotas ResourceQuota quota;limitranges LimitRange limits"""


def _known(word: str) -> ResourceType | None:
    """Return what *word* means; short names are in small letters, others may be in any."""
    for line in _CORE.split(";"):
        plural, kind, *short = line.strip().split(" ")
        name = plural.lstrip("-")
        if word.lower() in (name, kind.lower()) or word in short:
            return ResourceType(
                "", "v1", name, kind, plural == name, singular=kind.lower(), short_names=short
            )
    return None


def _meanings(word: str) -> Iterator[Any]:
    """Tests for what a word may mean, the most exact first."""

    def names(candidate: ResourceType) -> Sequence[str]:
        return (candidate.plural, candidate.singular, candidate.kind.lower())

    resource, _, rest = word.partition(".")
    lowered = resource.lower()
    if rest:
        version, dot, group = rest.partition(".")

        def called(candidate: ResourceType) -> bool:
            return lowered in names(candidate) or resource in candidate.short_names

        if dot and not group:
            yield lambda one: called(one) and one.version == version
        elif dot:
            yield lambda one: called(one) and (one.version, one.group) == (version, group)
        yield lambda one: called(one) and one.group == rest
        yield lambda one: called(one) and one.group.startswith(rest)
        if dot and group:  # a short name is not asked for its version
            yield lambda one: resource in one.short_names and one.group.startswith(group)
        return
    yield lambda one: one.plural == lowered
    yield lambda one: word in one.short_names
    yield lambda one: lowered in names(one)
