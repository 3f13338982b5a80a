"""ClusterRoles of the controllers, and the roles in system namespaces: names and rules.

Facts of ``bootstrappolicy/controller_policy.go`` and ``namespace_policy.go`` of Kubernetes 1.37
with the feature gates' defaults.
"""

from __future__ import annotations

from podium.api.types.rbac_v1 import PolicyRule
from podium.apiserver.auth.rbac.rule_text import EVENTS, rules

PREFIX = "system:controller:"
_POD_OWNER = "list watch patch create delete | core | pods"
_SCALABLE = "apps extensions"

#: Name of a controller to the rules of its role, a line each. The role is bound to the
#: ServiceAccount of the controller's name in kube-system.
_CONTROLLERS: dict[str, tuple[str, ...]] = {
    "attachdetach-controller": (
        "list watch | core | persistentvolumes persistentvolumeclaims",
        "read | core | nodes",
        "patch update | core | nodes/status",
        "list watch | core | pods",
        EVENTS,
        "get create delete list watch | storage.k8s.io | volumeattachments",
        "read | storage.k8s.io | csidrivers",
        "read | storage.k8s.io | csinodes",
    ),
    "clusterrole-aggregation-controller": (
        "escalate get list watch update patch | rbac.authorization.k8s.io | clusterroles",
    ),
    "cronjob-controller": (
        "get list watch update | batch | cronjobs",
        "get list watch create update delete patch | batch | jobs",
        "update | batch | cronjobs/status",
        "update | batch | cronjobs/finalizers",
        "list watch delete | core | pods",
        EVENTS,
    ),
    "daemon-set-controller": (
        f"read | {_SCALABLE} | daemonsets",
        f"update | {_SCALABLE} | daemonsets/status",
        f"update | {_SCALABLE} | daemonsets/finalizers",
        "list watch | core | nodes",
        _POD_OWNER,
        "create | core | pods/binding",
        "get list watch create delete update patch | apps | controllerrevisions",
        EVENTS,
    ),
    "deployment-controller": (
        f"get list watch update | {_SCALABLE} | deployments",
        f"update | {_SCALABLE} | deployments/status",
        f"update | {_SCALABLE} | deployments/finalizers",
        f"get list watch create update patch delete | {_SCALABLE} | replicasets",
        "get list watch update | core | pods",
        EVENTS,
    ),
    "disruption-controller": (
        f"read | {_SCALABLE} | deployments",
        f"read | {_SCALABLE} | replicasets",
        "read | core | replicationcontrollers",
        "read | policy | poddisruptionbudgets",
        "read | apps | statefulsets",
        "update | policy | poddisruptionbudgets/status",
        "patch update | core | pods/status",
        "get | * | */scale",
        EVENTS,
    ),
    "endpoint-controller": (
        "read | core | services pods",
        "get list watch create update delete | core | endpoints",
        "create | core | endpoints/restricted",
        EVENTS,
    ),
    "endpointslice-controller": (
        "read | core | services pods nodes",
        "update | core | services/finalizers",
        "get list watch create update delete | discovery.k8s.io | endpointslices",
        EVENTS,
    ),
    "endpointslicemirroring-controller": (
        "read | core | services endpoints",
        "update | core | services/finalizers",
        "update | core | endpoints/finalizers",
        "get list watch create update delete | discovery.k8s.io | endpointslices",
        EVENTS,
    ),
    "expand-controller": (
        "get list watch update patch | core | persistentvolumes",
        "update patch | core | persistentvolumeclaims/status",
        "read | core | persistentvolumeclaims",
        EVENTS,
        "get | core | services",
    ),
    "ephemeral-volume-controller": (
        "read | core | pods",
        "update | core | pods/finalizers",
        "get list watch create | core | persistentvolumeclaims",
        EVENTS,
    ),
    "resource-claim-controller": (
        "read | core | pods",
        "update | core | pods/finalizers",
        "get list watch create delete | resource.k8s.io | resourceclaims",
        "update patch | resource.k8s.io | resourceclaims resourceclaims/status",
        "update patch | core | pods/status",
        EVENTS,
    ),
    "generic-garbage-collector": (
        "get list watch patch update delete | * | *",
        EVENTS,
    ),
    "horizontal-pod-autoscaler": (
        "read | autoscaling | horizontalpodautoscalers",
        "update | autoscaling | horizontalpodautoscalers/status",
        "get update | * | */scale",
        "list watch | core | pods",
        "list watch | metrics.k8s.io | pods",
        "read | custom.metrics.k8s.io | *",
        "read | external.metrics.k8s.io | *",
        EVENTS,
    ),
    "job-controller": (
        "get list watch update patch | batch | jobs",
        "update | batch | jobs/status",
        "update | batch | jobs/finalizers",
        _POD_OWNER,
        EVENTS,
    ),
    "namespace-controller": (
        "get list watch delete | core | namespaces",
        "update | core | namespaces/finalize namespaces/status",
        "get list watch delete deletecollection | * | *",
    ),
    "node-controller": (
        "get list watch update delete patch | core | nodes",
        "patch update | core | nodes/status",
        "patch update | core | pods/status",
        "list watch get delete | core | pods",
        EVENTS,
    ),
    "persistent-volume-binder": (
        "get list watch update create delete | core | persistentvolumes",
        "update | core | persistentvolumes/status",
        "get list watch update | core | persistentvolumeclaims",
        "update | core | persistentvolumeclaims/status",
        "list watch get create delete | core | pods",
        "read | storage.k8s.io | storageclasses",
        "list watch | core | nodes",
        EVENTS,
        "watch | core | events",
        "get | core | services",
    ),
    #: Of our own: the provisioner of the default StorageClass.
    "local-path-provisioner": (
        "get list watch create delete patch | core | persistentvolumes",
        "read | core | persistentvolumeclaims",
        "get list watch create | storage.k8s.io | storageclasses",
        EVENTS,
    ),
    "pod-garbage-collector": (
        "list watch delete | core | pods",
        "read | core | nodes",
        "patch | core | pods/status",
    ),
    "replicaset-controller": (
        f"get list watch update | {_SCALABLE} | replicasets",
        f"update | {_SCALABLE} | replicasets/status",
        f"update | {_SCALABLE} | replicasets/finalizers",
        _POD_OWNER,
        EVENTS,
    ),
    "replication-controller": (
        "get list watch update | core | replicationcontrollers",
        "update | core | replicationcontrollers/status",
        "update | core | replicationcontrollers/finalizers",
        _POD_OWNER,
        EVENTS,
    ),
    "resourcequota-controller": (
        "list watch | * | *",
        "update | core | resourcequotas/status",
        EVENTS,
    ),
    "route-controller": (
        "list watch | core | nodes",
        "patch | core | nodes/status",
        EVENTS,
    ),
    "service-account-controller": ("create | core | serviceaccounts", EVENTS),
    "service-controller": (
        "read | core | services",
        "patch update | core | services/status",
        "list watch | core | nodes",
        EVENTS,
    ),
    "service-cidrs-controller": (
        "get list watch patch update | networking.k8s.io | servicecidrs",
        "patch update | networking.k8s.io | servicecidrs/finalizers",
        "patch update | networking.k8s.io | servicecidrs/status",
        "read | networking.k8s.io | ipaddresses",
        EVENTS,
    ),
    "statefulset-controller": (
        "list watch | core | pods",
        "read | apps | statefulsets",
        "update | apps | statefulsets/status",
        "update | apps | statefulsets/finalizers",
        "get create delete update patch | core | pods",
        "get create delete update patch list watch | apps | controllerrevisions",
        "get create list watch | core | persistentvolumeclaims",
        "update delete | core | persistentvolumeclaims",
        "update | core | pods/finalizers",
        EVENTS,
    ),
    "ttl-controller": ("update patch list watch | core | nodes", EVENTS),
    "certificate-controller": (
        "get list watch delete | certificates.k8s.io | certificatesigningrequests",
        "update | certificates.k8s.io | certificatesigningrequests/status "
        "certificatesigningrequests/approval",
        "approve | certificates.k8s.io | signers | kubernetes.io/kube-apiserver-client-kubelet",
        "sign | certificates.k8s.io | signers | kubernetes.io/legacy-unknown "
        "kubernetes.io/kube-apiserver-client kubernetes.io/kube-apiserver-client-kubelet "
        "kubernetes.io/kubelet-serving",
        "create | authorization.k8s.io | subjectaccessreviews",
        EVENTS,
    ),
    "pvc-protection-controller": (
        "get list watch update | core | persistentvolumeclaims",
        "list watch get | core | pods",
        EVENTS,
    ),
    "pv-protection-controller": ("get list watch update | core | persistentvolumes", EVENTS),
    "volumeattributesclass-protection-controller": (
        "read | core | persistentvolumeclaims",
        "read | core | persistentvolumes",
        "get list watch update | storage.k8s.io | volumeattributesclasses",
        EVENTS,
    ),
    "ttl-after-finished-controller": ("get list watch delete | batch | jobs", EVENTS),
    "root-ca-cert-publisher": ("create update | core | configmaps", EVENTS),
    "validatingadmissionpolicy-status-controller": (
        "read | admissionregistration.k8s.io | validatingadmissionpolicies",
        "get patch update | admissionregistration.k8s.io | validatingadmissionpolicies/status",
        EVENTS,
    ),
    "legacy-service-account-token-cleaner": (
        "get | core | configmaps | kube-apiserver-legacy-service-account-token-tracking",
        "patch delete | core | secrets",
    ),
    "selinux-warning-controller": (
        EVENTS,
        "read | core | persistentvolumes",
        "read | core | persistentvolumeclaims",
        "read | core | pods",
        "read | storage.k8s.io | csidrivers",
    ),
}

#: Namespace and name of a Role to its rules.
_NAMESPACED: dict[tuple[str, str], tuple[str, ...]] = {
    ("kube-system", "extension-apiserver-authentication-reader"): (
        "read | core | configmaps | extension-apiserver-authentication",
    ),
    ("kube-system", f"{PREFIX}bootstrap-signer"): ("read | core | secrets",),
    ("kube-system", f"{PREFIX}cloud-provider"): ("create get list watch | core | configmaps",),
    ("kube-system", f"{PREFIX}token-cleaner"): (
        "get list watch delete | core | secrets",
        EVENTS,
    ),
    ("kube-system", "system::leader-locking-kube-controller-manager"): (
        "watch | core | configmaps",
        "get update | core | configmaps | kube-controller-manager",
    ),
    ("kube-system", "system::leader-locking-kube-scheduler"): (
        "watch | core | configmaps",
        "get update | core | configmaps | kube-scheduler",
    ),
    ("kube-public", f"{PREFIX}bootstrap-signer"): (
        "read | core | configmaps",
        "update | core | configmaps | cluster-info",
        EVENTS,
    ),
}

#: Namespace and name of a RoleBinding to the name of its Role and its subjects, written as in
#: ``default_roles.BINDINGS``.
NAMESPACED_BINDINGS: dict[tuple[str, str], tuple[str, tuple[str, ...]]] = {
    ("kube-system", "system::extension-apiserver-authentication-reader"): (
        "extension-apiserver-authentication-reader",
        ("User:system:kube-controller-manager", "User:system:kube-scheduler"),
    ),
    ("kube-system", "system::leader-locking-kube-controller-manager"): (
        "system::leader-locking-kube-controller-manager",
        ("User:system:kube-controller-manager", "ServiceAccount:kube-controller-manager"),
    ),
    ("kube-system", "system::leader-locking-kube-scheduler"): (
        "system::leader-locking-kube-scheduler",
        ("User:system:kube-scheduler", "ServiceAccount:kube-scheduler"),
    ),
    ("kube-system", f"{PREFIX}bootstrap-signer"): (
        f"{PREFIX}bootstrap-signer",
        ("ServiceAccount:bootstrap-signer",),
    ),
    ("kube-system", f"{PREFIX}cloud-provider"): (
        f"{PREFIX}cloud-provider",
        ("ServiceAccount:cloud-provider",),
    ),
    ("kube-system", f"{PREFIX}token-cleaner"): (
        f"{PREFIX}token-cleaner",
        ("ServiceAccount:token-cleaner",),
    ),
    ("kube-public", f"{PREFIX}bootstrap-signer"): (
        f"{PREFIX}bootstrap-signer",
        ("ServiceAccount:bootstrap-signer",),
    ),
}


def controller_roles() -> dict[str, list[PolicyRule]]:
    """Return the rules of each controller's role by the controller's name."""
    return {name: rules(*lines) for name, lines in _CONTROLLERS.items()}


def namespaced_roles() -> dict[tuple[str, str], list[PolicyRule]]:
    return {key: rules(*lines) for key, lines in _NAMESPACED.items()}
