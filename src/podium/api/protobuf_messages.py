"""Fields of protobuf messages: their numbers, JSON names and types.

From ``k8s.io/api/core/v1/generated.proto``, ``authentication/v1`` and
``k8s.io/apimachinery/pkg/apis/meta/v1``. Types are ``string``, ``int``, ``bool``, ``bytes``,
``time``, ``intstr``, ``map:string``, ``map:bytes``, or the name of another message.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """``pointer``: absent and zero are two things, so that a zero that is written is kept."""

    name: str
    type: str = "string"
    repeated: bool = False
    pointer: bool = False


Message = Mapping[int, Field]


def _many(name: str, kind: str = "string") -> Field:
    return Field(name, kind, repeated=True)


def _optional(name: str, kind: str) -> Field:
    return Field(name, kind, pointer=True)


MESSAGES: Mapping[str, Message] = {
    "ObjectMeta": {
        1: Field("name"),
        2: Field("generateName"),
        3: Field("namespace"),
        4: Field("selfLink"),
        5: Field("uid"),
        6: Field("resourceVersion"),
        7: Field("generation", "int"),
        8: Field("creationTimestamp", "time"),
        9: Field("deletionTimestamp", "time"),
        10: _optional("deletionGracePeriodSeconds", "int"),
        11: Field("labels", "map:string"),
        12: Field("annotations", "map:string"),
        13: _many("ownerReferences", "OwnerReference"),
        14: _many("finalizers"),
    },
    "OwnerReference": {
        1: Field("kind"),
        3: Field("name"),
        4: Field("uid"),
        5: Field("apiVersion"),
        6: _optional("controller", "bool"),
        7: _optional("blockOwnerDeletion", "bool"),
    },
    "Namespace": {
        1: Field("metadata", "ObjectMeta"),
        2: Field("spec", "NamespaceSpec"),
        3: Field("status", "NamespaceStatus"),
    },
    "NamespaceSpec": {1: _many("finalizers")},
    "NamespaceStatus": {1: Field("phase"), 2: _many("conditions", "NamespaceCondition")},
    "NamespaceCondition": {
        1: Field("type"),
        2: Field("status"),
        4: Field("lastTransitionTime", "time"),
        5: Field("reason"),
        6: Field("message"),
    },
    "ConfigMap": {
        1: Field("metadata", "ObjectMeta"),
        2: Field("data", "map:string"),
        3: Field("binaryData", "map:bytes"),
        4: _optional("immutable", "bool"),
    },
    "Secret": {
        1: Field("metadata", "ObjectMeta"),
        2: Field("data", "map:bytes"),
        3: Field("type"),
        4: Field("stringData", "map:string"),
        5: _optional("immutable", "bool"),
    },
    "ServiceAccount": {
        1: Field("metadata", "ObjectMeta"),
        2: _many("secrets", "ObjectReference"),
        3: _many("imagePullSecrets", "LocalObjectReference"),
        4: _optional("automountServiceAccountToken", "bool"),
    },
    "ObjectReference": {
        1: Field("kind"),
        2: Field("namespace"),
        3: Field("name"),
        4: Field("uid"),
        5: Field("apiVersion"),
        6: Field("resourceVersion"),
        7: Field("fieldPath"),
    },
    "LocalObjectReference": {1: Field("name")},
    "Service": {
        1: Field("metadata", "ObjectMeta"),
        2: Field("spec", "ServiceSpec"),
        3: Field("status", "ServiceStatus"),
    },
    "ServiceSpec": {
        1: _many("ports", "ServicePort"),
        2: Field("selector", "map:string"),
        3: Field("clusterIP"),
        4: Field("type"),
        5: _many("externalIPs"),
        7: Field("sessionAffinity"),
        8: Field("loadBalancerIP"),
        9: _many("loadBalancerSourceRanges"),
        10: Field("externalName"),
        11: Field("externalTrafficPolicy"),
        12: Field("healthCheckNodePort", "int"),
        13: Field("publishNotReadyAddresses", "bool"),
        14: Field("sessionAffinityConfig", "SessionAffinityConfig"),
        17: Field("ipFamilyPolicy"),
        18: _many("clusterIPs"),
        19: _many("ipFamilies"),
        20: _optional("allocateLoadBalancerNodePorts", "bool"),
        21: Field("loadBalancerClass"),
        22: Field("internalTrafficPolicy"),
        23: Field("trafficDistribution"),
    },
    "ServicePort": {
        1: Field("name"),
        2: Field("protocol"),
        3: Field("port", "int"),
        4: Field("targetPort", "intstr"),
        5: Field("nodePort", "int"),
        6: Field("appProtocol"),
    },
    "SessionAffinityConfig": {1: Field("clientIP", "ClientIPConfig")},
    "ClientIPConfig": {1: _optional("timeoutSeconds", "int")},
    "ServiceStatus": {1: Field("loadBalancer", "LoadBalancerStatus")},
    "LoadBalancerStatus": {},
    "TokenRequest": {
        1: Field("metadata", "ObjectMeta"),
        2: Field("spec", "TokenRequestSpec"),
        3: Field("status", "TokenRequestStatus"),
    },
    "TokenRequestSpec": {
        1: _many("audiences"),
        3: Field("boundObjectRef", "BoundObjectReference"),
        4: _optional("expirationSeconds", "int"),
    },
    "BoundObjectReference": {
        1: Field("kind"),
        2: Field("apiVersion"),
        3: Field("name"),
        4: Field("uid"),
    },
    "TokenRequestStatus": {1: Field("token"), 2: Field("expirationTimestamp", "time")},
}

#: The kinds that can be read, and their messages.
KINDS: Mapping[str, str] = {
    kind: kind
    for kind in ("ConfigMap", "Namespace", "Secret", "Service", "ServiceAccount", "TokenRequest")
}
