"""Which representation a client accepts. Pure.

Follows ``k8s.io/apiserver/pkg/endpoints/handlers/negotiation``: the first of the client's media
types that the server can write wins, by quality and then by order; ``as``, ``g`` and ``v`` ask for
another kind than the object's own (a Table, or metadata alone).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from podium.api.errors import ApiError, failure

JSON = "application/json"
YAML = "application/yaml"
META = "meta.k8s.io"
ACCEPTED = (JSON, YAML)


@dataclass(frozen=True, slots=True)
class MediaType:
    """A representation to answer in. ``kind`` is "" for the object as it is."""

    format: str = JSON
    kind: str = ""
    group: str = ""
    version: str = ""
    pretty: bool = False

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}"


@dataclass(frozen=True, slots=True)
class AcceptClause:
    """One element of an ``Accept`` header; parameter names are in lower case."""

    type: str
    parameters: tuple[tuple[str, str], ...] = ()
    quality: float = 1.0

    def parameter(self, name: str) -> str:
        return next((value for key, value in self.parameters if key == name), "")


@lru_cache(maxsize=256)
def clauses(header: str) -> tuple[AcceptClause, ...]:
    """Return the elements of an ``Accept`` header, the most wanted first."""
    found = [_clause(text) for text in header.split(",") if text.strip()]
    return tuple(sorted(found, key=lambda clause: -clause.quality))


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
    return AcceptClause(media_type.lower(), tuple(parameters), quality)


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0


#: Kinds that objects can be turned into, by (kind, version).
OBJECT_KINDS = frozenset({("Table", "v1"), ("Table", "v1beta1"), ("PartialObjectMetadata", "v1")})
LIST_KINDS = frozenset({("Table", "v1"), ("Table", "v1beta1"), ("PartialObjectMetadataList", "v1")})


@lru_cache(maxsize=1024)
def negotiate(header: str, kinds: frozenset[tuple[str, str]] = frozenset()) -> MediaType:
    """Return how to answer a client whose ``Accept`` header is *header*.

    *kinds* are the kinds of ``meta.k8s.io`` that this answer can be turned into. Raises ApiError
    (406) when nothing fits.
    """
    if not header:
        return MediaType()
    for clause in clauses(header):
        media_format = _format(clause.type)
        if not media_format:
            continue
        wanted = clause.parameter("as")
        if not wanted:
            return MediaType(media_format, pretty=clause.parameter("pretty") == "1")
        version = clause.parameter("v")
        if clause.parameter("g") == META and (wanted, version) in kinds:
            return MediaType(media_format, wanted, META, version)
    raise not_acceptable()


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
