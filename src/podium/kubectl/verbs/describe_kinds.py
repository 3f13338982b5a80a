"""Which kinds have a description of their own: where it is, and what else it needs to know."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, NamedTuple

from podium.kubectl.errors import StatusError
from podium.kubectl.http import Http
from podium.kubectl.lists import items

Object = dict[str, Any]
#: Asks for what a description of an object needs besides it.
Need = Callable[[Http, Object], Any]


class Described(NamedTuple):
    """*function* of the printing module *module*; *needs* are its further arguments.

    *events* are shown where they can be seen; *needs_events*: they must be, as upstream's.
    """

    module: str
    function: str
    needs: Sequence[Need] = ()
    events: bool = True
    needs_events: bool = False

    def load(self) -> Callable[..., None]:
        module = import_module(f"podium.kubectl.printing.{self.module}")
        found: Callable[..., None] = getattr(module, self.function)
        return found


def _in_namespace(path: str, resource: str) -> Need:
    """All of a resource in the object's namespace."""

    def ask(http: Http, obj: Object) -> list[Object]:
        return list(items(http, f"{path}/namespaces/{obj['metadata']['namespace']}/{resource}"))

    return ask


def _bounds(resource: str) -> Need:
    """What bounds a Namespace; None where the server does not know of it."""

    def ask(http: Http, obj: Object) -> list[Object] | None:
        try:
            return list(items(http, f"/api/v1/namespaces/{obj['metadata']['name']}/{resource}"))
        except StatusError as error:
            if error.code == 404:
                return None
            raise

    return ask


def _slices(http: Http, namespace: str, service: str) -> list[Object]:
    path = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
    query = [("labelSelector", f"kubernetes.io/service-name={service}")]
    return list(items(http, path, query))


def _slices_of_service(http: Http, obj: Object) -> list[Object]:
    try:
        return _slices(http, obj["metadata"]["namespace"], obj["metadata"]["name"])
    except StatusError:
        return []


def _replica_sets(http: Http, obj: Object) -> list[Object]:
    namespace = obj["metadata"]["namespace"]
    try:
        return list(items(http, f"/apis/apps/v1/namespaces/{namespace}/replicasets"))
    except StatusError:
        return []


def _pods_or_why_not(http: Http, obj: Object) -> list[Object] | str:
    try:
        return list(_PODS(http, obj))
    except StatusError as error:
        return str(error)


def _pods_on_node(http: Http, obj: Object) -> list[Object] | None:
    """None where one may not see them."""
    fields = f"spec.nodeName={obj['metadata']['name']},status.phase!=Succeeded,status.phase!=Failed"
    try:
        return list(items(http, "/api/v1/pods", [("fieldSelector", fields)]))
    except StatusError as error:
        if error.code == 403:
            return None
        raise


def _lease_of_node(http: Http, obj: Object) -> Object | str:
    name = obj["metadata"]["name"]
    path = f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{name}"
    try:
        lease: Object = http.request("GET", path).json()
    except StatusError as error:
        return str(error)
    return lease


def _slices_of_node(http: Http, obj: Object) -> list[Object]:
    query = [("fieldSelector", f"spec.nodeName={obj['metadata']['name']}")]
    try:
        return list(items(http, "/apis/resource.k8s.io/v1/resourceslices", query))
    except StatusError:
        return []


def _backends(http: Http, obj: Object) -> dict[str, tuple[Object, list[Object]] | str]:
    """The Services that an Ingress names, each with its slices, or why they cannot be seen."""
    spec = obj.get("spec") or {}
    paths = [
        path
        for rule in spec.get("rules") or ()
        for path in (rule.get("http") or {}).get("paths") or ()
    ]
    backends = [spec.get("defaultBackend") or {}, *(path["backend"] for path in paths)]
    names = dict.fromkeys(one["service"]["name"] for one in backends if one.get("service"))
    return {name: _backend(http, obj["metadata"]["namespace"], name) for name in names}


def _backend(http: Http, namespace: str, name: str) -> tuple[Object, list[Object]] | str:
    try:
        slices = _slices(http, namespace, name)
        return http.request("GET", f"/api/v1/namespaces/{namespace}/services/{name}").json(), slices
    except StatusError as error:
        return str(error)


_PODS = _in_namespace("/api/v1", "pods")
_STORAGE, _NETWORK, _WORKLOADS = "describe_storage", "describe_network", "describe_workloads"
_RULES, _CORE, _POLICIES = "describe_rules", "describe_core", "describe_policies"

#: By the group and the kind.
KINDS: dict[tuple[str, str], Described] = {
    ("", "Pod"): Described("describe_pod", "pod"),
    ("", "Node"): Described(
        "describe_node", "node", (_pods_on_node, _lease_of_node, _slices_of_node)
    ),
    ("", "Service"): Described(_NETWORK, "service", (_slices_of_service,)),
    ("", "Endpoints"): Described(_NETWORK, "endpoints"),
    ("", "ConfigMap"): Described(_CORE, "config_map", needs_events=True),
    ("", "Secret"): Described(_CORE, "secret", events=False),
    ("", "ServiceAccount"): Described(_CORE, "service_account"),
    ("", "Namespace"): Described(
        _CORE, "namespace", (_bounds("resourcequotas"), _bounds("limitranges")), events=False
    ),
    ("", "ResourceQuota"): Described(_CORE, "resource_quota", events=False),
    ("", "LimitRange"): Described(_CORE, "limit_range", events=False),
    ("", "PersistentVolume"): Described(_STORAGE, "persistent_volume"),
    ("", "PersistentVolumeClaim"): Described(_STORAGE, "persistent_volume_claim", (_PODS,)),
    ("", "ReplicationController"): Described(_WORKLOADS, "replica_set", (_PODS,)),
    ("apps", "Deployment"): Described(_WORKLOADS, "deployment", (_replica_sets,)),
    ("apps", "ReplicaSet"): Described(_WORKLOADS, "replica_set", (_pods_or_why_not,)),
    ("apps", "DaemonSet"): Described(_WORKLOADS, "daemon_set", (_PODS,)),
    ("apps", "StatefulSet"): Described(_WORKLOADS, "stateful_set", (_PODS,)),
    ("batch", "Job"): Described(_WORKLOADS, "job"),
    ("batch", "CronJob"): Described(_WORKLOADS, "cron_job"),
    ("discovery.k8s.io", "EndpointSlice"): Described(_NETWORK, "endpoint_slice"),
    ("networking.k8s.io", "Ingress"): Described(_NETWORK, "ingress", (_backends,)),
    ("networking.k8s.io", "IngressClass"): Described(_NETWORK, "ingress_class"),
    ("networking.k8s.io", "ServiceCIDR"): Described(_NETWORK, "service_cidr"),
    ("networking.k8s.io", "IPAddress"): Described(_NETWORK, "ip_address"),
    ("networking.k8s.io", "NetworkPolicy"): Described(_POLICIES, "network_policy", events=False),
    ("policy", "PodDisruptionBudget"): Described(_POLICIES, "disruption_budget"),
    ("scheduling.k8s.io", "PriorityClass"): Described(_POLICIES, "priority_class"),
    ("autoscaling", "HorizontalPodAutoscaler"): Described(_POLICIES, "autoscaler"),
    ("storage.k8s.io", "StorageClass"): Described(_STORAGE, "storage_class"),
    ("storage.k8s.io", "VolumeAttributesClass"): Described(_STORAGE, "volume_attributes_class"),
    ("storage.k8s.io", "CSINode"): Described(_STORAGE, "csi_node"),
    ("rbac.authorization.k8s.io", "Role"): Described(_RULES, "role", events=False),
    ("rbac.authorization.k8s.io", "ClusterRole"): Described(_RULES, "role", events=False),
    ("rbac.authorization.k8s.io", "RoleBinding"): Described(_RULES, "binding", events=False),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): Described(_RULES, "binding", events=False),
}
