"""What upstream says of the smaller kinds of the core group that are wrong."""

from __future__ import annotations

import base64
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest

from podium.api import codec, scheme
from podium.registry.strategies import strategy_for

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NAME_PART = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end "
    "with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)


def made(resource: scheme.Resource, body: dict[str, Any]) -> Any:
    metadata = {"name": "x", "namespace": "default" if resource.namespaced else ""}
    obj = codec.from_plain(resource.type, {"metadata": metadata, **body})
    strategy_for(resource).default(obj)
    return obj


def offences(resource: scheme.Resource, body: dict[str, Any]) -> list[str]:
    return [str(error) for error in strategy_for(resource).validate(made(resource, body))]


LIMIT = "spec.limits[0]"
UNKNOWN = "must be a standard resource type or fully qualified"
OF_CONTAINERS = "must be a standard resource for containers"


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        pytest.param({"type": "Foo"},
                     [f'{LIMIT}.type: Invalid value: "Foo": must be a standard limit type or fully '
                      "qualified"], id="type"),
        pytest.param({"type": "example.com/foo", "max": {"storage": "1"}}, [], id="own-type"),
        pytest.param({"type": "Pod", "min": {"storage": "1"}},
                     [f'{LIMIT}.min[storage]: Invalid value: "storage": {OF_CONTAINERS}'],
                     id="of-containers"),
        pytest.param({"type": "Pod", "max": {"foo": "1"}, "maxLimitRequestRatio": {"a b": "2"}},
                     [f'{LIMIT}.max[foo]: Invalid value: "foo": {UNKNOWN}',
                      f'{LIMIT}.max[foo]: Invalid value: "foo": {OF_CONTAINERS}',
                      f'{LIMIT}.maxLimitRequestRatio[a b]: Invalid value: "a b": {NAME_PART}',
                      f'{LIMIT}.maxLimitRequestRatio[a b]: Invalid value: "a b": {OF_CONTAINERS}'],
                     id="names"),
        pytest.param({"type": "PersistentVolumeClaim", "default": {"storage": "1"}},
                     [f"{LIMIT}.limits: Required value: either minimum or maximum storage value is "
                      "required, but neither was provided"], id="claims"),
        pytest.param({"type": "Pod", "max": {"cpu": "-1"}}, [], id="negative"),
    ],
)  # fmt: skip
def test_limit_ranges(limit: dict[str, Any], expected: list[str]) -> None:
    assert offences(scheme.LIMITRANGES, {"spec": {"limits": [limit]}}) == expected


NO_IP = "must be a valid IP address"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        pytest.param({"ip": "x", "hostname": "a."},
                     [f'ip: Invalid value: "x": {NO_IP}, (e.g. 10.9.8.7 or 2001:db8::ffff)',
                      'hostname: Invalid value: "a."', f'ip: Invalid value: "x": {NO_IP}'],
                     id="no-address"),
        pytest.param({"ip": "0.0.0.0"},
                     ['ip: Invalid value: "0.0.0.0": may not be unspecified (0.0.0.0)'],
                     id="unspecified"),
    ],
)  # fmt: skip
def test_endpoints(address: dict[str, Any], expected: list[str]) -> None:
    found = offences(scheme.ENDPOINTS, {"subsets": [{"addresses": [address]}]})
    assert len(found) == len(expected)
    for text, start in zip(found, expected, strict=True):
        assert text.startswith(f"subsets[0].addresses[0].{start}")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{a}", "invalid character 'a' looking for beginning of object key string"),
        ('{"a" 1}', "invalid character '1' after object key"),
        ("{} x", "invalid character 'x' after top-level value"),
        ("", "unexpected end of JSON input"),
        ("[1]", "json: cannot unmarshal array into Go value of type map[string]interface {}"),
        ("null", ""),
    ],
)
def test_credentials_of_registries(content: str, problem: str) -> None:
    data = {".dockerconfigjson": base64.b64encode(content.encode()).decode()}
    found = offences(scheme.SECRETS, {"type": "kubernetes.io/dockerconfigjson", "data": data})
    at = "data[.dockerconfigjson]"
    told = [f'{at}: Invalid value: "<secret contents redacted>": {problem}']
    assert found == (told if problem else [])


def test_a_namespace_counts_its_finalizers_only_where_they_are_finalized() -> None:
    text = "name is neither a standard finalizer name nor is it fully qualified"
    strategy = strategy_for(scheme.NAMESPACES)
    old = made(scheme.NAMESPACES, {"spec": {"finalizers": ["kubernetes", "x"]}})
    old.metadata.resource_version = "1"
    assert [str(error) for error in strategy.validate(old)] == [
        f'spec.finalizers: Invalid value: "x": {text}'
    ]
    found = strategy.rules("finalize").validate(deepcopy(old), old)
    assert [str(error) for error in found] == [f'spec.finalizers[1]: Invalid value: "x": {text}']


def test_what_a_node_says_twice() -> None:
    taints = [{"key": "a", "effect": "NoSchedule"}] * 2
    assert offences(scheme.NODES, {"spec": {"taints": taints}}) == [
        'metadata.taints[1]: Duplicate value: core.Taint{Key:"a", Value:"", Effect:"NoSchedule", '
        "TimeAdded:(*v1.Time)(nil)}: taints must be unique by key and effect pair"
    ]
    addresses = [{"type": "InternalIP", "address": "10.0.0.1"}] * 2
    new = made(scheme.NODES, {"status": {"addresses": addresses}})
    new.metadata.resource_version = "1"
    old = deepcopy(new)
    found = strategy_for(scheme.NODES).rules("status").validate(new, old)
    assert [str(error) for error in found] == [
        "status.addresses[1]: Duplicate value: "
        'core.NodeAddress{Type:"InternalIP", Address:"10.0.0.1"}'
    ]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        pytest.param({"ports": [{"port": "A_", "endPort": 5}]},
                     ["ports[0].endPort: Invalid value: 5: may not be specified when `port` is "
                      "non-numeric",
                      'ports[0].port: Invalid value: "A_": must contain only alpha-numeric '
                      "characters (a-z, 0-9), and hyphens (-)",
                      'ports[0].port: Invalid value: "A_": must contain at least one letter (a-z)'],
                     id="range-of-a-name"),
        pytest.param({"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["11.0.0.0/9"]}}]},
                     ['from[0].ipBlock.except[0]: Invalid value: "11.0.0.0/9": must be a strict '
                      "subset of `cidr`"], id="elsewhere"),
        pytest.param({"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["x", "y"]}}]},
                     ['from[0].ipBlock.except[0]: Invalid value: "x": not a valid CIDR'],
                     id="the-first-bad-one"),
    ],
)  # fmt: skip
def test_network_policies(rule: dict[str, Any], expected: list[str]) -> None:
    found = offences(scheme.NETWORKPOLICIES, {"spec": {"ingress": [rule]}})
    assert found == [f"spec.ingress[0].{text}" for text in expected]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        pytest.param({"phase": "Foo", "capacity": {"storage": "1Gi"}}, [], id="fine"),
        pytest.param({"capacity": {"storage": "-1500m", "foo": "-2"}},
                     ["capacity[foo]: Invalid value: -2: must be a valid resource quantity",
                      "capacity[storage]: Invalid value: -2: must be a valid resource quantity"],
                     id="capacity"),
        pytest.param({"allocatedResources": {"storage": "-1", "cpu": "1", "a.b/c": "1"},
                      "allocatedResourceStatuses": {"storage": "Foo"}},
                     ['allocatedResourceStatus: Unsupported value: "storage": supported values: '
                      '"ControllerResizeInProgress", "ControllerResizeInfeasible", '
                      '"NodeResizeInProgress", "NodeResizeInfeasible", "NodeResizePending"',
                      'allocatedResources: Unsupported value: "cpu": supported values: "storage"',
                      "allocatedResources[storage]: Invalid value: -1: must be a valid resource "
                      "quantity"], id="resizes"),
    ],
)  # fmt: skip
def test_the_status_of_a_claim(status: dict[str, Any], expected: list[str]) -> None:
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    old = made(scheme.PERSISTENTVOLUMECLAIMS, {"spec": claim})
    new = made(scheme.PERSISTENTVOLUMECLAIMS, {"spec": claim, "status": status})
    for each in (old, new):
        each.metadata.resource_version = "1"
    found = strategy_for(scheme.PERSISTENTVOLUMECLAIMS).rules("status").validate(new, old)
    assert [str(error) for error in found] == [f"status.{text}" for text in expected]


CLAIM: dict[str, Any] = {
    "accessModes": ["ReadWriteOnce"],
    "resources": {"requests": {"storage": "1Gi"}},
}
VOLUME = {"apiGroup": None, "kind": "PersistentVolumeClaim", "name": "a"}
POPULATED = {"apiGroup": "a.b", "kind": "Foo", "name": "a"}


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        pytest.param({"dataSource": VOLUME}, (VOLUME, VOLUME), id="a-volume"),
        pytest.param({"dataSource": POPULATED}, (None, None), id="what-was-never-taken"),
        pytest.param({"dataSource": {"kind": "Foo", "name": "a"}}, (None, None), id="nothing"),
        pytest.param({"dataSourceRef": POPULATED}, (POPULATED, POPULATED), id="anything"),
        pytest.param({"dataSourceRef": {**VOLUME, "namespace": "z"}}, (None, None),
                     id="elsewhere"),
        pytest.param({"dataSource": POPULATED, "dataSourceRef": POPULATED},
                     (POPULATED, POPULATED), id="both"),
    ],
)  # fmt: skip
def test_what_a_claims_volume_is_made_from(sources: dict[str, Any], expected: Any) -> None:
    obj = made(scheme.PERSISTENTVOLUMECLAIMS, {"spec": {**CLAIM, **sources}})
    strategy_for(scheme.PERSISTENTVOLUMECLAIMS).prepare_for_create(obj, NOW)
    spec = codec.to_plain(obj)["spec"]
    found = spec.get("dataSource"), spec.get("dataSourceRef")
    assert [each and {"apiGroup": None, **each} for each in found] == list(expected)


def test_an_update_that_leaves_the_reference_out_keeps_the_source() -> None:
    body = {"spec": {**CLAIM, "dataSource": POPULATED, "dataSourceRef": POPULATED}}
    old = made(scheme.PERSISTENTVOLUMECLAIMS, body)
    new = made(scheme.PERSISTENTVOLUMECLAIMS, {"spec": {**CLAIM, "dataSource": POPULATED}})
    strategy_for(scheme.PERSISTENTVOLUMECLAIMS).rules().prepare(new, old, NOW)
    assert new.spec == old.spec


def test_an_account_tells_its_secrets_by_their_names() -> None:
    body = {"secrets": [{"name": "s", "namespace": "other", "uid": "u"}]}
    strategy = strategy_for(scheme.SERVICEACCOUNTS)
    old, new = made(scheme.SERVICEACCOUNTS, body), made(scheme.SERVICEACCOUNTS, body)
    strategy.prepare_for_create(old, NOW)
    strategy.rules().prepare(new, old, NOW)
    assert [codec.to_plain(obj.secrets) for obj in (old, new)] == [[{"name": "s"}]] * 2


def test_a_limit_range_without_a_name_gets_one_of_its_own() -> None:
    obj = made(scheme.LIMITRANGES, {})
    obj.metadata.name, obj.metadata.uid = "", "0a-1b"
    strategy_for(scheme.LIMITRANGES).prepare_for_create(obj, NOW)
    assert obj.metadata.name == "0a-1b"


def test_what_a_claim_is_warned_of() -> None:
    resources = {"requests": {"storage": "1500m"}, "limits": {"storage": "2"}}
    obj = made(scheme.PERSISTENTVOLUMECLAIMS, {"spec": {**CLAIM, "resources": resources}})
    obj.metadata.annotations = {"volume.beta.kubernetes.io/storage-class": "a"}
    assert strategy_for(scheme.PERSISTENTVOLUMECLAIMS).judge(obj) == ([], [
        "metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; "
        'use "storageClassName" attribute instead',
        'spec.resources.requests[storage]: fractional byte value "1500m" is invalid, must be an '
        "integer",
    ])  # fmt: skip


def test_what_a_volume_is_warned_of() -> None:
    terms = [{"matchExpressions": [{"key": "beta.kubernetes.io/os", "operator": "Exists"}]}]
    spec = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "cephfs": {"monitors": ["a"]},
        "nodeAffinity": {"required": {"nodeSelectorTerms": terms}},
    }
    obj = made(scheme.PERSISTENTVOLUMES, {"spec": spec})
    old = "volume.beta.kubernetes.io/"
    obj.metadata.annotations = {f"{old}mount-options": "x", f"{old}storage-class": "a"}
    strategy = strategy_for(scheme.PERSISTENTVOLUMES)
    at = "spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].key"
    assert strategy.judge(obj) == ([], [
        f'metadata.annotations[{old}storage-class]: deprecated since v1.8; use "storageClassName" '
        "attribute instead",
        f'metadata.annotations[{old}mount-options]: deprecated since v1.31; use "mountOptions" '
        "attribute instead",
        f'{at}: beta.kubernetes.io/os is deprecated since v1.14; use "kubernetes.io/os" instead',
        "spec.cephfs: deprecated in v1.28, non-functional in v1.31+",
    ])  # fmt: skip
    obj.spec.persistent_volume_reclaim_policy = "Recycle"
    assert strategy.warnings_on_update(obj, obj)[2] == (
        "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, "
        "the recommended approach is to use dynamic provisioning."
    )
