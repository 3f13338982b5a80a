"""The kinds that are served, one entry each; nothing else lists kinds.

An entry holds facts only. What may be done with objects of a kind (defaults, validation, what an
update may change, table columns) is its strategy, ``podium.registry.strategies.<strategy>``.
"""

from __future__ import annotations

from typing import Any

from podium.api.served import ALL_VERBS, SCALE, STATUS, Resource, Subresource

__all__ = ["ALL_VERBS", "RESOURCES", "SCALE", "STATUS", "Resource", "Subresource"]

_TOKEN = Subresource("token", ("create",), "authentication.k8s.io", "v1", "TokenRequest")
_BINDING = Subresource("binding", ("create",), version="v1", kind="Binding")
_EVICTION = Subresource("eviction", ("create",), "policy", "v1", "Eviction")
_FINALIZE = Subresource("finalize", ("update",))
_NOT_AT_ONCE = tuple(verb for verb in ALL_VERBS if verb != "deletecollection")


def _connect(name: str, kind: str) -> Subresource:
    """Return a part whose requests become streams."""
    return Subresource(name, ("create", "get"), version="v1", kind=kind, connects=True)


def _proxy(kind: str) -> Subresource:
    verbs = ("create", "delete", "get", "patch", "update")
    return Subresource(
        "proxy", verbs, version="v1", kind=f"{kind}ProxyOptions", connects=True, anywhere=True
    )


def _kind(group: str, kind: str, plural: str, strategy: str = "generic", **facts: Any) -> Resource:
    """Return an entry of version ``v1`` unless *facts* say otherwise."""
    version = facts.pop("version", "v1")
    singular = facts.pop("singular", kind.lower())
    return Resource(group, version, kind, plural, singular, strategy=strategy, **facts)


NAMESPACES = _kind(
    "", "Namespace", "namespaces", "namespaces", namespaced=False, short_names=("ns",),
    verbs=_NOT_AT_ONCE, subresources=(_FINALIZE, STATUS),
)  # fmt: skip
PODS = _kind(
    "", "Pod", "pods", "pods", short_names=("po",), categories=("all",),
    indexed_fields=("spec.nodeName",),
    subresources=(
        _connect("attach", "PodAttachOptions"), _BINDING, Subresource("ephemeralcontainers"),
        _EVICTION, _connect("exec", "PodExecOptions"), Subresource("log", ("get",)),
        _connect("portforward", "PodPortForwardOptions"), _proxy("Pod"),
        Subresource("resize"), Subresource("restart", ("create",)), STATUS,
    ),
)  # fmt: skip
NODES = _kind(
    "", "Node", "nodes", "nodes", namespaced=False, short_names=("no",),
    subresources=(_proxy("Node"), STATUS),
)  # fmt: skip
EVENTS = _kind("", "Event", "events", "events", short_names=("ev",))
CONFIGMAPS = _kind("", "ConfigMap", "configmaps", "configmaps", short_names=("cm",))
SECRETS = _kind("", "Secret", "secrets", "secrets")
SERVICES = _kind(
    "", "Service", "services", "services", short_names=("svc",), categories=("all",),
    subresources=(_proxy("Service"), STATUS),
)  # fmt: skip
ENDPOINTS = _kind("", "Endpoints", "endpoints", "endpoints", short_names=("ep",))
SERVICEACCOUNTS = _kind(
    "", "ServiceAccount", "serviceaccounts", "serviceaccounts", short_names=("sa",),
    subresources=(_TOKEN,),
)  # fmt: skip
LIMITRANGES = _kind("", "LimitRange", "limitranges", "limitranges", short_names=("limits",))
RESOURCEQUOTAS = _kind(
    "", "ResourceQuota", "resourcequotas", "resourcequotas", short_names=("quota",),
    subresources=(STATUS,),
)  # fmt: skip
PERSISTENTVOLUMES = _kind(
    "", "PersistentVolume", "persistentvolumes", "persistentvolumes", namespaced=False,
    short_names=("pv",), subresources=(STATUS,),
)  # fmt: skip
PERSISTENTVOLUMECLAIMS = _kind(
    "", "PersistentVolumeClaim", "persistentvolumeclaims", "persistentvolumeclaims",
    short_names=("pvc",), subresources=(STATUS,),
)  # fmt: skip
PODTEMPLATES = _kind("", "PodTemplate", "podtemplates", "podtemplates")
REPLICATIONCONTROLLERS = _kind(
    "", "ReplicationController", "replicationcontrollers", "replicationcontrollers",
    short_names=("rc",), categories=("all",), subresources=(SCALE, STATUS),
)  # fmt: skip
LEASES = _kind("coordination.k8s.io", "Lease", "leases", "leases")

_RBAC = "rbac.authorization.k8s.io"
ROLES = _kind(_RBAC, "Role", "roles", "roles")
ROLEBINDINGS = _kind(_RBAC, "RoleBinding", "rolebindings", "rolebindings")
CLUSTERROLES = _kind(_RBAC, "ClusterRole", "clusterroles", "roles", namespaced=False)
CLUSTERROLEBINDINGS = _kind(
    _RBAC, "ClusterRoleBinding", "clusterrolebindings", "rolebindings", namespaced=False
)


def _review(group: str, kind: str, *, namespaced: bool = False) -> Resource:
    return _kind(
        group, kind, f"{kind.lower()}s", namespaced=namespaced, verbs=("create",), stored=False
    )


#: Made up at the moment they are asked for, like reviews.
COMPONENTSTATUSES = _kind(
    "", "ComponentStatus", "componentstatuses", "componentstatuses", singular="componentstatus",
    namespaced=False, short_names=("cs",), verbs=("get", "list"), stored=False,
)  # fmt: skip

SUBJECTACCESSREVIEWS = _review("authorization.k8s.io", "SubjectAccessReview")
SELFSUBJECTACCESSREVIEWS = _review("authorization.k8s.io", "SelfSubjectAccessReview")
LOCALSUBJECTACCESSREVIEWS = _review(
    "authorization.k8s.io", "LocalSubjectAccessReview", namespaced=True
)
SELFSUBJECTRULESREVIEWS = _review("authorization.k8s.io", "SelfSubjectRulesReview")
TOKENREVIEWS = _review("authentication.k8s.io", "TokenReview")
SELFSUBJECTREVIEWS = _review("authentication.k8s.io", "SelfSubjectReview")

CONTROLLERREVISIONS = _kind(
    "apps", "ControllerRevision", "controllerrevisions", "controllerrevisions"
)
DAEMONSETS = _kind(
    "apps", "DaemonSet", "daemonsets", "daemonsets", short_names=("ds",), categories=("all",),
    subresources=(STATUS,),
)  # fmt: skip
DEPLOYMENTS = _kind(
    "apps", "Deployment", "deployments", "deployments", short_names=("deploy",),
    categories=("all",), subresources=(SCALE, STATUS),
)  # fmt: skip
REPLICASETS = _kind(
    "apps", "ReplicaSet", "replicasets", "replicasets", short_names=("rs",),
    categories=("all",), subresources=(SCALE, STATUS),
)  # fmt: skip
STATEFULSETS = _kind(
    "apps", "StatefulSet", "statefulsets", "statefulsets", short_names=("sts",),
    categories=("all",), subresources=(SCALE, STATUS),
)  # fmt: skip
HORIZONTALPODAUTOSCALERS = _kind(
    "autoscaling", "HorizontalPodAutoscaler", "horizontalpodautoscalers",
    "horizontalpodautoscalers", version="v2", short_names=("hpa",), categories=("all",),
    subresources=(STATUS,),
)  # fmt: skip
HORIZONTALPODAUTOSCALERS_V1 = _kind(
    "autoscaling", "HorizontalPodAutoscaler", "horizontalpodautoscalers",
    "horizontalpodautoscalers_v1", short_names=("hpa",), categories=("all",),
    subresources=(STATUS,), view_of=HORIZONTALPODAUTOSCALERS,
)  # fmt: skip
CRONJOBS = _kind(
    "batch", "CronJob", "cronjobs", "cronjobs", short_names=("cj",), categories=("all",),
    subresources=(STATUS,),
)  # fmt: skip
JOBS = _kind("batch", "Job", "jobs", "jobs", categories=("all",), subresources=(STATUS,))
ENDPOINTSLICES = _kind("discovery.k8s.io", "EndpointSlice", "endpointslices", "endpointslices")
EVENTS_V1 = _kind(
    "events.k8s.io", "Event", "events", "events_v1", short_names=("ev",), view_of=EVENTS
)
INGRESSCLASSES = _kind(
    "networking.k8s.io", "IngressClass", "ingressclasses", "ingressclasses", namespaced=False
)
INGRESSES = _kind(
    "networking.k8s.io", "Ingress", "ingresses", "ingresses", short_names=("ing",),
    subresources=(STATUS,),
)  # fmt: skip
IPADDRESSES = _kind(
    "networking.k8s.io", "IPAddress", "ipaddresses", "ipaddresses", namespaced=False,
    short_names=("ip",),
)  # fmt: skip
NETWORKPOLICIES = _kind(
    "networking.k8s.io", "NetworkPolicy", "networkpolicies", "networkpolicies",
    short_names=("netpol",), error_group="extensions",
)  # fmt: skip
SERVICECIDRS = _kind(
    "networking.k8s.io", "ServiceCIDR", "servicecidrs", "servicecidrs", namespaced=False,
    subresources=(STATUS,),
)  # fmt: skip
RUNTIMECLASSES = _kind(
    "node.k8s.io", "RuntimeClass", "runtimeclasses", "runtimeclasses", namespaced=False
)
PODDISRUPTIONBUDGETS = _kind(
    "policy", "PodDisruptionBudget", "poddisruptionbudgets", "poddisruptionbudgets",
    short_names=("pdb",), subresources=(STATUS,),
)  # fmt: skip
PRIORITYCLASSES = _kind(
    "scheduling.k8s.io", "PriorityClass", "priorityclasses", "priorityclasses",
    namespaced=False, short_names=("pc",),
)  # fmt: skip
CSIDRIVERS = _kind("storage.k8s.io", "CSIDriver", "csidrivers", "csidrivers", namespaced=False)
CSINODES = _kind("storage.k8s.io", "CSINode", "csinodes", "csinodes", namespaced=False)
CSISTORAGECAPACITIES = _kind(
    "storage.k8s.io", "CSIStorageCapacity", "csistoragecapacities", "csistoragecapacities"
)
STORAGECLASSES = _kind(
    "storage.k8s.io", "StorageClass", "storageclasses", "storageclasses", namespaced=False,
    short_names=("sc",),
)  # fmt: skip
VOLUMEATTACHMENTS = _kind(
    "storage.k8s.io", "VolumeAttachment", "volumeattachments", "volumeattachments",
    namespaced=False, subresources=(STATUS,),
)  # fmt: skip
VOLUMEATTRIBUTESCLASSES = _kind(
    "storage.k8s.io", "VolumeAttributesClass", "volumeattributesclasses",
    "volumeattributesclasses", namespaced=False, short_names=("vac",),
)  # fmt: skip

RESOURCES: tuple[Resource, ...] = tuple(
    found for found in list(globals().values()) if isinstance(found, Resource)
)


def find(group: str, version: str, plural: str) -> Resource | None:
    """Return the entry behind ``/apis/<group>/<version>/<plural>``."""
    return _BY_PATH.get((group, version, plural))


def find_kind(group: str, version: str, kind: str) -> Resource | None:
    return _BY_KIND.get((group, version, kind))


_BY_PATH = {(r.group, r.version, r.plural): r for r in RESOURCES}
_BY_KIND = {(r.group, r.version, r.kind): r for r in RESOURCES}
