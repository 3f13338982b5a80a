"""What objects other than Pods earn warnings for."""

from __future__ import annotations

from typing import Any

import pytest

from podium.api import codec, scheme
from podium.api.scheme import Resource
from podium.registry.strategies import strategy_for

ZONE, ARCH = "failure-domain.beta.kubernetes.io/zone", "beta.kubernetes.io/arch"
OLD_ZONE = 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead'
OLD_ARCH = 'deprecated since v1.14; use "kubernetes.io/arch" instead'
ENFORCE = "kubernetes.io/enforce-mountable-secrets"


def made(resource: Resource, body: dict[str, Any]) -> Any:
    return codec.from_plain(resource.type, {"metadata": {"name": "x"}, **body})


def annotated(name: str, **body: Any) -> dict[str, Any]:
    return {"metadata": {"name": "x", "annotations": {name: "a"}}, **body}


def headless(**spec: Any) -> dict[str, Any]:
    return {"spec": {"type": "ClusterIP", "clusterIP": "None", "clusterIPs": ["None"], **spec}}


CASES = [
    pytest.param(
        scheme.STORAGECLASSES,
        {"allowedTopologies": [
            {"matchLabelExpressions": [{"key": "a"}, {"key": ZONE}]}, {},
            {"matchLabelExpressions": [{"key": ARCH}]},
        ]},
        [f"allowedTopologies[0].matchLabelExpressions[1].key: {OLD_ZONE}",
         f"allowedTopologies[2].matchLabelExpressions[0].key: {OLD_ARCH}"],
        id="storage-class",
    ),
    pytest.param(
        scheme.CSISTORAGECAPACITIES,
        {"nodeTopology": {"matchLabels": {ARCH: "a", "b": "c"},
                          "matchExpressions": [{"key": ZONE, "operator": "Exists"}]}},
        [f"nodeTopology.matchExpressions[0].key: {ZONE} is {OLD_ZONE}",
         f"nodeTopology.matchLabels.{ARCH}: {OLD_ARCH}"],
        id="storage-capacity",
    ),
    pytest.param(
        scheme.RUNTIMECLASSES,
        {"scheduling": {"nodeSelector": {
            ARCH: "a", "b": "c", "node-role.kubernetes.io/master": ""}}},
        [f"scheduling.nodeSelector: {OLD_ARCH}",
         'scheduling.nodeSelector: use "node-role.kubernetes.io/control-plane" instead'],
        id="runtime-class",
    ),
    pytest.param(
        scheme.NODES,
        {"spec": {"configSource": {}, "externalID": "a",
                  "podCIDRs": ["10.1.2.3/24", "fd00:0::/64", "10.1.2.0/24"]}},
        ["spec.configSource: the feature is removed",
         "spec.externalID: this field is deprecated, and is unused by Kubernetes",
         'spec.podCIDRs[0]: CIDR value "10.1.2.3/24" is ambiguous in this context (should be '
         '"10.1.2.0/24" or "10.1.2.3/32"?)',
         'spec.podCIDRs[1]: IPv6 CIDR value "fd00:0::/64" should be in RFC 5952 canonical format '
         '("fd00::/64")'],
        id="node",
    ),
    pytest.param(
        scheme.SERVICES,
        headless(sessionAffinity="ClientIP", loadBalancerIP="fd00:0::1", externalIPs=["fd::0"]),
        ["spec.loadBalancerIP is ignored for headless services",
         "spec.externalIPs is ignored for headless services",
         "spec.SessionAffinity is ignored for headless services",
         'spec.externalIPs[0]: IPv6 address "fd::0" should be in RFC 5952 canonical format '
         '("fd::")',
         'spec.loadBalancerIP: IPv6 address "fd00:0::1" should be in RFC 5952 canonical format '
         '("fd00::1")'],
        id="headless-service",
    ),
    pytest.param(scheme.SERVICES, headless(sessionAffinity="None"), [], id="headless"),
    pytest.param(
        scheme.SERVICES,
        {"spec": {"type": "ExternalName", "externalName": "a.b", "externalIPs": ["10.0.0.1"]}},
        ['spec.externalIPs is ignored when spec.type is "ExternalName"'], id="external-name",
    ),
    pytest.param(
        scheme.SERVICES,
        annotated("service.kubernetes.io/topology-aware-hints", spec={
            "type": "LoadBalancer", "externalName": "a.b", "clusterIPs": ["fd00:0::1"],
            "loadBalancerSourceRanges": ["10.0.0.1/8"], "trafficDistribution": "PreferClose",
        }),
        ["annotation service.kubernetes.io/topology-aware-hints is deprecated, please use "
         "service.kubernetes.io/topology-mode instead",
         'spec.clusterIPs[0]: IPv6 address "fd00:0::1" should be in RFC 5952 canonical format '
         '("fd00::1")',
         'spec.loadBalancerSourceRanges[0]: CIDR value "10.0.0.1/8" is ambiguous in this context '
         '(should be "10.0.0.0/8" or "10.0.0.1/32"?)',
         'spec.externalName is ignored when spec.type is not "ExternalName"',
         'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'],
        id="service",
    ),
    pytest.param(
        scheme.INGRESSES, annotated("kubernetes.io/ingress.class"),
        ["annotation \"kubernetes.io/ingress.class\" is deprecated, please use "
         "'spec.ingressClassName' instead"],
        id="ingress",
    ),
    pytest.param(
        scheme.INGRESSES,
        annotated("kubernetes.io/ingress.class", spec={"ingressClassName": "b"}), [],
        id="ingress-with-a-class",
    ),
    pytest.param(
        scheme.SERVICEACCOUNTS, annotated(ENFORCE),
        [f"metadata.annotations[{ENFORCE}]: deprecated in v1.32+; prefer separate namespaces to "
         "isolate access to mounted secrets"],
        id="service-account",
    ),
    pytest.param(
        scheme.NETWORKPOLICIES,
        {"spec": {
            "ingress": [{}, {"from": [{}, {"ipBlock": {"cidr": "10.0.0.1/8"}}]}],
            "egress": [{"to": [{"ipBlock": {"cidr": "fd00::/16", "except": ["fd00:0::/64"]}}]}],
        }},
        ['spec.ingress[1].from[1].ipBlock.cidr: CIDR value "10.0.0.1/8" is ambiguous in this '
         'context (should be "10.0.0.0/8" or "10.0.0.1/32"?)',
         'spec.egress[0].to[0].ipBlock.except[0]: IPv6 CIDR value "fd00:0::/64" should be in RFC '
         '5952 canonical format ("fd00::/64")'],
        id="network-policy",
    ),
    pytest.param(
        scheme.ENDPOINTSLICES,
        {"addressType": "FQDN", "endpoints": [{"addresses": ["a.b", "fd00:0::1"]}]},
        ["spec.addressType: FQDN endpoints are deprecated",
         'endpoints[0].addresses[1]: IPv6 address "fd00:0::1" should be in RFC 5952 canonical '
         'format ("fd00::1")'],
        id="endpoint-slice",
    ),
    pytest.param(
        scheme.ENDPOINTS,
        {"subsets": [{"addresses": [{"ip": "10.0.0.1"}, {"ip": "fd00:0::1"}],
                      "notReadyAddresses": [{"ip": "fd00:0::2"}]}]},
        ['subsets[0].addresses[1].ip: IPv6 address "fd00:0::1" should be in RFC 5952 canonical '
         'format ("fd00::1")',
         'subsets[0].notReadyAddresses[0].ip: IPv6 address "fd00:0::2" should be in RFC 5952 '
         'canonical format ("fd00::2")'],
        id="endpoints",
    ),
    pytest.param(
        scheme.STATEFULSETS,
        {"spec": {"revisionHistoryLimit": -1, "volumeClaimTemplates": [
            {}, {"spec": {"resources": {"requests": {"storage": "1500m"}}}}]}},
        ['spec.volumeClaimTemplates[1].resources.requests[storage]: fractional byte value "1500m" '
         "is invalid, must be an integer",
         "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value "
         ">= 0 is recommended"],
        id="stateful-set",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("resource", "body", "texts"), CASES)
def test_warnings(resource: Resource, body: dict[str, Any], texts: list[str]) -> None:
    assert strategy_for(resource).warnings_on_create(made(resource, body)) == texts


@pytest.mark.parametrize(
    ("resource", "body", "count"),
    [
        pytest.param(scheme.INGRESSES, annotated("kubernetes.io/ingress.class"), 0, id="ingress"),
        pytest.param(scheme.SERVICEACCOUNTS, annotated(ENFORCE), 0, id="service-account"),
        pytest.param(
            scheme.ENDPOINTSLICES,
            {"addressType": "FQDN", "endpoints": [{"addresses": ["fd00:0::1"]}]},
            0,
            id="endpoint-slice",
        ),
        pytest.param(scheme.RUNTIMECLASSES, {"scheduling": {"nodeSelector": {ARCH: "a"}}}, 1,
                     id="runtime-class"),
    ],
)  # fmt: skip
def test_what_is_warned_of_again_at_an_update(
    resource: Resource, body: dict[str, Any], count: int
) -> None:
    obj = made(resource, body)
    assert len(strategy_for(resource).warnings_on_update(obj, obj)) == count
