"""What a client gets over HTTPS, from a whole server."""

import json
from io import BytesIO
from typing import Any

import pytest
from aiohttp import ClientResponse, ClientSession

from support.apiserver import RunningApiServer

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
NOT_FOUND = "the server could not find the requested resource"
NOT_ALLOWED = "the server does not allow this method on the requested resource"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


def configmap(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


async def create(session: ClientSession, name: str, **data: str) -> dict[str, Any]:
    async with session.post(CONFIGMAPS, json=configmap(name, **data)) as response:
        assert response.status == 201, await response.text()
        created: dict[str, Any] = await response.json()
        return created


async def failure(response: ClientResponse) -> tuple[int, str, str]:
    status = await response.json(content_type=None)
    assert status["kind"] == "Status"
    assert status["status"] == "Failure"
    assert status["code"] == response.status
    return response.status, status.get("reason", ""), status["message"]


async def test_create_get_update_patch_delete(api: RunningApiServer) -> None:
    async with api.session() as session:
        created = await create(session, "a", k="1")
        assert created["metadata"]["resourceVersion"]
        async with session.get(f"{CONFIGMAPS}/a") as response:
            assert await response.json() == created

        changed = created | {"data": {"k": "2"}}
        async with session.put(f"{CONFIGMAPS}/a", json=changed) as response:
            updated = await response.json()
        assert (response.status, updated["data"]) == (200, {"k": "2"})

        async with session.put(f"{CONFIGMAPS}/a", json=created) as response:
            assert (await failure(response))[:2] == (409, "Conflict")

        async with session.patch(
            f"{CONFIGMAPS}/a",
            data=b'{"data":{"j":"3"}}',
            headers={"Content-Type": "application/merge-patch+json"},
        ) as response:
            assert (await response.json())["data"] == {"k": "2", "j": "3"}

        async with session.delete(f"{CONFIGMAPS}/a") as response:
            gone = await response.json()
        assert gone["status"] == "Success"
        assert gone["details"] == {
            "name": "a",
            "kind": "configmaps",
            "uid": created["metadata"]["uid"],
        }
        async with session.get(f"{CONFIGMAPS}/a") as response:
            assert await failure(response) == (404, "NotFound", 'configmaps "a" not found')


async def test_yaml_in_and_out(api: RunningApiServer) -> None:
    text = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: v}\n"
    headers = {"Content-Type": "application/yaml", "Accept": "application/yaml"}
    async with (
        api.session() as session,
        session.post(CONFIGMAPS, data=text, headers=headers) as response,
    ):
        assert response.status == 201
        assert response.headers["Content-Type"] == "application/yaml"
        assert "data:\n  k: v\n" in await response.text()


async def test_a_list_does_not_repeat_kinds(api: RunningApiServer) -> None:
    async with api.session() as session:
        await create(session, "a")
        await create(session, "b")
        async with session.get(CONFIGMAPS) as response:
            found = await response.json()
    assert (found["kind"], found["apiVersion"]) == ("ConfigMapList", "v1")
    assert found["metadata"]["resourceVersion"]
    assert [item["metadata"]["name"] for item in found["items"]] == ["a", "b"]
    assert not any("kind" in item or "apiVersion" in item for item in found["items"])


async def test_pages(api: RunningApiServer) -> None:
    async with api.session() as session:
        for name in "abc":
            await create(session, name)
        async with session.get(CONFIGMAPS, params={"limit": "2"}) as response:
            first = await response.json()
        assert first["metadata"]["remainingItemCount"] == 1
        params = {"limit": "2", "continue": first["metadata"]["continue"]}
        async with session.get(CONFIGMAPS, params=params) as response:
            second = await response.json()
    assert [item["metadata"]["name"] for item in second["items"]] == ["c"]
    assert "continue" not in second["metadata"]


async def test_a_table_has_columns_and_metadata(api: RunningApiServer) -> None:
    async with api.session() as session:
        await create(session, "a", k="1")
        async with session.get(CONFIGMAPS, headers={"Accept": TABLE}) as response:
            table = await response.json()
        params = {"includeObject": "None"}
        async with session.get(CONFIGMAPS, headers={"Accept": TABLE}, params=params) as response:
            bare = await response.json()
    assert (table["kind"], table["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    assert [c["name"] for c in table["columnDefinitions"]] == ["Name", "Data", "Age"]
    (row,) = table["rows"]
    assert row["cells"][:2] == ["a", 1]
    assert row["object"]["kind"] == "PartialObjectMetadata"
    assert row["object"]["metadata"]["name"] == "a"
    assert bare["rows"][0]["object"] is None


async def test_metadata_alone(api: RunningApiServer) -> None:
    accept = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
    async with api.session() as session:
        await create(session, "a", k="1")
        async with session.get(CONFIGMAPS, headers={"Accept": accept}) as response:
            found = await response.json()
    assert found["kind"] == "PartialObjectMetadataList"
    assert found["items"][0]["kind"] == "PartialObjectMetadata"
    assert "data" not in found["items"][0]


async def test_warnings_become_headers(api: RunningApiServer) -> None:
    body = configmap("a") | {"colour": "red"}
    async with (
        api.session() as session,
        session.post(CONFIGMAPS, json=body, params={"fieldValidation": "Warn"}) as response,
    ):
        assert response.status == 201
        assert response.headers.getall("Warning") == ['299 - "unknown field \\"colour\\""']


async def test_a_dry_run_stores_nothing(api: RunningApiServer) -> None:
    async with api.session() as session:
        params = {"dryRun": "All"}
        async with session.post(CONFIGMAPS, json=configmap("a"), params=params) as response:
            assert response.status == 201
        async with session.get(f"{CONFIGMAPS}/a") as response:
            assert response.status == 404


REFUSED = {
    "unknown-path": ("GET", "/nothing", 404, None, "404 page not found\n"),
    "unknown-group": ("GET", "/apis/nothing.example/v1/things", 404, None, "404 page not found\n"),
    "unknown-resource": ("GET", "/api/v1/nothing", 404, "NotFound", NOT_FOUND),
    "unknown-subresource": ("GET", f"{CONFIGMAPS}/a/status", 404, "NotFound", NOT_FOUND),
    "empty-name": ("GET", "/api/v1/namespaces/default/pods//log", 404, "NotFound", NOT_FOUND),
    "name-with-a-slash": ("GET", f"{CONFIGMAPS}/a%2Fb", 404, "NotFound", NOT_FOUND),
    "namespaces-in-one": ("GET", "/api/v1/namespaces/d/namespaces", 404, "NotFound", NOT_FOUND),
    "nodes-in-a-namespace": ("GET", "/api/v1/namespaces/d/nodes", 404, "NotFound", NOT_FOUND),
    "put-to-a-collection": ("PUT", CONFIGMAPS, 405, "MethodNotAllowed", NOT_ALLOWED),
    "post-to-an-object": ("POST", f"{CONFIGMAPS}/a", 405, "MethodNotAllowed", NOT_ALLOWED),
    "create-everywhere": ("POST", "/api/v1/configmaps", 405, "MethodNotAllowed", NOT_ALLOWED),
    "delete-everywhere": ("DELETE", "/api/v1/configmaps", 405, "MethodNotAllowed", NOT_ALLOWED),
    "delete-all-namespaces": ("DELETE", "/api/v1/namespaces", 405, "MethodNotAllowed", NOT_ALLOWED),
    "post-to-version": ("POST", "/version", 405, "MethodNotAllowed", NOT_ALLOWED),
    "delete-discovery": ("DELETE", "/api/v1", 405, "MethodNotAllowed", NOT_ALLOWED),
    "bad-number": (
        "GET",
        f"{CONFIGMAPS}?limit=x",
        400,
        "BadRequest",
        'strconv.ParseInt: parsing "x": invalid syntax',
    ),
    "bad-dry-run": (
        "POST",
        f"{CONFIGMAPS}?dryRun=Some",
        422,
        "Invalid",
        'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: '
        '[]string{"Some"}: supported values: "All"',
    ),
    "control-character-in-manager": (
        "POST",
        f"{CONFIGMAPS}?fieldManager=a%09b",
        422,
        "Invalid",
        'CreateOptions.meta.k8s.io "" is invalid: fieldManager: Invalid value: "a\\tb": '
        "invalid character U+0009 (at position 1)",
    ),
}


@pytest.mark.parametrize(
    ("method", "path", "code", "reason", "message"), REFUSED.values(), ids=REFUSED.keys()
)
async def test_refused(
    api: RunningApiServer, method: str, path: str, code: int, reason: str | None, message: str
) -> None:
    from yarl import URL

    url = URL(api.server + path, encoded=True)
    async with api.session() as session, session.request(method, url, json={}) as response:
        if reason is None:
            assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
            assert (response.status, await response.text()) == (code, message)
        else:
            assert await failure(response) == (code, reason, message)


async def test_bodies_above_3_mib_are_refused(api: RunningApiServer) -> None:
    body = json.dumps(configmap("a", k="x" * 3_200_000)).encode()

    async def chunks() -> Any:  # without a Content-Length
        for start in range(0, len(body), 65536):
            yield body[start : start + 65536]

    headers = {"Content-Type": "application/json"}
    async with api.session() as session:
        for data in (BytesIO(body), chunks()):
            async with session.post(CONFIGMAPS, data=data, headers=headers) as response:
                assert await failure(response) == (
                    413,
                    "RequestEntityTooLarge",
                    "Request entity too large: limit is 3145728",
                )


async def test_unknown_body_type(api: RunningApiServer) -> None:
    headers = {"Content-Type": "text/plain"}
    async with (
        api.session() as session,
        session.post(CONFIGMAPS, data=b"x", headers=headers) as response,
    ):
        assert (await failure(response))[:2] == (415, "UnsupportedMediaType")


@pytest.mark.parametrize(
    ("patch_type", "body", "message"),
    [
        ("merge-patch", b"{", "error decoding patch: unexpected end of JSON input"),
        (
            "merge-patch",
            b"[]",
            "error decoding patch: json: cannot unmarshal array into Go value of type "
            "map[string]interface {}",
        ),
        ("strategic-merge-patch", b"{", "unexpected end of JSON input"),
        (
            "strategic-merge-patch",
            b"[]",
            "json: cannot unmarshal array into Go value of type map[string]interface {}",
        ),
    ],
)
async def test_bad_patches(
    api: RunningApiServer, patch_type: str, body: bytes, message: str
) -> None:
    headers = {"Content-Type": f"application/{patch_type}+json"}
    async with api.session() as session:
        await create(session, "a")
        async with session.patch(f"{CONFIGMAPS}/a", data=body, headers=headers) as response:
            assert await failure(response) == (400, "BadRequest", message)


_APPLY = {"Content-Type": "application/apply-patch+yaml"}
_APPLIED = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: v\n"


async def test_server_side_apply_creates_and_then_updates(api: RunningApiServer) -> None:
    url = f"{CONFIGMAPS}/a?fieldManager=me"
    async with api.session() as session:
        codes = []
        for _ in range(2):
            async with session.patch(url, data=_APPLIED, headers=_APPLY) as response:
                codes.append(response.status)
                found = await response.json()
    assert codes == [201, 200]
    assert found["data"] == {"k": "v"}
    (entry,) = found["metadata"]["managedFields"]
    assert (entry["manager"], entry["operation"]) == ("me", "Apply")
    assert entry["fieldsV1"] == {"f:data": {"f:k": {}}}


async def test_server_side_apply_names_its_manager(api: RunningApiServer) -> None:
    async with (
        api.session() as session,
        session.patch(f"{CONFIGMAPS}/a", data=_APPLIED, headers=_APPLY) as response,
    ):
        assert await failure(response) == (
            422,
            "Invalid",
            'PatchOptions.meta.k8s.io "" is invalid: '
            "fieldManager: Required value: is required for apply patch",
        )


@pytest.mark.parametrize(
    ("validation", "code", "warnings"),
    [("Warn", 201, 1), ("Ignore", 201, 0), ("Strict", 400, 0)],
)
async def test_repeated_keys_of_an_apply(
    api: RunningApiServer, validation: str, code: int, warnings: int
) -> None:
    url = f"{CONFIGMAPS}/a?fieldManager=me&fieldValidation={validation}"
    body = _APPLIED + b"  k: w\n"
    async with (
        api.session() as session,
        session.patch(url, data=body, headers=_APPLY) as response,
    ):
        found = await response.json()
        assert response.status == code
        assert len(response.headers.getall("Warning", [])) == warnings
    if code == 400:
        assert found["message"] == (
            "error strict decoding YAML: error converting YAML to JSON: "
            'yaml: unmarshal errors:\n  line 7: key "k" already set in map'
        )
    else:
        assert found["data"] == {"k": "w"}


@pytest.mark.parametrize("depth", [100, 5000])
async def test_an_apply_too_deep_to_read_is_a_bad_request(
    api: RunningApiServer, depth: int
) -> None:
    body = _APPLIED + b"  deep: " + b"[" * depth + b"]" * depth + b"\n"
    url = f"{CONFIGMAPS}/a?fieldManager=me"
    async with (
        api.session() as session,
        session.patch(url, data=body, headers=_APPLY) as response,
    ):
        code, _, message = await failure(response)
    if depth == 5000:
        assert code == 400
        assert message.startswith("error decoding YAML: ")
        assert message.endswith("exceeded max depth")
    else:
        assert message.startswith("failed to create typed patch object (/a; /v1, Kind=ConfigMap)")


async def test_owners_too_deep_to_read_are_not_taken(api: RunningApiServer) -> None:
    fields: dict[str, Any] = {}
    for _ in range(800):
        fields = {"f:a": fields}
    entry = {
        "manager": "x", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    }  # fmt: skip
    async with api.session() as session:
        body = configmap("a", k="v")
        body["metadata"]["managedFields"] = [entry]
        async with session.post(CONFIGMAPS, json=body) as response:
            assert response.status == 201
            found = await response.json()
    assert [each["manager"] for each in found["metadata"]["managedFields"]] == ["Python"]


async def test_an_update_with_an_empty_list_of_owners_forgets_them(api: RunningApiServer) -> None:
    async with api.session() as session:
        created = await create(session, "a", k="1")
        assert created["metadata"]["managedFields"]
        for body, kind in (
            (json.dumps(configmap("a", k="2")), "json"),
            ("{metadata: {name: a}, data: {k: '2'}}", "yaml"),
        ):
            headers = {"Content-Type": f"application/{kind}"}
            async with session.put(f"{CONFIGMAPS}/a", data=body, headers=headers) as response:
                assert (await response.json())["metadata"]["managedFields"]
        emptied = configmap("a", k="3")
        emptied["metadata"]["managedFields"] = []
        async with session.put(f"{CONFIGMAPS}/a", json=emptied) as response:
            assert "managedFields" not in (await response.json())["metadata"]


async def test_delete_collection(api: RunningApiServer) -> None:
    async with api.session() as session:
        await create(session, "a")
        await create(session, "b")
        async with session.delete(CONFIGMAPS) as response:
            found = await response.json()
        assert response.status == 200
        assert [item["metadata"]["name"] for item in found["items"]] == ["a", "b"]
        async with session.get(CONFIGMAPS) as response:
            assert (await response.json())["items"] == []


MERGE, STRATEGIC = "application/merge-patch+json", "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"


@pytest.mark.parametrize(
    ("patch_type", "body", "offences"),
    [
        pytest.param(
            MERGE,
            '{"data":{"a":"1","a":"2"},"spek":1}',
            ['duplicate field "data.a"', 'unknown field "spek"'],
            id="merge",
        ),
        pytest.param(
            STRATEGIC,
            '{"data":{"a":"1","a":"2","a":"3"}}',
            ['duplicate field "data.a"'],
            id="strategic",
        ),
        pytest.param(
            JSON_PATCH,
            '[{"op":"add","path":"/data","value":{"a":"1"},"op":"add"}]',
            ['json patch duplicate field "[0].op"'],
            id="json",
        ),
    ],
)
async def test_keys_that_a_patch_repeats(
    api: RunningApiServer, patch_type: str, body: str, offences: list[str]
) -> None:
    headers = {"Content-Type": patch_type}
    async with api.session() as session:
        await create(session, "a")

        async def patch(validation: str) -> ClientResponse:
            query = {"fieldValidation": validation}
            async with session.patch(
                f"{CONFIGMAPS}/a", data=body, headers=headers, params=query
            ) as response:
                await response.read()
                return response

        refused = await patch("Strict")
        code, _, message = await failure(refused)
        assert code == 422
        assert message.endswith(f": strict decoding error: {', '.join(offences)}")
        warned = await patch("Warn")
        texts = [text.replace('"', '\\"') for text in offences]
        assert warned.headers.getall("Warning") == [f'299 - "{text}"' for text in texts]
        ignored = await patch("Ignore")
        assert (ignored.status, "Warning" in ignored.headers) == (200, False)


def _in_protobuf(*fields: tuple[int, bytes]) -> dict[str, Any]:
    """A request whose body is DeleteOptions in protobuf, as Helm 4 and other Go clients send it."""

    def field(number: int, content: bytes) -> bytes:
        return bytes((number << 3 | 2, len(content))) + content

    raw = b"".join(field(number, content) for number, content in fields)
    types = field(1, b"v1") + field(2, b"DeleteOptions")
    return {
        "data": b"k8s\x00" + field(1, types) + field(2, raw),
        "headers": {"Content-Type": "application/vnd.kubernetes.protobuf"},
    }


async def test_options_of_a_deletion_in_protobuf(api: RunningApiServer) -> None:
    dry, other_uid = _in_protobuf((5, b"All")), _in_protobuf((2, b"\x0a\x04none"))
    async with api.session() as session:
        await create(session, "a")
        async with session.delete(f"{CONFIGMAPS}/a", **dry) as response:
            assert response.status == 200
        async with session.delete(f"{CONFIGMAPS}/a", **other_uid) as response:
            assert (await failure(response))[:2] == (409, "Conflict")
        async with session.get(f"{CONFIGMAPS}/a") as response:
            assert response.status == 200
        async with session.delete(CONFIGMAPS, **_in_protobuf()) as response:
            assert response.status == 200
        async with session.get(f"{CONFIGMAPS}/a") as response:
            assert response.status == 404


async def test_no_options_of_a_deletion_in_protobuf(api: RunningApiServer) -> None:
    """Upstream has no reason to give for any body it cannot read here."""
    nothing = _in_protobuf() | {"data": b"nothing of the kind"}
    async with api.session() as session:
        await create(session, "a")
        async with session.delete(f"{CONFIGMAPS}/a", **nothing) as response:
            found = await response.json()
    assert response.status == 500
    assert found["message"].startswith("provided data does not appear to be a protobuf message")


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(f"{CONFIGMAPS}/kube-root-ca.crt", id="object"),
        pytest.param(f"{CONFIGMAPS}?watch=1&timeoutSeconds=1", id="watch"),
        pytest.param(f"{CONFIGMAPS}/none", id="failure"),
        pytest.param("/openapi/v2", id="large"),
        pytest.param("/nowhere", id="text"),
    ],
)
async def test_each_answer_has_a_name_which_the_client_may_give(
    api: RunningApiServer, path: str
) -> None:
    own = "my request, 1"
    async with api.session() as session:
        names = []
        for headers in ({}, {}, {"Audit-ID": own}, {"Audit-ID": "\u00e9"}):
            async with session.get(path, headers=headers) as response:
                names.append(response.headers["Audit-Id"])
    assert names[2] == own
    assert len(set(names)) == 4
    assert all(len(name) == 36 for name in (*names[:2], names[3]))
