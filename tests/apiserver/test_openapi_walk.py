"""Every operation that the OpenAPI documents describe, tried on a running server with schemathesis:
the server does not fail, and what it answers is what the documents say."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from hypothesis import given
from hypothesis import strategies as st

from podium.api import codec
from podium.api.scheme import PODS, RESOURCES, SERVICEACCOUNTS, Resource
from podium.api.types.meta_v1 import Status
from podium.apiserver.openapi.documents import group_versions, index, v2, v3
from support.apiserver import RunningApiServer, running_apiserver
from support.fuzzing import examples, is_servers_fault
from support.generated import documents, instances
from support.minimal import minimal

schemathesis = pytest.importorskip("schemathesis", reason="not installed: make install-test")
checks = pytest.importorskip("schemathesis.specs.openapi.checks")

Body = tuple[str, bytes]
#: Which one of how many.
Part = tuple[int, int]

#: Requests that become streams, or are passed on: tested elsewhere.
_CONNECTIONS = ("attach", "exec", "log", "portforward", "proxy", "{path}")
_AS_DOCUMENTED = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]
_BY_PATH = {
    **{(each.group, each.version, each.plural): each for each in RESOURCES},
    ("", "v1", "bindings"): PODS,
}


class Client:
    """Talks to one server, in a thread beside it."""

    def __init__(self, api: RunningApiServer) -> None:
        pair = api.pair()
        self._server, self._session = api.server, requests.Session()
        self._session.trust_env = False
        self._tls = {
            "verify": str(api.authority.cert_file),
            "cert": (str(pair.cert), str(pair.key)),
        }

    def close(self) -> None:
        """Let the server close the connection, which it does not do at once if we do."""
        self._request("GET", self._server + "/version", headers={"Connection": "close"})
        self._session.close()

    def document(self, path: str) -> Any:
        return self._request("GET", self._server + path).json()

    def read(self, operation: Any) -> None:
        """Get what is about no kind: a document."""
        case = operation.Case()
        answer = self._request("GET", self._server + operation.path)
        assert answer.status_code == 200, _about(answer)
        # Of the issuer's documents upstream's say that they are text.
        of_issuer = operation.path.startswith(("/.well-known/", "/openid/"))
        case.validate_response(answer, checks=_AS_DOCUMENTED[: 2 if of_issuer else None])

    def ensure(self, resource: Resource) -> str:
        """See to it that there is an object to try things on; return its name."""
        if resource is PODS:
            self.ensure(SERVICEACCOUNTS)  # as whom it is to run
        made = minimal(resource)
        url = self._server + resource.path("default" if resource.namespaced else "")
        answer = self._request("POST", url, json=made)
        assert answer.status_code in (201, 409), answer.text
        return str(made["metadata"]["name"])

    def send(self, case: Any, body: Body, accept: str) -> requests.Response:
        planned = case.as_transport_kwargs(base_url=self._server)
        headers = {"Accept": accept, "Content-Type": body[0]}
        return self._request(
            case.method, planned["url"], params=planned["params"], headers=headers, data=body[1]
        )

    def _request(self, method: str, url: str, **named: Any) -> requests.Response:
        return self._session.request(method, url, **named, **self._tls, timeout=60)


def walk(client: Client, document: Any, usually: int, part: Part = (0, 1)) -> int:
    """Try every operation of a document, or of a part of its paths; return how many there are."""
    number, parts = part
    kept = {path: document["paths"][path] for path in sorted(document["paths"])[number::parts]}
    document = {**document, "paths": kept}
    count = 0
    for found in schemathesis.openapi.from_dict(_for_schemathesis(document)).get_all_operations():
        operation = found.ok()
        if operation.path.rpartition("/")[2] not in _CONNECTIONS:
            raw = document["paths"][operation.path][operation.method]
            if operation.path.endswith("/"):
                client.read(operation)
            else:
                _try(client, operation, raw, usually)
            count += 1
    return count


def _try(client: Client, operation: Any, raw: Any, usually: int) -> None:
    resource = _resource(operation.path)
    answers = st.sampled_from(["application/json", "application/yaml"])

    if resource is PODS:
        client.ensure(SERVICEACCOUNTS)  # for which a Pod would wait

    @examples(usually)
    @given(operation.as_strategy(), _bodies(raw, resource), answers)
    def check(case: Any, body: Body, accept: str) -> None:
        if "name" in case.path_parameters and resource.stored:
            case.path_parameters["name"] = client.ensure(resource)
        if "namespace" in case.path_parameters:
            case.path_parameters["namespace"] = "default"
        case.query.pop("watch", None)
        judge(case, client.send(case, body, accept))
        case.query.clear()  # most of what is drawn is refused
        judge(case, client.send(case, body, accept))

    check()


def judge(case: Any, answer: requests.Response) -> None:
    plain = answer.headers["Content-Type"] == "application/json"
    said = answer.json() if plain else yaml.safe_load(answer.content)
    if answer.status_code >= 400:
        status = codec.from_plain(Status, said)
        shown = (status.kind, status.status, status.code)
        assert shown == ("Status", "Failure", answer.status_code), _about(answer)
        assert not is_servers_fault(status), _about(answer)
    elif case.method != "DELETE" or said["kind"] == "Status":
        case.validate_response(answer, checks=_AS_DOCUMENTED)
    # else it is the object, which waits for its finalizers, or a list: upstream's documents, too,
    # say Status


def _about(answer: requests.Response) -> str:
    sent = answer.request
    return f"{sent.method} {sent.url} {sent.body!r}: {answer.status_code} {answer.text}"


def _for_schemathesis(document: Any) -> Any:
    """Leave out the bodies, which are drawn by ``support.generated``: the server takes most of its
    objects. Let that be null which Go writes as null where there is nothing, and let statuses
    say what they like, as nobody checks."""
    document = json.loads(json.dumps(document))
    for path in document["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict):
                operation.pop("requestBody", None)
    for kind, definition in document["components"]["schemas"].items():
        properties = definition.get("properties", {})
        for name, field in properties.items():
            if kind.endswith(("Status", "Condition")):
                field.pop("enum", None)
            if _is_null_at_times(name, field):
                properties[name] = {"nullable": True, "allOf": [field]}
    return document


def _is_null_at_times(name: str, field: Any) -> bool:
    references = [each["$ref"] for each in (field, *field.get("allOf", ())) if "$ref" in each]
    return (
        field.get("type") in ("array", "object")
        or name == "boundObjectRef"
        or any(reference.endswith(("Time", "MicroTime")) for reference in references)
    )


def _resource(path: str) -> Resource:
    """Return what a path is about, the kind that a subresource belongs to."""
    root, *parts = path.strip("/").split("/")
    group = "" if root == "api" else parts.pop(0)
    version, *rest = parts
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in ("status", "finalize"):
        rest = rest[2:]
    return _BY_PATH[group, version, rest[0]]


def _bodies(operation: Any, resource: Resource) -> st.SearchStrategy[Body]:
    content = operation.get("requestBody", {}).get("content", {})
    if not content:
        return st.just(("", b""))
    reference = next(iter(content.values()))["schema"]["$ref"]
    definition = reference.rpartition("/")[2]
    if definition.endswith(".Patch"):
        changes = st.just({}) | documents(resource).map(_without_identity)
        kinds = st.sampled_from([kind for kind in content if "json-patch" not in kind])
        return st.tuples(kinds, changes.map(lambda change: json.dumps(change).encode()))
    made = (
        documents(resource) if definition.endswith(f".{resource.kind}") else instances(definition)
    )
    texts = made.map(lambda document: json.dumps(document).encode())
    if definition.endswith(".DeleteOptions"):
        texts |= st.just(b"")
    return st.tuples(st.just("application/json"), texts)


def _without_identity(document: Any) -> Any:
    return {name: value for name, value in document.items() if name != "metadata"}


def documented() -> list[str]:
    """The paths of all documents of version 3."""
    return sorted(json.loads(index().body)["paths"])


def parts_of_documents() -> list[Any]:
    """Each document, the long one of the core group in parts that take as long as others do."""
    counts = {path: 3 if path == "api/v1" else 1 for path in sorted(group_versions())}
    return [
        pytest.param(path, (number, count), id=path if count == 1 else f"{path}-{number}")
        for path, count in counts.items()
        for number in range(count)
    ]


@pytest.mark.parametrize(("path", "part"), parts_of_documents())
async def test_operations_do_as_they_are_documented(path: str, part: Part, tmp_path: Path) -> None:
    async with running_apiserver(tmp_path) as api:

        def run() -> BaseException | None:
            with closing(Client(api)) as client:
                document = client.document(f"/openapi/v3/{path}")
                try:
                    assert walk(client, document, usually=2, part=part)
                except BaseException as failure:  # noqa: BLE001 - raised when the server is down
                    return failure
            return None

        failure = await asyncio.to_thread(run)
    if failure:
        raise failure


async def test_documents_about_no_kind_do_as_they_are_documented(api: RunningApiServer) -> None:
    def run() -> int:
        with closing(Client(api)) as client:
            others = [path for path in documented() if path not in group_versions()]
            return sum(walk(client, client.document(f"/openapi/v3/{p}"), 1) for p in others)

    assert await asyncio.to_thread(run) > len({group for group, _ in group_versions().values()})


def test_version_2_describes_the_same_operations_as_version_3() -> None:
    everything = {_signature(each) for each in _operations(json.loads(v2().body))}
    by_path = [v3(path) for path in documented()]
    found = [each for one in by_path if one for each in _operations(json.loads(one.body))]
    assert len(found) == len(everything)
    assert {_signature(each) for each in found} == everything


def _operations(document: Any) -> list[Any]:
    return [each.ok() for each in schemathesis.openapi.from_dict(document).get_all_operations()]


def _signature(operation: Any) -> tuple[str, str, frozenset[str]]:
    names = [*operation.path_parameters, *operation.query]
    return operation.method, operation.path, frozenset(each.name for each in names)
