"""Discovery, OpenAPI, health, version and metrics."""

import gzip
from typing import Any

import pytest

from podium.api.scheme import RESOURCES
from podium.apiserver import discovery
from podium.apiserver.openapi import documents
from support.apiserver import RunningApiServer


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/api", "APIVersions"),
        ("/api/", "APIVersions"),
        ("/api/v1", "APIResourceList"),
        ("/apis", "APIGroupList"),
        ("/apis/coordination.k8s.io", "APIGroup"),
        ("/apis/coordination.k8s.io/v1", "APIResourceList"),
    ],
)
async def test_legacy_discovery(api: RunningApiServer, path: str, kind: str) -> None:
    async with api.session() as session, session.get(path) as response:
        assert response.status == 200
        assert (await response.json())["kind"] == kind


async def test_what_is_listed_and_what_a_slash_makes_of_it(api: RunningApiServer) -> None:
    answered = {
        "/apis/": 200, "/apis/apps/": 200, "/api/v1/": 200, "/version/": 200,
        "/healthz/": 404, "/livez/ping/": 404, "/metrics/": 404, "/openapi/v2/": 404,
        "/openapi/v3/": 404, "/openapi/v3/version/": 404, "/openid/v1/jwks/": 200,
    }  # fmt: skip
    async with api.session() as session:
        for path, code in answered.items():
            async with session.get(path) as response:
                assert response.status == code, path
        async with session.get("/") as response:
            listed = (await response.json())["paths"]
        async with session.get("/apis") as response:
            groups = [group["name"] for group in (await response.json())["groups"]]
    assert {"/api", "/apis", "/apis/", "/openapi/v3", "/openapi/v3/"} <= set(listed)
    assert listed == sorted(listed)
    assert groups[:3] == ["apps", "events.k8s.io", "authentication.k8s.io"]
    assert groups[-2:] == ["discovery.k8s.io", "metrics.k8s.io"]


@pytest.mark.parametrize("version", ["v2", "v2beta1"])
@pytest.mark.parametrize("root", ["/api", "/apis"])
async def test_aggregated_discovery(api: RunningApiServer, root: str, version: str) -> None:
    media = f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"
    headers = {"Accept": f"{media},application/json"}
    async with api.session() as session, session.get(root, headers=headers) as response:
        assert response.headers["Content-Type"] == media
        found = await response.json(content_type=None)
    assert found["apiVersion"] == f"apidiscovery.k8s.io/{version}"
    names = {
        resource["resource"]
        for item in found["items"]
        for version_found in item["versions"]
        for resource in version_found["resources"]
    }
    assert all(set(item["metadata"]) <= {"name"} for item in found["items"])
    served = {r.plural for r in RESOURCES if bool(r.group) == (root == "/apis")}
    assert names >= served


def test_discovery_knows_every_resource() -> None:
    for resource in RESOURCES:
        listed = discovery.resource_list(resource.group, resource.version)
        assert listed is not None
        names = [entry["name"] for entry in listed["resources"]]
        assert resource.plural in names
        assert all(f"{resource.plural}/{sub.name}" in names for sub in resource.subresources)


def test_discovery_tells_singular_names_but_of_no_subresource() -> None:
    listed = discovery.resource_list("", "v1")
    assert listed is not None
    singular = {entry["name"]: entry["singularName"] for entry in listed["resources"]}
    assert (singular["pods"], singular["bindings"], singular["pods/log"]) == ("pod", "binding", "")


def test_storage_version_hash_is_upstreams() -> None:
    from podium.api.scheme import Resource

    deployment = Resource("apps", "v1", "Deployment", "deployments", "deployment")
    assert discovery.storage_version_hash(deployment) == "8aSe+NMegvE="


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz", "/livez/ping", "/readyz/etcd"])
async def test_health(api: RunningApiServer, path: str) -> None:
    await api.healthy()
    async with api.session() as session, session.get(path) as response:
        assert (response.status, await response.text()) == (200, "ok")


async def test_version_says_which_api_this_is(api: RunningApiServer) -> None:
    async with api.session(anonymous=True) as session, session.get("/version") as response:
        version = await response.json()
    assert (version["major"], version["minor"]) == ("1", "37")
    assert version["gitVersion"].startswith("v1.37.")


async def test_metrics_count_requests(api: RunningApiServer) -> None:
    async with api.session() as session:
        async with session.get("/api/v1/namespaces/default/pods") as response:
            assert response.status == 200
        async with session.get("/metrics") as response:
            text = await response.text()
    labels = 'group="",resource="pods",scope="namespace",subresource="",verb="LIST",version="v1"'
    counted = [
        line
        for line in text.splitlines()
        if line.startswith("apiserver_request_total{") and 'resource="pods"' in line
    ]
    assert len(counted) == 1
    assert counted[0].endswith(" 1.0")
    assert set(labels.split(",")) <= set(counted[0].partition("{")[2].partition("}")[0].split(","))
    assert "apiserver_request_duration_seconds_bucket" in text
    assert "apiserver_request_sli_duration_seconds_bucket" in text
    assert 'kubernetes_build_info{build_date="1970-01-01T00:00:00Z",' in text
    assert 'apiserver_resource_objects{group="rbac.authorization.k8s.io",' in text
    assert "process_resident_memory_bytes" in text


async def test_metrics_have_no_names_that_clients_make_up(api: RunningApiServer) -> None:
    async with api.session() as session:
        for path in ("/api/v1/madeup1", "/apis/madeup2/v1/x", "/api/v1/pods/madeup3/madeup4", "/y"):
            async with session.get(path) as response:
                assert response.status == 404
        async with session.get("/metrics") as response:
            text = await response.text()
    counted = [line for line in text.splitlines() if 'code="404"' in line]
    assert sum(float(line.rpartition(" ")[2]) for line in counted) == 4.0
    assert "madeup" not in text
    assert "apiserver_client_certificate_expiration_seconds_count" in text


async def test_metrics_count_admission_and_the_store(api: RunningApiServer) -> None:
    path = "/api/v1/namespaces/default/configmaps"
    async with api.session() as session:
        for name, code in (("a", 201), ("a", 409), ("Not a name", 422)):
            async with session.post(path, json={"metadata": {"name": name}}) as response:
                assert response.status == code
        gone = "/api/v1/namespaces/nowhere/configmaps"
        async with session.post(gone, json={"metadata": {"name": "a"}}) as response:
            assert response.status == 404
        async with session.delete(f"{path}/a") as response:
            assert response.status == 200
        async with session.get("/metrics") as response:
            lines = (await response.text()).splitlines()
    admission = "apiserver_admission_controller_admission_duration_seconds_count"
    lifecycle = 'name="NamespaceLifecycle",operation="CREATE",rejected="true",type="admit"'
    quota = 'name="ResourceQuota",operation="DELETE",rejected="false",type="validate"'
    step = "apiserver_admission_step_admission_duration_seconds_count"
    about = 'group="",operation="{}",resource="configmaps"'
    expected = [
        f"{admission}{{{lifecycle}}} 1.0",
        f'{step}{{operation="CREATE",rejected="true",type="admit"}} 1.0',
        f"{admission}{{{quota}}} 1.0",
        f"etcd_requests_total{{{about.format('delete')}}} 1.0",
        f"etcd_request_duration_seconds_count{{{about.format('delete')}}} 1.0",
    ]
    assert set(expected) <= set(lines)
    assert not any(line.startswith("etcd_request_errors_total{") for line in lines)
    sizes = [line for line in lines if line.startswith("apiserver_storage_size_bytes{")]
    assert float(sizes[0].split()[1]) >= 4096
    received = 'apiserver_storage_events_received_total{group="",resource="configmaps"}'
    assert any(line.startswith(f"{received} ") for line in lines)


async def test_a_large_document_says_all_that_it_depends_on(api: RunningApiServer) -> None:
    async with api.session() as session, session.get("/openapi/v2") as response:
        assert response.headers["Vary"] == "Accept-Encoding, Accept"


async def test_openapi_v3_is_cacheable_by_hash(api: RunningApiServer) -> None:
    async with api.session() as session:
        async with session.get("/openapi/v3") as response:
            index = (await response.json())["paths"]
        assert set(index) >= {"api/v1", "apis/coordination.k8s.io/v1"}
        url = index["api/v1"]["serverRelativeURL"]
        async with session.get(url) as response:
            assert "immutable" in response.headers["Cache-Control"]
            etag = response.headers["ETag"]
        async with session.get(url, headers={"If-None-Match": etag}) as response:
            assert response.status == 304
        async with session.get("/openapi/v3/api/v1?hash=old", allow_redirects=False) as response:
            assert (response.status, response.headers["Location"]) == (301, url)
        async with session.get("/openapi/v3/apis/apps/v1beta1") as response:
            assert response.status == 404


def references(value: Any) -> set[str]:
    if isinstance(value, list):
        return set().union(*(references(item) for item in value))
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(references(item) for item in value.values()))
    return set()


@pytest.mark.parametrize("path", [*documents.group_versions(), "apis/apps", "apis", "version"])
def test_every_reference_of_openapi_v3_resolves(path: str) -> None:
    import msgspec

    document = documents.v3(path)
    assert document is not None
    content = msgspec.json.decode(document.body)
    known = {f"#/components/schemas/{name}" for name in content["components"]["schemas"]}
    assert references(content) <= known


def test_every_reference_of_openapi_v2_resolves() -> None:
    import msgspec

    content = msgspec.json.decode(documents.v2().body)
    assert references(content) <= {f"#/definitions/{name}" for name in content["definitions"]}


def test_patches_take_field_validation() -> None:
    """By this kubectl finds out whether the server or itself has to look for unknown fields."""
    import msgspec

    document = documents.v3("api/v1")
    assert document is not None
    paths = msgspec.json.decode(document.body)["paths"]
    patch = paths["/api/v1/namespaces/{namespace}/pods/{name}"]["patch"]
    assert "fieldValidation" in [parameter["name"] for parameter in patch["parameters"]]
    assert patch["x-kubernetes-group-version-kind"] == {
        "group": "",
        "version": "v1",
        "kind": "Pod",
    }


def test_operations_have_different_ids() -> None:
    import msgspec

    paths = msgspec.json.decode(documents.v2().body)["paths"]
    ids = [
        operation["operationId"]
        for item in paths.values()
        for method, operation in item.items()
        if method != "parameters"
    ]
    assert len(ids) == len(set(ids))


async def test_documents_are_compressed_for_who_can_read_it(api: RunningApiServer) -> None:
    assert gzip.decompress(documents.v2().compressed) == documents.v2().body
    headers = {"Accept-Encoding": "gzip"}
    async with api.session() as session, session.get("/openapi/v2", headers=headers) as response:
        assert response.headers["Content-Encoding"] == "gzip"
        assert (await response.json())["swagger"] == "2.0"


async def test_results_of_health_checks(api: RunningApiServer) -> None:
    await api.healthy()
    async with api.session() as session:
        for path in ("/readyz", "/readyz/etcd"):
            async with session.get(path) as response:
                assert response.status == 200
        async with session.get("/metrics/slis") as response:
            text = await response.text()
    assert 'kubernetes_healthcheck{name="etcd",type="readyz"} 1.0' in text
    assert 'kubernetes_healthchecks_total{name="etcd",status="success",type="readyz"} 2.0' in text


@pytest.mark.parametrize("root", ["/api", "/apis"])
async def test_aggregated_discovery_is_asked_for_by_its_tag(
    api: RunningApiServer, root: str
) -> None:
    headers = {"Accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"}
    async with api.session() as session:
        async with session.get(root, headers=headers) as response:
            tag = response.headers["ETag"]
        assert response.headers["Vary"] == "Accept"
        async with session.get(root, headers={**headers, "If-None-Match": tag}) as response:
            assert (response.status, await response.read()) == (304, b"")
        async with session.get(root, headers={**headers, "If-None-Match": '"x"'}) as response:
            assert response.status == 200
