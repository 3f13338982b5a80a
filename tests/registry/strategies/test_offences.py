"""What upstream says of objects of the smaller kinds that are wrong."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from podium.api import codec, scheme
from podium.api.scheme import Resource
from podium.registry.strategies import strategy_for

NOT_NEGATIVE = "must be greater than or equal to 0"
SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
Case = tuple[dict[str, Any], list[str]]


def made(resource: Resource, body: dict[str, Any], name: str = "x") -> Any:
    metadata: dict[str, Any] = {"name": name, "resourceVersion": "1", "uid": "u"}
    if resource.namespaced:
        metadata["namespace"] = "default"
    obj = codec.from_plain(resource.type, {"metadata": metadata, **body})
    strategy_for(resource).default(obj)
    return obj


def offences(resource: Resource, body: dict[str, Any], name: str = "x") -> list[str]:
    return [str(e) for e in strategy_for(resource).validate(made(resource, body, name))]


def of_update(resource: Resource, old: Any, new: Any) -> list[str]:
    return [str(e) for e in strategy_for(resource).validate_update(new, old)]


def of_status(resource: Resource, body: dict[str, Any], status: dict[str, Any]) -> list[str]:
    old = made(resource, body)
    new = deepcopy(old)
    new.status = codec.from_plain(type(old.status), status)
    return [str(e) for e in strategy_for(resource).validate_status_update(new, old)]


# ------------------------------------------------------------------ policy


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (
            {"minAvailable": 1, "maxUnavailable": "10%"},
            [
                "spec: Invalid value: policy.PodDisruptionBudgetSpec{MinAvailable:"
                "(*intstr.IntOrString)(0xc000012345), Selector:(*v1.LabelSelector)(nil), "
                "MaxUnavailable:(*intstr.IntOrString)(0xc000012345), UnhealthyPodEvictionPolicy:"
                "(*string)(nil)}: minAvailable and maxUnavailable cannot be both set"
            ],
        ),
        (
            {"minAvailable": "110%"},
            [
                "spec.minAvailable: Invalid value: "
                'intstr.IntOrString{Type:1, IntVal:0, StrVal:"110%"}: '
                "must not be greater than 100%"
            ],
        ),
        (
            {"maxUnavailable": -1, "unhealthyPodEvictionPolicy": "X"},
            [
                f"spec.maxUnavailable: Invalid value: -1: {NOT_NEGATIVE}",
                'spec.unhealthyPodEvictionPolicy: Unsupported value: "X": '
                'supported values: "AlwaysAllow", "IfHealthyBudget"',
            ],
        ),
    ],
)
def test_disruption_budgets(spec: dict[str, Any], expected: list[str]) -> None:
    assert offences(scheme.PODDISRUPTIONBUDGETS, {"spec": spec}) == expected


TIME = "2026-01-02T03:04:05Z"
GOOD = {"type": "A", "status": "True", "reason": "B", "message": "", "lastTransitionTime": TIME}


@pytest.mark.parametrize("resource", [scheme.PODDISRUPTIONBUDGETS, scheme.SERVICES])
def test_conditions(resource: Resource) -> None:
    conditions = [
        GOOD,
        {**GOOD, "status": "Yes", "observedGeneration": -1},
        {"type": "-", "status": "False", "reason": "", "message": ""},
        {**GOOD, "type": "C", "reason": "1"},
    ]
    found = of_status(resource, {"spec": {}}, {"conditions": conditions})
    at = "status.conditions"
    assert found == [
        f'{at}[1].type: Duplicate value: "A"',
        f'{at}[1].status: Unsupported value: "Yes": supported values: "False", "True", "Unknown"',
        f"{at}[1].observedGeneration: Invalid value: -1: must be greater than or equal to zero",
        f'{at}[2].type: Invalid value: "-": name part must consist of alphanumeric characters, '
        "'-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  "
        "or 'my.name',  or '123-abc', regex used for validation is "
        "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
        f"{at}[2].lastTransitionTime: Required value: must be set",
        f"{at}[2].reason: Required value: must be set",
        f'{at}[3].reason: Invalid value: "1": a condition reason must start with alphabetic '
        "character, optionally followed by a string of alphanumeric characters or '_,:', and must "
        "end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  "
        "or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is "
        "'[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')",
    ]


def test_counts_of_a_budget() -> None:
    found = of_status(scheme.PODDISRUPTIONBUDGETS, {}, {"disruptionsAllowed": -1})
    assert found == [f"status.disruptionsAllowed: Invalid value: -1: {NOT_NEGATIVE}"]


# ------------------------------------------------------------------ classes


@pytest.mark.parametrize(
    ("name", "body", "expected"),
    [
        (
            "system-x",
            {"value": 1},
            [
                "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved "
                "for system use only. error: system-x is not a known system priority class"
            ],
        ),
        (
            "system-node-critical",
            {"value": 1},
            [
                "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved "
                "for system use only. error: value of system-node-critical PriorityClass must be "
                "2000001000"
            ],
        ),
        (
            "system-node-critical",
            {"value": 2000001000, "globalDefault": True},
            [
                "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved "
                "for system use only. error: globalDefault of system-node-critical PriorityClass "
                "must be false"
            ],
        ),
        (
            "x",
            {"value": 1000000001, "preemptionPolicy": "X"},
            [
                "value: Forbidden: maximum allowed value of a user defined priority is 1000000000",
                'preemptionPolicy: Unsupported value: "X": '
                'supported values: "PreemptLowerPriority", "Never"',
            ],
        ),
        ("x", {"value": 1, "preemptionPolicy": ""}, ["preemptionPolicy: Required value"]),
    ],
)
def test_priority_classes(name: str, body: dict[str, Any], expected: list[str]) -> None:
    assert offences(scheme.PRIORITYCLASSES, body, name) == expected


def test_runtime_classes() -> None:
    body = {
        "handler": "A",
        "overhead": {"podFixed": {"cpu": "-1", "x": "1"}},
        "scheduling": {"nodeSelector": {"a": "-"}, "tolerations": [{"operator": "X"}]},
    }
    found = offences(scheme.RUNTIMECLASSES, body)
    assert [line.partition(": ")[0] for line in found] == [
        "handler",
        "overhead.podFixed.limits[cpu]",
        "overhead.podFixed.limits[x]",
        "overhead.podFixed.limits[x]",
        "scheduling.nodeSelector",
        "scheduling.tolerations[0].operator",
        "scheduling.tolerations[0].operator",
    ]


# ------------------------------------------------------------------ ingresses


def ingress(**path: Any) -> dict[str, Any]:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    whole = {"pathType": "Prefix", "path": "/", "backend": backend, **path}
    whole = {name: value for name, value in whole.items() if value is not None}
    return {"spec": {"rules": [{"http": {"paths": [whole]}}]}}


AT = "spec.rules[0].http.paths[0]"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(ingress(), [], id="right"),
        pytest.param(
            {"spec": {}},
            [
                "spec: Invalid value: []networking.IngressRule(nil): "
                "either `defaultBackend` or `rules` must be specified"
            ],
            id="nothing",
        ),
        pytest.param(
            {
                "spec": {
                    "defaultBackend": {},
                    "rules": [{"host": "1.2.3.4", "http": {"paths": []}}, {"host": "*.A"}],
                    "tls": [{"hosts": ["A"], "secretName": "A"}],
                    "ingressClassName": "A",
                }
            },
            [
                'spec.defaultBackend: Invalid value: "": resource or service backend is required',
                'spec.rules[0].host: Invalid value: "1.2.3.4": '
                "must be a DNS name, not an IP address",
                "spec.rules[0].http.paths: Required value",
                'spec.rules[1].host: Invalid value: "*.A": a wildcard DNS-1123 subdomain must '
                "start with '*.', followed by a valid DNS subdomain, which must consist of lower "
                "case alphanumeric characters, '-' or '.' and end with an alphanumeric character "
                "(e.g. '*.example.com', regex used for validation is "
                "'\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
                f'spec.tls[0].hosts[0]: Invalid value: "A": {SUBDOMAIN}',
                f'spec.tls[0].secretName: Invalid value: "A": {SUBDOMAIN}',
                f'spec.ingressClassName: Invalid value: "A": {SUBDOMAIN}',
            ],
            id="much",
        ),
        pytest.param(
            ingress(pathType=None, backend={}),
            [f"{AT}.pathType: Required value: pathType must be specified"],
            id="no path type",
        ),
        pytest.param(
            ingress(pathType="X"),
            [
                f'{AT}.pathType: Unsupported value: "X": '
                'supported values: "Exact", "ImplementationSpecific", "Prefix"'
            ],
            id="path type",
        ),
        pytest.param(
            ingress(path="a//%2f/./.."),
            [
                f'{AT}.path: Invalid value: "a//%2f/./..": must be an absolute path',
                f"{AT}.path: Invalid value: \"a//%2f/./..\": must not contain '//'",
                f"{AT}.path: Invalid value: \"a//%2f/./..\": must not contain '/./'",
                f"{AT}.path: Invalid value: \"a//%2f/./..\": must not contain '%2f'",
                f"{AT}.path: Invalid value: \"a//%2f/./..\": cannot end with '/..'",
            ],
            id="path",
        ),
        pytest.param(
            ingress(pathType="ImplementationSpecific", path="a"),
            [f'{AT}.path: Invalid value: "a": must be an absolute path'],
            id="specific path",
        ),
        pytest.param(ingress(pathType="ImplementationSpecific", path=""), [], id="no path"),
        pytest.param(
            ingress(backend={"service": {"name": "", "port": {}}}),
            [
                f"{AT}.backend.service.name: Required value",
                f"{AT}.backend: Required value: port name or number is required",
            ],
            id="service",
        ),
        pytest.param(
            ingress(backend={"service": {"name": "a", "port": {"name": "b", "number": 1}}}),
            [f'{AT}.backend: Invalid value: "": cannot set both port name & port number'],
            id="ports",
        ),
        pytest.param(
            ingress(backend={"resource": {"apiGroup": "A", "kind": "a/b", "name": ""}}),
            [
                f'{AT}.backend.resource.apiGroup: Invalid value: "A": {SUBDOMAIN}',
                f"{AT}.backend.resource.kind: Invalid value: \"a/b\": may not contain '/'",
                f"{AT}.backend.resource.name: Required value: name is required",
            ],
            id="resource",
        ),
    ],
)
def test_ingresses(body: dict[str, Any], expected: list[str]) -> None:
    assert offences(scheme.INGRESSES, body) == expected


def test_the_class_of_an_ingress_is_said_once() -> None:
    obj = made(scheme.INGRESSES, ingress())
    obj.metadata.annotations = {"kubernetes.io/ingress.class": "a"}
    strategy = strategy_for(scheme.INGRESSES)
    assert strategy.validate(obj) == []
    obj.spec.ingress_class_name = "b"
    assert [str(e) for e in strategy.validate(obj)] == [
        'annotations.kubernetes.io/ingress.class: Invalid value: "a": '
        "must match `ingressClassName` when both are specified"
    ]
    assert of_update(scheme.INGRESSES, obj, deepcopy(obj)) == []


def test_addresses_of_an_ingress() -> None:
    status = {"loadBalancer": {"ingress": [{"ip": "a"}, {"hostname": "1.2.3.4"}]}}
    at = "status.loadBalancer.ingress"
    assert of_status(scheme.INGRESSES, ingress(), status) == [
        f'{at}[0].ip: Invalid value: "a": must be a valid IP address, '
        "(e.g. 10.9.8.7 or 2001:db8::ffff)",
        f'{at}[1].hostname: Invalid value: "1.2.3.4": must be a DNS name, not an IP address',
    ]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"controller": ""}, ["spec.controller: Required value"]),
        (
            {"controller": "a.b/" + "c" * 250},
            ["spec.controller: Too long: must have at most 250 bytes"],
        ),
        (
            {"controller": "a/b", "parameters": {"kind": "", "name": "a/b", "scope": "X"}},
            [
                "spec.parameters.kind: Required value: kind is required",
                "spec.parameters.name: Invalid value: \"a/b\": may not contain '/'",
                'spec.parameters.scope: Unsupported value: "X": '
                'supported values: "Cluster", "Namespace"',
            ],
        ),
        (
            {
                "controller": "a/b",
                "parameters": {"kind": "K", "name": "n", "scope": "Namespace", "namespace": "A"},
            },
            [
                'spec.parameters.namespace: Invalid value: "A": a lowercase RFC 1123 label must '
                "consist of lower case alphanumeric characters or '-', and must start and end "
                "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for "
                "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
            ],
        ),
    ],
)
def test_ingress_classes(spec: dict[str, Any], expected: list[str]) -> None:
    assert offences(scheme.INGRESSCLASSES, {"spec": spec}) == expected


# ------------------------------------------------------------------ volumes

VOLUME: dict[str, Any] = {
    "accessModes": ["ReadWriteOnce"],
    "capacity": {"storage": "1Gi"},
    "hostPath": {"path": "/data"},
}


def volume(**spec: Any) -> dict[str, Any]:
    whole = {**VOLUME, **spec}
    return {"spec": {name: value for name, value in whole.items() if value is not None}}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(volume(), [], id="right"),
        pytest.param(
            {"spec": {}},
            [
                "spec.accessModes: Required value",
                "spec.capacity: Required value",
                "spec.capacity: Unsupported value: core.ResourceList(nil): "
                'supported values: "storage"',
                "spec: Required value: must specify a volume type",
            ],
            id="nothing",
        ),
        pytest.param(
            volume(accessModes=["ReadWriteOncePod", "ReadWriteMany", "X"]),
            [
                'spec.accessModes: Unsupported value: "X": supported values: "ReadOnlyMany", '
                '"ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
                "spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes",
            ],
            id="modes",
        ),
        pytest.param(
            volume(capacity={"storage": "0"}, persistentVolumeReclaimPolicy="X", volumeMode="Y"),
            [
                'spec.capacity[storage]: Invalid value: "0": must be greater than zero',
                'spec.persistentVolumeReclaimPolicy: Unsupported value: "X": '
                'supported values: "Delete", "Recycle", "Retain"',
                'spec.volumeMode: Unsupported value: "Y": supported values: "Block", "Filesystem"',
            ],
            id="words",
        ),
        pytest.param(
            volume(hostPath={"path": "/a/../b", "type": "X"}),
            [
                "spec.hostPath.path: Invalid value: \"/a/../b\": must not contain '..'",
                'spec.hostPath.type: Unsupported value: "X": supported values: "", '
                '"BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", '
                '"FileOrCreate", "Socket"',
            ],
            id="hostPath",
        ),
        pytest.param(
            volume(hostPath={"path": "/"}, persistentVolumeReclaimPolicy="Recycle"),
            [
                "spec.persistentVolumeReclaimPolicy: Forbidden: "
                "may not be 'recycle' for a hostPath mount of '/'"
            ],
            id="recycling the host",
        ),
        pytest.param(
            volume(nfs={"server": "s", "path": "/p"}),
            ["spec.nfs: Forbidden: may not specify more than 1 volume type"],
            id="two sources",
        ),
        pytest.param(
            volume(hostPath=None, nfs={"server": "", "path": "p"}),
            [
                "spec.nfs.server: Required value",
                'spec.nfs.path: Invalid value: "p": must be an absolute path',
            ],
            id="nfs",
        ),
        pytest.param(
            volume(hostPath=None, local={"path": ""}),
            [
                "spec.local.path: Required value",
                "spec.nodeAffinity: Required value: Local volume requires node affinity",
            ],
            id="local",
        ),
        pytest.param(
            volume(hostPath=None, csi={"driver": "A_", "volumeHandle": ""}),
            [
                'spec.csi.driver: Invalid value: "A_": a lowercase RFC 1123 subdomain must '
                "consist of lower case alphanumeric characters, '-' or '.', and must start and "
                "end with an alphanumeric character (e.g. 'example.com', regex used for "
                "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
                "spec.csi.volumeHandle: Required value",
            ],
            id="csi",
        ),
        pytest.param(
            volume(nodeAffinity={}, storageClassName="A", volumeAttributesClassName=""),
            [
                "spec.nodeAffinity.required: Required value: "
                "must specify required node constraints",
                f'spec.storageClassName: Invalid value: "A": {SUBDOMAIN}',
                "spec.volumeAttributesClassName: Required value: an empty string is disallowed",
                "spec.csi: Required value: "
                "has to be specified when using volumeAttributesClassName",
            ],
            id="names",
        ),
    ],
)
def test_persistent_volumes(body: dict[str, Any], expected: list[str]) -> None:
    assert offences(scheme.PERSISTENTVOLUMES, body) == expected


def test_what_a_volume_is_does_not_change() -> None:
    term = {"matchExpressions": [{"key": "a", "operator": "Exists"}]}
    affinity = {"required": {"nodeSelectorTerms": [term]}}
    old = made(scheme.PERSISTENTVOLUMES, volume(nodeAffinity=affinity))
    new = deepcopy(old)
    new.spec.volume_mode = "Block"
    assert of_update(scheme.PERSISTENTVOLUMES, old, new) == [
        'volumeMode: Invalid value: "Block": field is immutable'
    ]
    new = deepcopy(old)
    new.spec.node_affinity.required.node_selector_terms[0].match_expressions[0].key = "b"
    (found,) = of_update(scheme.PERSISTENTVOLUMES, old, new)
    assert found.startswith("nodeAffinity: Invalid value: core.VolumeNodeAffinity{Required:")
    assert found.endswith(": field is immutable, except for updating from beta label to GA")
    new = deepcopy(old)
    new.spec.host_path.path = "/other"
    (found,) = of_update(scheme.PERSISTENTVOLUMES, old, new)
    assert found.startswith(
        "spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after "
        "creation\n  core.PersistentVolumeSource{\n"
    )


ZONE, OLD_ZONE = "topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"


@pytest.mark.parametrize(
    ("old", "new", "refused"),
    [
        (OLD_ZONE, ZONE, False),
        (ZONE, OLD_ZONE, True),
        (OLD_ZONE, "topology.kubernetes.io/region", True),
        (OLD_ZONE, OLD_ZONE, False),
    ],
)
def test_labels_of_a_volumes_nodes_may_take_their_newer_names(old, new, refused) -> None:
    def of_label(key: str) -> Any:
        terms = [{"matchExpressions": [{"key": key, "operator": "Exists"}]}]
        affinity = {"required": {"nodeSelectorTerms": terms}}
        return made(scheme.PERSISTENTVOLUMES, volume(nodeAffinity=affinity))

    assert bool(of_update(scheme.PERSISTENTVOLUMES, of_label(old), of_label(new))) is refused


def csi_volume(**csi: Any) -> Any:
    source = {"driver": "d.example.com", "volumeHandle": "v", **csi}
    return made(scheme.PERSISTENTVOLUMES, volume(hostPath=None, csi=source))


def test_a_secret_for_expanding_a_volume_may_be_added_but_not_changed() -> None:
    update = scheme.PERSISTENTVOLUMES
    none = csi_volume()
    one, other = (
        csi_volume(controllerExpandSecretRef={"name": name, "namespace": "n"}) for name in "ab"
    )
    text = "spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable"
    assert of_update(update, none, one) == []
    assert [found.startswith(text) for found in of_update(update, one, other)] == [True]
    assert [found.startswith(text) for found in of_update(update, one, none)] == [True]
    node = csi_volume(nodeExpandSecretRef={"name": "a", "namespace": "n"})
    assert [found.startswith(text) for found in of_update(update, none, node)] == [True]


CLAIM: dict[str, Any] = {
    "accessModes": ["ReadWriteOnce"],
    "resources": {"requests": {"storage": "2Gi"}},
}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, []),
        (
            {"volumeAttributesClassName": "A"},
            [f'spec.volumeAttributesClassName: Invalid value: "A": {SUBDOMAIN}'],
        ),
        (
            {
                "dataSource": {"kind": "PersistentVolumeClaim", "name": "a"},
                "dataSourceRef": {"kind": "PersistentVolumeClaim", "name": "b"},
            },
            ["spec: Invalid value: spec.dataSource: must match dataSourceRef"],
        ),
        (
            {
                "dataSource": {"kind": "PersistentVolumeClaim", "name": "a"},
                "dataSourceRef": {"apiGroup": "a.b", "kind": "X", "name": "b", "namespace": "c"},
            },
            [
                "spec: Invalid value: spec.dataSource: "
                "may not be specified when dataSourceRef.namespace is specified"
            ],
        ),
    ],
)
def test_claims(spec: dict[str, Any], expected: list[str]) -> None:
    assert offences(scheme.PERSISTENTVOLUMECLAIMS, {"spec": {**CLAIM, **spec}}) == expected


def claim(phase: str, size: str, **spec: Any) -> Any:
    resources = {"requests": {"storage": size}}
    body = {"spec": {**CLAIM, "resources": resources, **spec}}
    obj = made(scheme.PERSISTENTVOLUMECLAIMS, body)
    obj.status.phase = phase
    obj.status.capacity = {"storage": "1Gi"}
    return obj


KEPT = (
    "spec: Forbidden: spec is immutable after creation except resources.requests and "
    "volumeAttributesClassName for bound claims"
)


def test_only_a_bound_claim_changes_its_size_and_not_below_what_it_has() -> None:
    update = scheme.PERSISTENTVOLUMECLAIMS
    bound, pending = claim("Bound", "2Gi"), claim("Pending", "2Gi")
    assert of_update(update, bound, claim("Bound", "3Gi")) == []
    assert of_update(update, bound, claim("Bound", "1Gi")) == [
        "spec.resources.requests.storage: Forbidden: field can not be less than status.capacity"
    ]
    (found,) = of_update(update, pending, claim("Pending", "3Gi"))
    assert found.startswith(f"{KEPT}\n  core.PersistentVolumeClaimSpec{{\n")


def test_a_claims_attributes_are_not_taken_from_it() -> None:
    old = claim("Bound", "2Gi", volumeAttributesClassName="gold")
    assert of_update(scheme.PERSISTENTVOLUMECLAIMS, old, claim("Bound", "2Gi")) == [
        "spec.volumeAttributesClassName: Forbidden: update from non-nil value to nil is forbidden"
    ]
