"""Bytes that kubectl 1.37 sent, and what they say."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.api import codec
from podium.api.protobuf import MAGIC, BadProtobuf, decode
from podium.api.types.apps_v1 import ControllerRevision, Deployment
from podium.api.types.authentication_v1 import TokenRequest
from podium.api.types.authorization_v1 import SubjectAccessReview
from podium.api.types.core_v1 import Namespace, Pod, Secret, Service
from podium.api.types.meta_v1 import ObjectMeta
from podium.api.types.rbac_v1 import ClusterRole
from support.protobuf_writer import delimited

NAMESPACE = bytes.fromhex(
    "6b3873000a0f0a0276311209"
    "4e616d657370616365121a0a120a0278311200"
    "1a0022002a00320038004200"
    "12001a020a001a002200"
)


def field(number: int, content: bytes) -> bytes:
    return bytes((number << 3 | 2, len(content))) + content


def envelope(kind: str, raw: bytes, api_version: str = "v1") -> bytes:
    types = field(1, api_version.encode()) + field(2, kind.encode())
    return MAGIC + field(1, types) + delimited(2, raw)


@pytest.mark.parametrize(
    ("quantity", "said"), [(b"", "0"), (field(1, b"5Mi"), "5Mi"), (field(1, b""), "")]
)
def test_a_quantity_is_none_only_where_it_is_left_out(quantity: bytes, said: str) -> None:
    overhead = field(1, b"memory") + field(2, quantity)
    found, _ = decode(
        envelope("Pod", field(2, b"\x82\x02" + bytes([len(overhead)]) + overhead)), Pod
    )
    assert found["spec"] == {"overhead": {"memory": said}}


def test_a_namespace_of_kubectl() -> None:
    found = codec.from_plain(Namespace, decode(NAMESPACE, Namespace)[0])
    assert found == Namespace(metadata=ObjectMeta(name="x1"))


def test_maps_and_bytes() -> None:
    metadata = field(1, b"s") + field(11, field(1, b"k") + field(2, b"v"))
    data = field(1, b"key") + field(2, b"\x00\xff")
    raw = field(1, metadata) + field(2, data) + field(3, b"Opaque") + b"\x28\x00"
    assert decode(envelope("Secret", raw), Secret)[0] == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "labels": {"k": "v"}},
        "data": {"key": base64.b64encode(b"\x00\xff").decode()},
        "type": "Opaque",
        "immutable": False,
    }


def test_lists_by_key_and_nested_messages() -> None:
    attributes = field(2, b"get") + field(5, b"pods")
    extra = field(1, b"scopes") + field(2, field(1, b"a") + field(1, b"b"))
    spec = field(1, attributes) + field(3, b"jane") + field(4, b"g") + field(5, extra)
    raw = field(1, b"") + field(2, spec) + field(3, b"\x08\x00\x12\x00")
    body = envelope("SubjectAccessReview", raw, "authorization.k8s.io/v1")
    assert decode(body, SubjectAccessReview)[0]["spec"] == {
        "resourceAttributes": {"verb": "get", "resource": "pods"},
        "user": "jane",
        "groups": ["g"],
        "extra": {"scopes": ["a", "b"]},
    }


def test_roles_and_what_they_are_made_of() -> None:
    rule = field(1, b"get") + field(2, b"") + field(3, b"pods") + field(4, b"p")
    selector = field(1, field(1, b"k") + field(2, b"v")) + field(
        2, field(1, b"x") + field(2, b"In") + field(3, b"1")
    )
    raw = field(1, field(1, b"r")) + field(2, rule) + field(3, field(1, selector))
    body = envelope("ClusterRole", raw, "rbac.authorization.k8s.io/v1")
    found, _ = decode(body, ClusterRole)
    assert found["rules"] == [
        {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"], "resourceNames": ["p"]}
    ]
    assert found["aggregationRule"]["clusterRoleSelectors"] == [
        {
            "matchLabels": {"k": "v"},
            "matchExpressions": [{"key": "x", "operator": "In", "values": ["1"]}],
        }
    ]


def test_numbers_times_and_lists() -> None:
    spec = field(1, b"a") + field(1, b"b") + b"\x20\xd8\x04"
    status = field(2, b"\x08\xe8\x07")
    raw = field(1, field(8, b"\x08\x00")) + field(2, spec) + field(3, status)
    body = envelope("TokenRequest", raw, "authentication.k8s.io/v1")
    found, _ = decode(body, TokenRequest)
    assert found["spec"] == {"audiences": ["a", "b"], "expirationSeconds": 600}
    assert found["metadata"] == {"creationTimestamp": "1970-01-01T00:00:00Z"}
    assert found["status"] == {"expirationTimestamp": "1970-01-01T00:16:40Z"}


@pytest.mark.parametrize(
    ("target", "expected"),
    [(b"\x08\x00\x10\x50\x1a\x00", 80), (b"\x08\x01\x10\x00\x1a\x03web", "web")],
    ids=["number", "name"],
)
def test_ports_by_number_or_name(target: bytes, expected: int | str) -> None:
    raw = field(2, field(1, b"\x18\x50" + field(4, target)))
    (port,) = decode(envelope("Service", raw), Service)[0]["spec"]["ports"]
    assert port == {"port": 80, "targetPort": expected}


def test_an_envelope_without_types_is_what_is_expected() -> None:
    found, _ = decode(MAGIC + field(2, field(1, field(1, b"a"))), Namespace)
    assert found == {"apiVersion": "", "kind": "", "metadata": {"name": "a"}}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{}", id="json"),
        pytest.param(NAMESPACE[:-5], id="cut-off"),
        pytest.param(envelope("Namespace", b"\x08\x01"), id="number-for-a-message"),
        pytest.param(envelope("Namespace", b"\x0b"), id="group"),
        pytest.param(envelope("Nothing", b""), id="other-kind"),
        pytest.param(MAGIC + b"\xff" * 12, id="endless-number"),
        pytest.param(envelope("Namespace", field(1, field(1, b"\xff"))), id="not-utf-8"),
    ],
)
def test_refused(body: bytes) -> None:
    with pytest.raises(BadProtobuf):
        decode(body, Namespace)


def test_fields_that_came_later_are_dropped_and_told_of() -> None:
    """Upstream's readers drop them, too; ours do not do it in silence."""
    raw = field(1, field(1, b"a")) + field(2, field(5, b"x")) + field(9, b"x") + field(9, b"y")
    found, unknown = decode(envelope("Namespace", raw), Namespace)
    assert found["metadata"] == {"name": "a"}
    assert unknown == [
        "unknown field 5 of protobuf message NamespaceSpec",
        "unknown field 9 of protobuf message Namespace",
    ]


def test_lists_of_numbers_may_be_packed() -> None:
    groups = b"\x1a\x03\x01\xac\x02"  # 1 and 300, as one field
    user = field(13, field(1, b"\x08\x00\x10\x00" + groups))
    raw = field(3, field(8, field(1, b"c") + user))
    (status,) = decode(envelope("Pod", raw), Pod)[0]["status"]["containerStatuses"]
    assert status["user"] == {"linux": {"uid": 0, "gid": 0, "supplementalGroups": [1, 300]}}


@pytest.mark.parametrize("raw", [b"[" * 5000, b'{"a":' * 2000 + b"1" + b"}" * 2000, b"NaN", b"{"])
def test_json_inside_that_is_too_deep_or_none(raw: bytes) -> None:
    body = envelope("ControllerRevision", delimited(2, delimited(1, raw)), "apps/v1")
    with pytest.raises(BadProtobuf):
        decode(body, ControllerRevision)


@given(st.binary())
def test_no_bytes_do_anything_else(body: bytes) -> None:
    for kind in (Secret, Service, TokenRequest):
        try:
            decode(envelope(kind.__name__, b"") + body, kind)
            decode(MAGIC + body, kind)
        except BadProtobuf:
            continue


def test_what_go_keeps_inline_is_inline_in_json() -> None:
    probe = field(1, field(2, field(1, b"/healthz") + field(2, b"\x08\x00\x10\x50\x1a\x00")))
    container = field(1, b"c") + field(2, b"image") + field(10, probe)
    volume = field(1, b"v") + field(2, field(2, b""))
    template = field(1, b"") + field(2, field(1, volume) + field(2, container))
    raw = field(1, field(1, b"d")) + field(2, b"\x08\x00" + field(3, template))
    spec = decode(envelope("Deployment", raw, "apps/v1"), Deployment)[0]["spec"]
    assert spec["replicas"] == 0
    assert spec["template"]["spec"] == {
        "volumes": [{"name": "v", "emptyDir": {}}],
        "containers": [
            {
                "name": "c",
                "image": "image",
                "livenessProbe": {"httpGet": {"path": "/healthz", "port": 80}},
            }
        ],
    }
