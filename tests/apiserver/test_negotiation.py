import pytest

from podium.api.errors import ApiError
from podium.apiserver.discovery import negotiate as negotiate_discovery
from podium.apiserver.negotiation import (
    JSON,
    LIST_KINDS,
    YAML,
    MediaType,
    body_type,
    for_errors,
    for_request,
    negotiate,
)
from support.apiserver import RunningApiServer

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
PROTOBUF = "application/vnd.kubernetes.protobuf"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        pytest.param("", MediaType(), id="nothing-asked"),
        pytest.param("*/*", MediaType(), id="anything"),
        pytest.param("application/*", MediaType(), id="any-application"),
        pytest.param("application/yaml", MediaType(YAML), id="yaml"),
        pytest.param(f"{PROTOBUF},{JSON}", MediaType(), id="protobuf-or-json"),
        pytest.param("text/html, application/json", MediaType(), id="json-among-others"),
        pytest.param(f"{JSON};q=0.2, {YAML};q=0.8", MediaType(YAML), id="by-quality"),
        pytest.param(f"*/*, {YAML}", MediaType(YAML), id="what-is-named-before-anything"),
        pytest.param(f"application/*,*/*,{YAML}", MediaType(YAML), id="what-is-named-in-full"),
        pytest.param("*", MediaType(), id="a-bare-star"),
        pytest.param(f"{JSON};q=0", MediaType(), id="the-least-is-no-refusal"),
        pytest.param(f"{JSON};q=0,{YAML};q=0.1", MediaType(YAML), id="the-least"),
        pytest.param(f"{JSON};q=x,{YAML};q=0.1", MediaType(YAML), id="no-quality-at-all"),
        pytest.param(TABLE, MediaType(JSON, "Table", "meta.k8s.io", "v1"), id="table"),
        pytest.param(
            f"{TABLE},application/json",
            MediaType(JSON, "Table", "meta.k8s.io", "v1"),
            id="kubectl-get",
        ),
        pytest.param(
            "application/json;as=Nothing;v=v1;g=meta.k8s.io,application/json",
            MediaType(),
            id="unknown-kind-falls-back",
        ),
        pytest.param(
            "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
            MediaType(JSON, "PartialObjectMetadataList", "meta.k8s.io", "v1"),
            id="metadata-alone",
        ),
        pytest.param(
            "application/json;as=PartialObjectMetadataList;v=v1beta1;g=meta.k8s.io",
            MediaType(JSON, "PartialObjectMetadataList", "meta.k8s.io", "v1beta1"),
            id="metadata-of-old",
        ),
        pytest.param(f"{JSON};stream=watch", MediaType(), id="stream"),
        pytest.param(f"{JSON};stream=other,{YAML}", MediaType(YAML), id="another-stream"),
        pytest.param(f"{JSON};pretty=1", MediaType(pretty=True), id="pretty"),
    ],
)
def test_representation(accept: str, expected: MediaType) -> None:
    assert negotiate(accept, LIST_KINDS) == expected


@pytest.mark.parametrize(
    "accept",
    [
        pytest.param(PROTOBUF, id="protobuf-alone"),
        pytest.param("text/html", id="html"),
        pytest.param("application/json;as=Table;v=v2;g=meta.k8s.io", id="table-of-tomorrow"),
        pytest.param("application/json;as=Table;v=v1;g=other", id="table-of-others"),
        pytest.param("application/json;v=v1;g=meta.k8s.io", id="no-kind"),
    ],
)
def test_not_acceptable(accept: str) -> None:
    with pytest.raises(ApiError) as caught:
        negotiate(accept, LIST_KINDS)
    assert caught.value.code == 406
    assert caught.value.reason == "NotAcceptable"


@pytest.mark.parametrize("version", ["v2", "v2beta1"])
def test_aggregated_discovery(version: str) -> None:
    accept = f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"
    media = negotiate_discovery(f"{accept},application/json")
    assert (media.kind, media.version) == ("APIGroupDiscoveryList", version)


def test_kubectl_takes_the_first_discovery_it_knows() -> None:
    accept = (
        "application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList,"
        "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"
    )
    assert negotiate_discovery(accept).version == "v2beta1"


@pytest.mark.parametrize(
    ("header", "expected"),
    [("", JSON), ("application/json; charset=utf-8", JSON), ("application/yaml", YAML)],
)
def test_body_type(header: str, expected: str) -> None:
    assert body_type(header, (JSON, YAML), JSON) == expected


def test_unsupported_body_type() -> None:
    with pytest.raises(ApiError) as caught:
        body_type("text/plain", (JSON, YAML), JSON)
    assert caught.value.code == 415
    assert str(caught.value) == (
        "the body of the request was in an unknown format - accepted media types include: "
        "application/json, application/yaml"
    )


@pytest.mark.parametrize(
    ("asked", "agent", "pretty"),
    [
        pytest.param("", "curl/8.1", True, id="curl"),
        pytest.param("", "Mozilla/5.0 (X11)", True, id="browser"),
        pytest.param("", "kubectl/v1.37", False, id="program"),
        pytest.param("true", "kubectl/v1.37", True, id="asked"),
        pytest.param("0", "curl/8.1", False, id="asked-not-to"),
        pytest.param("yes", "curl/8.1", False, id="no-boolean"),
    ],
)
def test_json_for_people_is_indented(asked: str, agent: str, pretty: bool) -> None:
    assert for_request({"User-Agent": agent}, asked).pretty is pretty


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("application/yaml", MediaType(YAML)),
        (f"{TABLE},application/json", MediaType()),
        (TABLE, MediaType(pretty=True)),
        ("text/html", MediaType(pretty=True)),
    ],
)
def test_errors_are_told_as_the_client_wants(accept: str, expected: MediaType) -> None:
    assert for_errors({"Accept": accept}, "") == expected


@pytest.mark.parametrize(
    ("path", "kind", "message"),
    [
        (
            "",
            "PartialObjectMetadata",
            "you requested PartialObjectMetadata, but the requested object is a list "
            "(*core.NamespaceList)",
        ),
        (
            "/default",
            "PartialObjectMetadataList",
            "you requested PartialObjectMetadataList, but the requested object is not a list "
            "(*core.Namespace)",
        ),
    ],
)
async def test_a_list_is_no_object(
    api: RunningApiServer, path: str, kind: str, message: str
) -> None:
    accept = f"application/json;as={kind};v=v1;g=meta.k8s.io,application/json"
    async with (
        api.session() as session,
        session.get(f"/api/v1/namespaces{path}", headers={"Accept": accept}) as response,
    ):
        assert (response.status, (await response.json())["message"]) == (406, message)


async def test_an_error_in_yaml(api: RunningApiServer) -> None:
    headers = {"Accept": "application/yaml"}
    async with (
        api.session() as session,
        session.get("/api/v1/namespaces/x", headers=headers) as response,
    ):
        assert response.headers["Content-Type"] == "application/yaml"
        assert "reason: NotFound" in await response.text()
