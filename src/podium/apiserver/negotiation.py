"""Which representation a client accepts. Pure.

Follows ``k8s.io/apiserver/pkg/endpoints/handlers/negotiation``: the first of the client's media
types that the server can write wins, by quality and then by order; ``as``, ``g`` and ``v`` ask for
another kind than the object's own (a Table, or metadata alone).
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from podium.api.errors import ApiError, failure
from podium.kit.caching import remembered

JSON = "application/json"
YAML = "application/yaml"
META = "meta.k8s.io"
ACCEPTED = (JSON, YAML)


class MediaType(msgspec.Struct, frozen=True):
    """A representation to answer in. ``kind`` is "" for the object as it is."""

    format: str = JSON
    kind: str = ""
    group: str = ""
    version: str = ""
    pretty: bool = False

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}"


class AcceptClause(msgspec.Struct, frozen=True):
    """One element of an ``Accept`` header; parameter names are in lower case."""

    type: str
    parameters: tuple[tuple[str, str], ...] = ()
    quality: float = 1.0

    def parameter(self, name: str) -> str:
        return next((value for key, value in self.parameters if key == name), "")


@remembered(256, longest=1024)
def clauses(header: str) -> tuple[AcceptClause, ...]:
    """Return the elements of an ``Accept`` header, the most wanted first.

    What is wanted equally comes in its order, wildcards last; a quality of 0 is the least one, and
    no refusal (``goautoneg``).
    """
    found = [_clause(text) for text in header.split(",") if text.strip()]
    return tuple(sorted(found, key=_rank))


def takes_gzip(headers: Mapping[str, str]) -> bool:
    """Whether ``Accept-Encoding`` names gzip, and does not refuse it by a quality of 0."""
    found = clauses(headers.get("Accept-Encoding", ""))
    return any(clause.type == "gzip" and clause.quality > 0 for clause in found)


def _rank(clause: AcceptClause) -> tuple[float, bool, bool]:
    main, _, sub = clause.type.partition("/")
    return -clause.quality, main == "*", sub == "*"


def _clause(text: str) -> AcceptClause:
    media_type, *rest = (part.strip() for part in text.split(";"))
    quality = 1.0
    parameters = []
    for parameter in rest:
        name, _, value = parameter.partition("=")
        name, value = name.strip().lower(), value.strip().strip('"')
        if name == "q":
            quality = _quality(value)
        else:
            parameters.append((name, value))
    media_type = "*/*" if media_type == "*" else media_type
    return AcceptClause(media_type.lower(), tuple(parameters), quality)


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


#: Kinds of ``meta.k8s.io`` that objects, lists and events of watches can be turned into.
OBJECT_KINDS = frozenset({"Table", "PartialObjectMetadata"})
LIST_KINDS = frozenset({"Table", "PartialObjectMetadataList"})
_VERSIONS = ("v1", "v1beta1")


@remembered(1024, longest=1024)
def negotiate(header: str, kinds: frozenset[str] = frozenset()) -> MediaType:
    """Return how to answer a client whose ``Accept`` header is *header*.

    *kinds* are the kinds of ``meta.k8s.io`` that this answer can be turned into. Raises ApiError
    (406) when nothing fits, WrongForm where a list is wanted of an object or the reverse.
    """
    if not header:
        return MediaType()
    for clause in clauses(header):
        media_format = _format(clause.type)
        if not media_format or clause.parameter("stream") not in ("", "watch"):
            continue
        pretty = clause.parameter("pretty") == "1"
        wanted, version = clause.parameter("as"), clause.parameter("v")
        if not (wanted or version or clause.parameter("g")):
            return MediaType(media_format, pretty=pretty)
        if clause.parameter("g") != META or version not in _VERSIONS or not kinds:
            continue
        if wanted in kinds:
            return MediaType(media_format, wanted, META, version, pretty)
        if wanted in OBJECT_KINDS | LIST_KINDS:
            raise WrongForm(wanted)
    raise not_acceptable()


class WrongForm(Exception):
    """The first representation that fits is of a list where there is one object, or the reverse."""

    def error(self, go_type: str) -> ApiError:
        """Return the 406 that tells of it; *go_type* is what there is."""
        (wanted,) = self.args
        found = "not a list" if wanted in LIST_KINDS else "a list"
        return failure(
            406,
            "NotAcceptable",
            f"you requested {wanted}, but the requested object is {found} ({go_type})",
        )


_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
#: What people look at answers with.
_FOR_PEOPLE = ("curl", "Wget", "Mozilla/5.0")


def for_request(
    headers: Mapping[str, str], asked: str, kinds: frozenset[str] = frozenset()
) -> MediaType:
    """Like :func:`negotiate`; JSON is indented as *asked*, the query's ``pretty``, says, and for
    people."""
    media = negotiate(headers.get("Accept", ""), kinds)
    return replace(media, pretty=True) if is_for_people(headers, asked) else media


def is_for_people(headers: Mapping[str, str], asked: str) -> bool:
    agent = headers.get("User-Agent", "")
    return asked in _TRUE if asked else agent.startswith(_FOR_PEOPLE)


def for_errors(headers: Mapping[str, str], asked: str) -> MediaType:
    """Return how to tell a client of an error: as it wants, in JSON where that is nothing."""
    try:
        return for_request(headers, asked)
    except ApiError:
        return MediaType(pretty=True)


def _format(media_type: str) -> str:
    if media_type in (JSON, "*/*", "application/*"):
        return JSON
    return YAML if media_type == YAML else ""


def not_acceptable(accepted: tuple[str, ...] = ACCEPTED) -> ApiError:
    return failure(
        406,
        "NotAcceptable",
        f"only the following media types are accepted: {', '.join(accepted)}",
    )


def body_type(header: str, accepted: tuple[str, ...], default: str) -> str:
    """Return the media type of a request's body, *default* when the client names none.

    Raises ApiError (415) for one that is not in *accepted*.
    """
    media_type = header.partition(";")[0].strip().lower() or default
    if media_type not in accepted:
        raise failure(
            415,
            "UnsupportedMediaType",
            "the body of the request was in an unknown format - accepted media types include: "
            + ", ".join(accepted),
        )
    return media_type
