import pytest

from podium.apiserver.paths import BadTarget, Query, RequestInfo, parse, read, split_target


def resource(**fields: str) -> dict[str, object]:
    return {"is_resource": True, "version": "v1", **fields}


def other(verb: str) -> dict[str, object]:
    return {"is_resource": False, "verb": verb}


CASES = {
    "list-in-namespace": (
        "GET /api/v1/namespaces/d/pods",
        resource(verb="list", namespace="d", resource="pods"),
    ),
    "list-everywhere": ("GET /api/v1/pods", resource(verb="list", resource="pods", namespace="")),
    "get": (
        "GET /api/v1/namespaces/d/pods/a",
        resource(verb="get", namespace="d", resource="pods", name="a"),
    ),
    "trailing-slash": (
        "GET /api/v1/namespaces/d/pods/a/",
        resource(verb="get", namespace="d", resource="pods", name="a", subresource=""),
    ),
    "encoded-dot": (
        "GET /api/v1/namespaces/d/configmaps/a%2Eb",
        resource(verb="get", resource="configmaps", name="a.b"),
    ),
    "encoded-slash-is-a-subresource": (
        "GET /api/v1/namespaces/d/configmaps/a%2Fb",
        resource(verb="get", resource="configmaps", name="a", subresource="b"),
    ),
    "subresource": (
        "PATCH /api/v1/namespaces/d/pods/a/status",
        resource(verb="patch", resource="pods", name="a", subresource="status"),
    ),
    "rest-of-a-proxied-path": (
        "GET /api/v1/namespaces/d/pods/a/proxy/x/y",
        resource(verb="get", name="a", subresource="proxy", rest="x/y"),
    ),
    "empty-name": (
        "GET /api/v1/namespaces/d/pods//log",
        resource(resource="pods", name="", subresource="log"),
    ),
    "empty-namespace": (
        "GET /api/v1/namespaces//pods",
        resource(verb="list", namespace="", resource="pods"),
    ),
    "namespaces": ("GET /api/v1/namespaces", resource(verb="list", resource="namespaces")),
    "namespace": (
        "GET /api/v1/namespaces/d",
        resource(verb="get", resource="namespaces", namespace="d", name="d"),
    ),
    "namespace-finalize": (
        "PUT /api/v1/namespaces/d/finalize",
        resource(verb="update", resource="namespaces", name="d", subresource="finalize"),
    ),
    "named-group": (
        "POST /apis/coordination.k8s.io/v1/namespaces/d/leases",
        resource(verb="create", group="coordination.k8s.io", resource="leases", name=""),
    ),
    "delete-collection": (
        "DELETE /api/v1/namespaces/d/pods",
        resource(verb="deletecollection", resource="pods"),
    ),
    "watch": ("GET /api/v1/pods?watch=true", resource(verb="watch", resource="pods")),
    "watch-bare": ("GET /api/v1/pods?watch", resource(verb="watch")),
    "watch-odd-word": ("GET /api/v1/pods?watch=maybe", resource(verb="watch")),
    "watch-false": ("GET /api/v1/pods?watch=false", resource(verb="list")),
    "watch-0": ("GET /api/v1/pods?watch=0", resource(verb="list")),
    "watch-old-form": (
        "GET /api/v1/watch/namespaces/d/pods/a",
        resource(verb="watch", namespace="d", resource="pods", name="a"),
    ),
    "one-name-by-selector": (
        "GET /api/v1/namespaces/d/secrets?fieldSelector=metadata.name%3Ds",
        resource(verb="list", resource="secrets", name="s"),
    ),
    "unknown-method": ("BREW /api/v1/pods", resource(verb="", resource="pods")),
    "root": ("GET /", other("get")),
    "version": ("POST /version", other("post")),
    "core-version": ("GET /api/v1", other("get")),
    "group": ("GET /apis/apps", other("get")),
    "group-version": ("GET /apis/apps/v1", other("get")),
    "health": ("GET /livez/ping", other("get")),
}


@pytest.mark.parametrize(("request_line", "expected"), CASES.values(), ids=CASES.keys())
def test_request_info(request_line: str, expected: dict[str, object]) -> None:
    method, target = request_line.split(" ")
    path, query = split_target(target)
    info = parse(method, path, query)
    assert {name: getattr(info, name) for name in expected} == expected


def test_only_the_first_value_of_a_parameter_counts() -> None:
    assert Query("a=1&a=2").get("a") == "1"
    assert list(Query("a=1&a=2").all("a")) == ["1", "2"]


@pytest.mark.parametrize(
    ("info", "scope"),
    [
        (RequestInfo("GET", "", "get", True, name="a", namespace="d"), "resource"),
        (RequestInfo("GET", "", "list", True, namespace="d"), "namespace"),
        (RequestInfo("GET", "", "list", True), "cluster"),
        (RequestInfo("GET", "/version", "get"), ""),
    ],
)
def test_scope(info: RequestInfo, scope: str) -> None:
    assert info.scope == scope


@pytest.mark.parametrize("length", [10, 1000])
def test_what_is_remembered_of_a_target_is_what_it_says(length: int) -> None:
    target = f"/api/v1/namespaces/d/pods?labelSelector={'a' * length}"
    for method, verb in (("GET", "list"), ("POST", "create"), ("BREW", ""), ("GET", "list")):
        info, query = read(method, target)
        assert (info.verb, info.resource) == (verb, "pods")
        assert query.get("labelSelector") == "a" * length
    with pytest.raises(BadTarget):
        read("GET", "/api/v1/%zz")


@pytest.mark.parametrize(
    "target", ["/api/v1/pods?labelSelector=a;b", "/livez?verbose;exclude=etcd"]
)
def test_a_semicolon_in_a_query_is_no_part_of_it(target: str) -> None:
    with pytest.raises(BadTarget):
        read("GET", target)


def test_what_a_proxied_server_makes_of_a_semicolon_is_its_own_matter() -> None:
    target = "/api/v1/namespaces/d/services/a/proxy/x;y?b;c"
    info, _ = read("GET", target)
    assert (info.subresource, info.rest) == ("proxy", "x;y")
    info, query = read("GET", "/api/v1/namespaces/d;e/pods?labelSelector=a%3Bb")
    assert (info.namespace, query.get("labelSelector")) == ("d;e", "a;b")
