"""What the OpenAPI documents say of requests, as upstream's do."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from podium.apiserver.openapi import documents

V2 = msgspec.json.decode(documents.v2().body)
META = "io.k8s.apimachinery.pkg.apis.meta.v1"
CORE = "io.k8s.api.core.v1"
POD = "/api/v1/namespaces/{namespace}/pods/{name}"
PODS = "/api/v1/namespaces/{namespace}/pods"


def v3(path: str) -> Any:
    found = documents.v3(path)
    assert found is not None
    return msgspec.json.decode(found.body)


@pytest.mark.parametrize(
    ("method", "path", "name", "action", "codes", "result"),
    [
        ("get", PODS, "listCoreV1NamespacedPod", "list", "200", f"{CORE}.PodList"),
        ("get", "/api/v1/pods", "listCoreV1PodForAllNamespaces", "list", "200", f"{CORE}.PodList"),
        ("post", PODS, "createCoreV1NamespacedPod", "post", "200 201 202", f"{CORE}.Pod"),
        (
            "delete", PODS, "deleteCoreV1CollectionNamespacedPod", "deletecollection", "200",
            f"{META}.Status",
        ),
        ("get", POD, "readCoreV1NamespacedPod", "get", "200", f"{CORE}.Pod"),
        ("put", POD, "replaceCoreV1NamespacedPod", "put", "200 201", f"{CORE}.Pod"),
        ("patch", POD, "patchCoreV1NamespacedPod", "patch", "200 201", f"{CORE}.Pod"),
        ("delete", POD, "deleteCoreV1NamespacedPod", "delete", "200 202", f"{CORE}.Pod"),
        (
            "delete", "/api/v1/namespaces/{namespace}/configmaps/{name}",
            "deleteCoreV1NamespacedConfigMap", "delete", "200 202", f"{META}.Status",
        ),
        ("put", f"{POD}/status", "replaceCoreV1NamespacedPodStatus", "put", "200 201",
         f"{CORE}.Pod"),
        (
            "post", f"{POD}/eviction", "createCoreV1NamespacedPodEviction", "post", "200 201 202",
            "io.k8s.api.policy.v1.Eviction",
        ),
        (
            "post", "/api/v1/namespaces/{namespace}/bindings", "createCoreV1NamespacedBinding",
            "post", "200 201 202", f"{CORE}.Binding",
        ),
        ("get", f"{POD}/log", "readCoreV1NamespacedPodLog", "get", "200", ""),
        ("get", f"{POD}/exec", "connectCoreV1GetNamespacedPodExec", "connect", "200", ""),
        (
            "get", "/apis/rbac.authorization.k8s.io/v1/clusterroles/{name}",
            "readRbacAuthorizationV1ClusterRole", "get", "200", "io.k8s.api.rbac.v1.ClusterRole",
        ),
        ("get", "/api/", "getCoreAPIVersions", None, "200", f"{META}.APIVersions"),
        ("get", "/api/v1/", "getCoreV1APIResources", None, "200", f"{META}.APIResourceList"),
        ("get", "/apis/", "getAPIVersions", None, "200", f"{META}.APIGroupList"),
        ("get", "/apis/apps/", "getAppsAPIGroup", None, "200", f"{META}.APIGroup"),
        ("get", "/apis/apps/v1/", "getAppsV1APIResources", None, "200", f"{META}.APIResourceList"),
        (
            "get", "/apis/rbac.authorization.k8s.io/", "getRbacAuthorizationAPIGroup", None,
            "200", f"{META}.APIGroup",
        ),
        ("get", "/version/", "getCodeVersion", None, "200", "io.k8s.apimachinery.pkg.version.Info"),
        ("get", "/openid/v1/jwks/", "getServiceAccountIssuerOpenIDKeyset", None, "200", ""),
        (
            "get", "/.well-known/openid-configuration/",
            "getServiceAccountIssuerOpenIDConfiguration", None, "200", "",
        ),
    ],
)  # fmt: skip
def test_operations(
    method: str, path: str, name: str, action: str | None, codes: str, result: str
) -> None:
    operation = V2["paths"][path][method]
    assert operation["operationId"] == name
    assert operation.get("x-kubernetes-action") == action
    answers = {**operation["responses"]}
    assert answers.pop("401") == {"description": "Unauthorized"}
    assert list(answers) == codes.split()
    schema = {"$ref": f"#/definitions/{result}"} if result else {"type": "string"}
    words = {"200": "OK", "201": "Created", "202": "Accepted"}
    for code, answer in answers.items():
        assert answer == {"description": words[code], "schema": schema}


@pytest.mark.parametrize(
    ("path", "tag"),
    [
        ("/apis/rbac.authorization.k8s.io/v1/roles", "rbacAuthorization_v1"),
        ("/apis/networking.k8s.io/v1/ingresses", "networking_v1"),
        ("/apis/autoscaling/v2/horizontalpodautoscalers", "autoscaling_v2"),
        ("/api/v1/pods", "core_v1"),
        ("/apis/apps/", "apps"),
        ("/apis/", "apis"),
        ("/api/", "core"),
        ("/version/", "version"),
        ("/openid/v1/jwks/", "openid"),
        ("/.well-known/openid-configuration/", "WellKnown"),
    ],
)
def test_tags(path: str, tag: str) -> None:
    assert V2["paths"][path]["get"]["tags"] == [tag]


@pytest.mark.parametrize(
    ("path", "method", "text"),
    [
        (PODS, "get", "list or watch objects of kind Pod"),
        (PODS, "post", "create a Pod"),
        ("/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses", "post",
         "create an Ingress"),
        (PODS, "delete", "delete collection of Pod"),
        (POD, "get", "read the specified Pod"),
        (POD, "put", "replace the specified Pod"),
        (POD, "patch", "partially update the specified Pod"),
        (POD, "delete", "delete a Pod"),
        (f"{POD}/status", "get", "read status of the specified Pod"),
        (f"{POD}/eviction", "post", "create eviction of a Pod"),
        (f"{POD}/exec", "post", "connect POST requests to exec of Pod"),
    ],
)  # fmt: skip
def test_operations_are_described(path: str, method: str, text: str) -> None:
    assert V2["paths"][path][method]["description"] == text


def queries(path: str, method: str) -> list[str]:
    item = V2["paths"][path]
    entries = [*item[method]["parameters"], *item.get("parameters", [])]
    return sorted(entry["name"] for entry in entries if entry["in"] == "query")


def test_queries() -> None:
    writes = ["dryRun", "fieldManager", "fieldValidation", "pretty"]
    assert queries(POD, "get") == ["pretty"]
    assert queries(PODS, "post") == writes
    assert queries(POD, "patch") == sorted([*writes, "force"])
    assert queries(PODS, "get") == [
        "allowWatchBookmarks", "continue", "fieldSelector", "labelSelector", "limit", "pretty",
        "resourceVersion", "resourceVersionMatch", "sendInitialEvents", "timeoutSeconds", "watch",
    ]  # fmt: skip
    assert queries(POD, "delete") == [
        "dryRun", "gracePeriodSeconds", "ignoreStoreReadErrorWithClusterBreakingPotential",
        "orphanDependents", "pretty", "propagationPolicy",
    ]  # fmt: skip


def test_how_to_identify_oneself_is_said() -> None:
    scheme = {
        "type": "apiKey",
        "in": "header",
        "name": "authorization",
        "description": "Bearer Token authentication",
    }
    assert V2["securityDefinitions"] == {"BearerToken": scheme}
    assert V2["security"] == [{"BearerToken": []}]
    assert v3("apis/apps/v1")["components"]["securitySchemes"] == {"BearerToken": scheme}


def test_documents_of_openapi_3() -> None:
    index = msgspec.json.decode(documents.index().body)["paths"]
    assert {
        ".well-known/openid-configuration", "api", "api/v1", "apis", "apis/apps", "apis/apps/v1",
        "apis/rbac.authorization.k8s.io", "openid/v1/jwks", "version",
    } <= set(index)  # fmt: skip
    assert list(v3("apis/apps")["paths"]) == ["/apis/apps/"]
    assert list(v3("version")["components"]["schemas"]) == ["io.k8s.apimachinery.pkg.version.Info"]
    paths = v3("apis/apps/v1")["paths"]
    assert paths["/apis/apps/v1/"]["get"]["operationId"] == "getAppsV1APIResources"
    answer = paths["/apis/apps/v1/deployments"]["get"]["responses"]["200"]
    assert list(answer["content"]) == [
        "application/json", "application/json;stream=watch", "application/yaml",
    ]  # fmt: skip
    log = v3("api/v1")["paths"][f"{POD}/log"]["get"]["responses"]["200"]
    assert log["content"] == {"text/plain": {"schema": {"type": "string"}}}
