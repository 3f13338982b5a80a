"""ClusterRoles that are there from the start, other than the controllers': names, rules, labels.

Facts of ``bootstrappolicy/policy.go`` of Kubernetes 1.37 with the feature gates' defaults.
"""

from __future__ import annotations

from podium.api.types.rbac_v1 import PolicyRule
from podium.apiserver.auth.rbac.rule_text import EVENTS, rules

_RBAC = "rbac.authorization.k8s.io"
_WORKLOADS = (
    "statefulsets statefulsets/scale daemonsets deployments deployments/scale "
    "replicasets replicasets/scale"
)
_EXTENSIONS = (
    "daemonsets deployments deployments/scale ingresses networkpolicies replicasets "
    "replicasets/scale replicationcontrollers/scale"
)
_SIGNERS = "approve | certificates.k8s.io | signers |"
_REVIEWS = (
    "create | authentication.k8s.io | tokenreviews",
    "create | authorization.k8s.io | subjectaccessreviews",
)

#: Aggregated roles: the label of the roles that they are made of, and the label they carry.
AGGREGATED = {"admin": "", "edit": "admin", "view": "edit"}
#: Roles that become part of an aggregated one.
PARTS = {
    "system:aggregate-to-admin": "admin",
    "system:aggregate-to-edit": "edit",
    "system:aggregate-to-view": "view",
    "system:aggregated-metrics-reader": "view",  # metrics-server's
}

_AGGREGATE_TO_EDIT = (
    "read | core | pods/attach pods/proxy pods/exec pods/portforward secrets services/proxy",
    "impersonate | core | serviceaccounts",
    "write | core | pods pods/attach pods/proxy pods/exec pods/portforward",
    "create | core | pods/eviction",
    "create | core | pods/restart",
    "write | core | replicationcontrollers replicationcontrollers/scale serviceaccounts services "
    "services/proxy persistentvolumeclaims configmaps secrets",
    "create | core | serviceaccounts/token",
    "write | core events.k8s.io | events",
    f"write | apps | {_WORKLOADS} deployments/rollback",
    "write | autoscaling | horizontalpodautoscalers",
    "write | batch | jobs cronjobs",
    f"write | extensions | {_EXTENSIONS} deployments/rollback",
    "write | policy | poddisruptionbudgets",
    "write | networking.k8s.io | networkpolicies ingresses",
    "all-verbs | coordination.k8s.io | leases",
    "write | resource.k8s.io | resourceclaims resourceclaimtemplates",
)
_AGGREGATE_TO_VIEW = (
    "read | core | pods replicationcontrollers replicationcontrollers/scale serviceaccounts "
    "services services/status endpoints persistentvolumeclaims persistentvolumeclaims/status "
    "configmaps",
    "read | core | limitranges resourcequotas bindings pods/status resourcequotas/status "
    "namespaces/status replicationcontrollers/status pods/log",
    "read | core | namespaces",
    "read | core events.k8s.io | events",
    "read | discovery.k8s.io | endpointslices",
    f"read | apps | controllerrevisions {_WORKLOADS} statefulsets/status daemonsets/status "
    "deployments/status replicasets/status",
    "read | autoscaling | horizontalpodautoscalers horizontalpodautoscalers/status",
    "read | batch | jobs cronjobs cronjobs/status jobs/status",
    f"read | extensions | {_EXTENSIONS} daemonsets/status deployments/status ingresses/status "
    "replicasets/status",
    "read | policy | poddisruptionbudgets poddisruptionbudgets/status",
    "read | networking.k8s.io | networkpolicies ingresses ingresses/status",
    "read | resource.k8s.io | resourceclaims resourceclaims/status resourceclaimtemplates",
)
_NODE = (
    "create | authentication.k8s.io | tokenreviews",
    "create | authorization.k8s.io | subjectaccessreviews localsubjectaccessreviews",
    "read | core | services",
    "create get list watch | core | nodes",
    "update patch | core | nodes/status",
    "update patch | core | nodes",
    EVENTS,
    "read | core | pods",
    "create delete | core | pods",
    "update patch | core | pods/status",
    "create | core | pods/eviction",
    "read | core | secrets configmaps",
    "get | core | persistentvolumeclaims persistentvolumes",
    "get | core | endpoints",
    "create get list watch | certificates.k8s.io | certificatesigningrequests",
    "get create update patch delete | coordination.k8s.io | leases",
    "get | storage.k8s.io | volumeattachments",
    "create | core | serviceaccounts/token",
    "get update patch | core | persistentvolumeclaims/status",
    "read | storage.k8s.io | csidrivers",
    "get create update patch delete | storage.k8s.io | csinodes",
    "read | node.k8s.io | runtimeclasses",
    "get | resource.k8s.io | resourceclaims",
    "deletecollection | resource.k8s.io | resourceslices",
    "get | core | serviceaccounts",
)
_KUBE_CONTROLLER_MANAGER = (
    EVENTS,
    "create | coordination.k8s.io | leases",
    "get update | coordination.k8s.io | leases | kube-controller-manager",
    "create | core | secrets serviceaccounts",
    "delete | core | secrets",
    "get | core | namespaces secrets serviceaccounts configmaps",
    "update | core | secrets serviceaccounts",
    *_REVIEWS,
    "list watch | * | *",
    "create | core | serviceaccounts/token",
)
_KUBE_SCHEDULER = (
    EVENTS,
    "create | coordination.k8s.io | leases",
    "get update list watch | coordination.k8s.io | leases | kube-scheduler",
    "all-verbs | coordination.k8s.io | leasecandidates",
    "read | core | nodes",
    "get list watch delete | core | pods",
    "create | core | pods/binding bindings",
    "patch update | core | pods/status",
    "read | core | services replicationcontrollers",
    "read | apps extensions | replicasets",
    "read | apps | statefulsets",
    "read | policy | poddisruptionbudgets",
    "read | core | persistentvolumeclaims persistentvolumes",
    *_REVIEWS,
    "read | storage.k8s.io | csinodes",
    "read | storage.k8s.io | volumeattachments",
    "read | core | namespaces",
    "read | storage.k8s.io | csidrivers",
    "read | storage.k8s.io | csistoragecapacities",
    "read | resource.k8s.io | deviceclasses",
    "read-update | resource.k8s.io | resourceclaims",
    "read-update | resource.k8s.io | resourceclaims/status",
    "update | core | pods/finalizers",
    "read | resource.k8s.io | resourceslices",
)

#: Name of a role to its rules, a line each.
_ROLES: dict[str, tuple[str, ...]] = {
    "cluster-admin": ("* | * | *", "* | *"),
    "system:discovery": (
        "get | /livez /readyz /healthz /version /version/ /openapi /openapi/* /api /api/* "
        "/apis /apis/*",
    ),
    "system:monitoring": (
        "get | /metrics /metrics/slis /livez /readyz /healthz /livez/* /readyz/* /healthz/*",
        "get | core | nodes/metrics",
    ),
    "system:basic-user": (
        "create | authorization.k8s.io | selfsubjectaccessreviews selfsubjectrulesreviews",
        "create | authentication.k8s.io | selfsubjectreviews",
    ),
    "system:public-info-viewer": ("get | /livez /readyz /healthz /version /version/",),
    "system:aggregate-to-admin": (
        "create | authorization.k8s.io | localsubjectaccessreviews",
        f"all-verbs | {_RBAC} | roles rolebindings",
    ),
    "system:aggregate-to-edit": _AGGREGATE_TO_EDIT,
    "system:aggregate-to-view": _AGGREGATE_TO_VIEW,
    "system:aggregated-metrics-reader": ("read | metrics.k8s.io | nodes pods",),
    "system:heapster": (
        "read | core | events pods nodes namespaces",
        "read | extensions | deployments",
    ),
    "system:node": _NODE,
    "system:node-problem-detector": (
        "get | core | nodes",
        "patch | core | nodes/status",
        EVENTS,
    ),
    "system:node-bootstrapper": (
        "create get list watch | certificates.k8s.io | certificatesigningrequests",
    ),
    "system:auth-delegator": _REVIEWS,
    "system:kube-aggregator": ("read | core | services endpoints",),
    "system:kube-controller-manager": _KUBE_CONTROLLER_MANAGER,
    "system:kube-dns": ("list watch | core | endpoints services",),
    "system:persistent-volume-provisioner": (
        "get list watch create delete | core | persistentvolumes",
        "get list watch update | core | persistentvolumeclaims",
        "read | storage.k8s.io | storageclasses",
        "watch | core | events",
        EVENTS,
    ),
    "system:certificates.k8s.io:certificatesigningrequests:nodeclient": (
        "create | certificates.k8s.io | certificatesigningrequests/nodeclient",
    ),
    "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient": (
        "create | certificates.k8s.io | certificatesigningrequests/selfnodeclient",
    ),
    "system:volume-scheduler": (
        "read-update | core | persistentvolumes",
        "read | storage.k8s.io | storageclasses",
        "read-update | core | persistentvolumeclaims",
    ),
    "system:certificates.k8s.io:legacy-unknown-approver": (
        f"{_SIGNERS} kubernetes.io/legacy-unknown",
    ),
    "system:certificates.k8s.io:kubelet-serving-approver": (
        f"{_SIGNERS} kubernetes.io/kubelet-serving",
    ),
    "system:certificates.k8s.io:kube-apiserver-client-approver": (
        f"{_SIGNERS} kubernetes.io/kube-apiserver-client",
    ),
    "system:certificates.k8s.io:kube-apiserver-client-kubelet-approver": (
        f"{_SIGNERS} kubernetes.io/kube-apiserver-client-kubelet",
    ),
    "system:service-account-issuer-discovery": (
        "get | /.well-known/openid-configuration /.well-known/openid-configuration/ "
        "/openid/v1/jwks /openid/v1/jwks/",
    ),
    "system:kubelet-api-admin": (
        "get list watch | core | nodes",
        "proxy | core | nodes",
        "* | core | nodes/proxy nodes/metrics nodes/stats nodes/log",
        "* | core | nodes/pods nodes/healthz nodes/configz",
    ),
    "system:node-proxier": (
        "list watch | core | services endpoints",
        "get list watch | core | nodes",
        EVENTS,
        "list watch | networking.k8s.io | servicecidrs",
        "list watch | discovery.k8s.io | endpointslices",
    ),
    "system:kube-scheduler": _KUBE_SCHEDULER,
}

#: Name of a binding, and of the role it is of, to its subjects: ``Group:``, ``User:`` or
#: ``ServiceAccount:`` (of kube-system) and a name.
BINDINGS: dict[str, tuple[str, ...]] = {
    "cluster-admin": ("Group:system:masters",),
    "system:monitoring": ("Group:system:monitoring",),
    "system:discovery": ("Group:system:authenticated",),
    "system:basic-user": ("Group:system:authenticated",),
    "system:public-info-viewer": (
        "Group:system:authenticated",
        "Group:system:unauthenticated",
    ),
    "system:node-proxier": ("User:system:kube-proxy",),
    "system:kube-controller-manager": ("User:system:kube-controller-manager",),
    "system:kube-dns": ("ServiceAccount:kube-dns",),
    "system:kube-scheduler": ("User:system:kube-scheduler",),
    "system:volume-scheduler": ("User:system:kube-scheduler",),
    # The API server, where it asks kubelets. Upstream leaves this to whoever makes the certificate.
    "system:kubelet-api-admin": ("User:kube-apiserver-kubelet-client",),
    "system:node": (),  # nodes have an authorizer of their own
    "system:service-account-issuer-discovery": ("Group:system:serviceaccounts",),
}


def node_rules() -> list[PolicyRule]:
    """Return the most that a node may do; its authorizer takes away what is not its own."""
    return rules(*_NODE)


def cluster_roles() -> dict[str, list[PolicyRule]]:
    """Return the roles that are not aggregated, by name."""
    return {name: rules(*lines) for name, lines in _ROLES.items()}
