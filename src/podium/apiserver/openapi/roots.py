"""Operations that are about no kind: discovery, the version, the issuer of tokens. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from podium.apiserver.openapi.operations import JSON, META, YAML, group_name, tag

VERSION_INFO = "io.k8s.apimachinery.pkg.version.Info"
_VERSION_FIELDS = (
    "major", "minor", "gitVersion", "gitCommit", "gitTreeState", "buildDate", "goVersion",
    "compiler", "platform",
)  # fmt: skip
#: What no package of ours has the definition of.
DEFINITIONS: Mapping[str, Any] = {
    VERSION_INFO: {
        "type": "object",
        "description": "Info contains versioning information.",
        "required": list(_VERSION_FIELDS),
        "properties": {name: {"type": "string"} for name in sorted(_VERSION_FIELDS)},
    }
}


class Root(msgspec.Struct, frozen=True):
    """A GET; see ``paths.Described``."""

    path: str
    id: str
    tag: str
    description: str
    result: str = ""
    produces: tuple[str, ...] = (JSON, YAML)
    method: str = "get"
    body: str = ""
    query: tuple[str, ...] = ()
    codes: tuple[int, ...] = (200,)
    consumes: tuple[str, ...] = ("*/*",)
    marks: dict[str, Any] = msgspec.field(default_factory=dict)


def roots(groups: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, Root]]:
    """Yield each with the path of the document of OpenAPI 3 that it is in."""
    keys = ".well-known/openid-configuration"
    yield (
        keys,
        Root(
            f"/{keys}/",
            "getServiceAccountIssuerOpenIDConfiguration",
            "WellKnown",
            "get service account issuer OpenID configuration, also known as the 'OIDC discovery "
            "doc'",
            produces=(JSON,),
        ),
    )
    keys = "openid/v1/jwks"
    yield (
        keys,
        Root(
            f"/{keys}/",
            "getServiceAccountIssuerOpenIDKeyset",
            "openid",
            "get service account issuer OpenID JSON Web Key Set (contains public token "
            "verification keys)",
            produces=("application/jwk-set+json",),
        ),
    )
    yield (
        "version",
        Root(
            "/version/",
            "getCodeVersion",
            "version",
            "get the version information for this server",
            VERSION_INFO,
            produces=(JSON,),
        ),
    )
    yield "api", Root("/api/", "getCoreAPIVersions", "core", _VERSIONS, f"{META}.APIVersions")
    yield "api/v1", _resources("", "v1", "/api/v1/")
    yield "apis", Root("/apis/", "getAPIVersions", "apis", _VERSIONS, f"{META}.APIGroupList")
    for group, versions in groups.items():
        yield (
            f"apis/{group}",
            Root(
                f"/apis/{group}/",
                f"get{group_name(group)}APIGroup",
                tag(group),
                "get information of a group",
                f"{META}.APIGroup",
            ),
        )
        for version in versions:
            path = f"apis/{group}/{version}"
            yield path, _resources(group, version, f"/{path}/")


_VERSIONS = "get available API versions"


def _resources(group: str, version: str, path: str) -> Root:
    return Root(
        path,
        f"get{group_name(group)}{version.upper()}APIResources",
        tag(group, version),
        "get available resources",
        f"{META}.APIResourceList",
    )
