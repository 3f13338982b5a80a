"""Image names as Docker reads them: ``[host/]path[:tag][@digest]``, normalised. Pure.

The grammar and the texts of its errors are those of ``github.com/distribution/reference``, the
library that the kubelet and containerd use.
"""

from __future__ import annotations

import json
import re

import msgspec
from msgspec.structs import replace

DEFAULT_DOMAIN = "docker.io"
DEFAULT_TAG = "latest"
_LEGACY_DOMAIN = "index.docker.io"
_NAME_LENGTH = 255

_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_DOMAIN_COMPONENT = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = rf"(?:{_DOMAIN_COMPONENT}(?:\.{_DOMAIN_COMPONENT})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_REFERENCE = re.compile(
    rf"(?P<domain>{_DOMAIN})/(?P<path>{_COMPONENT}(?:/{_COMPONENT})*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?"
    r"(?:@(?P<digest>[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?"
)
_IDENTIFIER = re.compile(r"[a-f0-9]{64}")
_DIGEST = re.compile(r"sha256:[a-f0-9]{64}")
_DIGEST_LENGTHS = {"sha256": 64, "sha384": 96, "sha512": 128}


class InvalidReference(ValueError):
    """A name that cannot be one; the text is the library's."""


class Reference(msgspec.Struct, frozen=True):
    """A normalised name. ``tag`` and ``digest`` are empty where the name has none."""

    domain: str
    path: str
    tag: str = ""
    digest: str = ""

    @property
    def name(self) -> str:
        """The repository: ``docker.io/library/busybox``."""
        return f"{self.domain}/{self.path}"

    @property
    def object(self) -> str:
        """What a registry is asked for: the digest where there is one, else the tag."""
        return self.digest or self.tag

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.name}{tag}{digest}"

    def with_digest(self, digest: str) -> Reference:
        """Return the name of exactly this content."""
        return replace(self, tag="", digest=digest)


def parse_normalized(text: str) -> Reference:
    """Return what *text* names: a host is added where it has none, a tag is not.

    Raises InvalidReference.
    """
    if _IDENTIFIER.fullmatch(text):
        raise InvalidReference(
            f"invalid repository name ({text}), cannot specify 64-byte hexadecimal strings"
        )
    domain, remainder = _split_domain(text)
    path = remainder.partition(":")[0]
    if path.lower() != path:
        raise InvalidReference("invalid reference format: repository name must be lowercase")
    match = _REFERENCE.fullmatch(f"{domain}/{remainder}")
    if match is None:
        raise InvalidReference("invalid reference format")
    digest = match["digest"] or ""
    if digest:
        _check_digest(digest)
    reference = Reference(match["domain"], match["path"], match["tag"] or "", digest)
    if len(reference.name) > _NAME_LENGTH:
        raise InvalidReference(f"repository name must not be more than {_NAME_LENGTH} characters")
    return reference


def parse(text: str) -> Reference:
    """Return the one image that *text* names, as containerd's image service reads it.

    Without tag and digest it is ``:latest``; with both, the digest alone counts. Raises
    InvalidReference.
    """
    reference = parse_normalized(text)
    if reference.digest:
        return replace(reference, tag="")
    return reference if reference.tag else replace(reference, tag=DEFAULT_TAG)


def apply_default_tag(image: str) -> str:
    """Return *image* as the user wrote it, with ``:latest`` where it has neither tag nor digest.

    Raises InvalidReference with the kubelet's text.
    """
    try:
        reference = parse_normalized(image)
    except InvalidReference as exc:
        raise InvalidReference(f"couldn't parse image reference {quote(image)}: {exc}") from None
    return image if reference.object else f"{image}:{DEFAULT_TAG}"


def is_digest(text: str) -> bool:
    """Tell whether *text* is ``sha256:`` and 64 hexadecimal digits: safe as a file's name, too."""
    return _DIGEST.fullmatch(text) is not None


def quote(text: str) -> str:
    """Return *text* in double quotes, as Go's ``%q`` prints it."""
    return json.dumps(text, ensure_ascii=False)


def _split_domain(text: str) -> tuple[str, str]:
    """Part the registry's host from the rest: it has a dot, a port or a capital letter, or it is
    ``localhost``; anything else before the first slash belongs to the path."""
    first, slash, rest = text.partition("/")
    is_host = slash and (
        "." in first or ":" in first or first == "localhost" or first.lower() != first
    )
    domain, remainder = (first, rest) if is_host else (DEFAULT_DOMAIN, text)
    if domain == _LEGACY_DOMAIN:
        domain = DEFAULT_DOMAIN
    if domain == DEFAULT_DOMAIN and "/" not in remainder:
        remainder = f"library/{remainder}"
    return domain, remainder


def _check_digest(digest: str) -> None:
    algorithm, _, hexadecimal = digest.partition(":")
    if algorithm not in _DIGEST_LENGTHS:
        raise InvalidReference("unsupported digest algorithm")
    if len(hexadecimal) != _DIGEST_LENGTHS[algorithm]:
        raise InvalidReference("invalid checksum digest length")
    if hexadecimal.lower() != hexadecimal:
        raise InvalidReference("invalid checksum digest format")
