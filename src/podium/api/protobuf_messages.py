"""Fields of protobuf messages: their numbers, JSON names and types.

From ``k8s.io/api/core/v1/generated.proto``, ``authentication/v1``, ``authorization/v1``,
``rbac/v1`` and ``k8s.io/apimachinery/pkg/apis/meta/v1``. Types are ``string``, ``int``, ``bool``,
``bytes``, ``time``, ``intstr``, ``map:string``, ``map:bytes``, ``map:strings`` (to lists of them),
or the name of another message.
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
    "TokenReview": {
        1: Field("metadata", "ObjectMeta"),
        2: Field("spec", "TokenReviewSpec"),
        3: Field("status", "TokenReviewStatus"),
    },
    "TokenReviewSpec": {1: Field("token"), 2: _many("audiences")},
    "TokenReviewStatus": {
        1: Field("authenticated", "bool"),
        2: Field("user", "UserInfo"),
        3: Field("error"),
        4: _many("audiences"),
    },
    "UserInfo": {
        1: Field("username"),
        2: Field("uid"),
        3: _many("groups"),
        4: Field("extra", "map:strings"),
    },
    "SelfSubjectReview": {
        1: Field("metadata", "ObjectMeta"),
        2: Field("status", "SelfSubjectReviewStatus"),
    },
    "SelfSubjectReviewStatus": {1: Field("userInfo", "UserInfo")},
    "SubjectAccessReview": {
        1: Field("metadata", "ObjectMeta"),
        2: Field("spec", "SubjectAccessReviewSpec"),
        3: Field("status", "SubjectAccessReviewStatus"),
    },
    "LocalSubjectAccessReview": {
        1: Field("metadata", "ObjectMeta"),
        2: Field("spec", "SubjectAccessReviewSpec"),
        3: Field("status", "SubjectAccessReviewStatus"),
    },
    "SelfSubjectAccessReview": {
        1: Field("metadata", "ObjectMeta"),
        2: Field("spec", "SelfSubjectAccessReviewSpec"),
        3: Field("status", "SubjectAccessReviewStatus"),
    },
    "SelfSubjectAccessReviewSpec": {
        1: Field("resourceAttributes", "ResourceAttributes"),
        2: Field("nonResourceAttributes", "NonResourceAttributes"),
    },
    "SubjectAccessReviewSpec": {
        1: Field("resourceAttributes", "ResourceAttributes"),
        2: Field("nonResourceAttributes", "NonResourceAttributes"),
        3: Field("user"),
        4: _many("groups"),
        5: Field("extra", "map:strings"),
        6: Field("uid"),
    },
    "SubjectAccessReviewStatus": {
        1: Field("allowed", "bool"),
        2: Field("reason"),
        3: Field("evaluationError"),
        4: Field("denied", "bool"),
    },
    "ResourceAttributes": {
        1: Field("namespace"),
        2: Field("verb"),
        3: Field("group"),
        4: Field("version"),
        5: Field("resource"),
        6: Field("subresource"),
        7: Field("name"),
        8: Field("fieldSelector", "SelectorAttributes"),
        9: Field("labelSelector", "SelectorAttributes"),
    },
    "SelectorAttributes": {
        1: Field("rawSelector"),
        2: _many("requirements", "SelectorRequirement"),
    },
    "SelectorRequirement": {1: Field("key"), 2: Field("operator"), 3: _many("values")},
    "NonResourceAttributes": {1: Field("path"), 2: Field("verb")},
    "SelfSubjectRulesReview": {
        1: Field("metadata", "ObjectMeta"),
        2: Field("spec", "SelfSubjectRulesReviewSpec"),
        3: Field("status", "SubjectRulesReviewStatus"),
    },
    "SelfSubjectRulesReviewSpec": {1: Field("namespace")},
    "SubjectRulesReviewStatus": {
        1: _many("resourceRules", "ResourceRule"),
        2: _many("nonResourceRules", "NonResourceRule"),
        3: Field("incomplete", "bool"),
        4: Field("evaluationError"),
    },
    "ResourceRule": {
        1: _many("verbs"),
        2: _many("apiGroups"),
        3: _many("resources"),
        4: _many("resourceNames"),
    },
    "NonResourceRule": {1: _many("verbs"), 2: _many("nonResourceURLs")},
    "Role": {1: Field("metadata", "ObjectMeta"), 2: _many("rules", "PolicyRule")},
    "ClusterRole": {
        1: Field("metadata", "ObjectMeta"),
        2: _many("rules", "PolicyRule"),
        3: Field("aggregationRule", "AggregationRule"),
    },
    "PolicyRule": {
        1: _many("verbs"),
        2: _many("apiGroups"),
        3: _many("resources"),
        4: _many("resourceNames"),
        5: _many("nonResourceURLs"),
    },
    "AggregationRule": {1: _many("clusterRoleSelectors", "LabelSelector")},
    "LabelSelector": {
        1: Field("matchLabels", "map:string"),
        2: _many("matchExpressions", "SelectorRequirement"),
    },
    "RoleBinding": {
        1: Field("metadata", "ObjectMeta"),
        2: _many("subjects", "Subject"),
        3: Field("roleRef", "RoleRef"),
    },
    "ClusterRoleBinding": {
        1: Field("metadata", "ObjectMeta"),
        2: _many("subjects", "Subject"),
        3: Field("roleRef", "RoleRef"),
    },
    "Subject": {1: Field("kind"), 2: Field("apiGroup"), 3: Field("name"), 4: Field("namespace")},
    "RoleRef": {1: Field("apiGroup"), 2: Field("kind"), 3: Field("name")},
}

#: The kinds that can be read, and their messages.
KINDS: Mapping[str, str] = {
    kind: kind
    for kind in (
        "ClusterRole",
        "ClusterRoleBinding",
        "ConfigMap",
        "LocalSubjectAccessReview",
        "Namespace",
        "Role",
        "RoleBinding",
        "Secret",
        "SelfSubjectAccessReview",
        "SelfSubjectReview",
        "SelfSubjectRulesReview",
        "Service",
        "ServiceAccount",
        "SubjectAccessReview",
        "TokenRequest",
        "TokenReview",
    )
}
