import pytest

from podium.api.errors import ApiError
from podium.apiserver.discovery import negotiate as negotiate_discovery
from podium.apiserver.negotiation import (
    JSON,
    LIST_KINDS,
    YAML,
    MediaType,
    body_type,
    negotiate,
)

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
