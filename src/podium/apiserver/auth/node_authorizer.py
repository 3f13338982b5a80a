"""What a node may do: its own Node, Lease and Pods, and what those Pods refer to.

Follows ``k8s.io/kubernetes/plugin/pkg/auth/authorizer/node``. Together with the NodeRestriction
admission plugin, which looks into the bodies, a node that is taken over gives away nothing but
what runs there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Protocol

from podium.api.types.core_v1 import EnvFromSource, EnvVar, Pod, PodSpec
from podium.api.types.rbac_v1 import PolicyRule
from podium.apiserver.auth.rbac.rules import any_allows
from podium.apiserver.paths import Query, RequestInfo

LEASE_NAMESPACE = "kube-node-lease"


class PodReader(Protocol):
    """The Pods, as far as authorization needs them."""

    async def pod(self, namespace: str, name: str) -> Pod | None: ...

    async def pods_on(self, node: str, namespace: str) -> Sequence[Pod]: ...

    async def claim_of(self, volume: str) -> tuple[str, str] | None:
        """Return namespace and name of the claim that a PersistentVolume is bound to."""
        ...


async def refusal(node: str, info: RequestInfo, query: Query, pods: PodReader) -> str | None:
    """Return None where *node* may do it, otherwise the reason, in upstream's words ("": none)."""
    if not any_allows(_rules(), info):
        return ""
    match info.resource:
        case "nodes":
            return _own_node(node, info)
        case "leases":
            return _own_lease(node, info)
        case "pods":
            return await _own_pod(node, info, query, pods)
        case "secrets":
            return await _referenced(node, info, pods, secret_names)
        case "configmaps":
            return await _referenced(node, info, pods, configmap_names)
        case "serviceaccounts":
            return await _referenced(node, info, pods, service_account_names)
        case "persistentvolumeclaims":
            return await _referenced(node, info, pods, claim_names)
        case "persistentvolumes":
            return await _bound(node, info, pods)
        case "csinodes":
            return _own_csi_node(node, info)
        case "volumeattachments" | "resourceclaims":
            return _unrelated(node)  # nothing that a Pod here may use leads to these
    return None


@cache
def _rules() -> list[PolicyRule]:
    from podium.apiserver.auth.rbac.default_roles import node_rules

    return node_rules()


def _own_node(node: str, info: RequestInfo) -> str | None:
    if info.verb == "create" or info.name == node:
        return None  # a create names its node in the body: NodeRestriction's part
    verb = "read" if info.verb in ("get", "list", "watch") else "modify"
    return f"node '{node}' cannot {verb} '{info.name}', only its own Node object"


def _own_lease(node: str, info: RequestInfo) -> str | None:
    if info.namespace != LEASE_NAMESPACE:
        return f'can only access leases in the "{LEASE_NAMESPACE}" system namespace'
    if info.verb == "create" or info.name == node:
        return None
    return "can only access node lease with the same name as the requesting node"


async def _own_pod(node: str, info: RequestInfo, query: Query, pods: PodReader) -> str | None:
    if info.verb in ("list", "watch"):
        if f"spec.nodeName={node}" in query.get("fieldSelector").replace("==", "=").split(","):
            return None
        return "can only list/watch pods with spec.nodeName field selector"
    if info.verb == "create" and not info.subresource:
        return ""  # static Pods' mirrors are not served
    pod = await pods.pod(info.namespace, info.name)
    if pod is None or pod.spec.node_name == node:
        return None  # what is not there is answered as such
    return f"node '{node}' can only access pods with spec.nodeName set to itself"


def _own_csi_node(node: str, info: RequestInfo) -> str | None:
    if info.verb == "create" or info.name == node:
        return None
    return f"can only access CSINode with the same name as the requesting node '{node}'"


async def _referenced(
    node: str,
    info: RequestInfo,
    pods: PodReader,
    names: Callable[[Pod], Iterator[str]],
) -> str | None:
    if info.name and info.namespace:
        for pod in await pods.pods_on(node, info.namespace):
            if info.name in names(pod):
                return None
    return _unrelated(node)


async def _bound(node: str, info: RequestInfo, pods: PodReader) -> str | None:
    """A volume is a node's business when its claim is."""
    claim = await pods.claim_of(info.name) if info.name else None
    if claim is not None:
        namespace, name = claim
        for pod in await pods.pods_on(node, namespace):
            if name in claim_names(pod):
                return None
    return _unrelated(node)


def _unrelated(node: str) -> str:
    return f"no relationship found between node '{node}' and this object"


def service_account_names(pod: Pod) -> Iterator[str]:
    yield pod.spec.service_account_name


def claim_names(pod: Pod) -> Iterator[str]:
    """Every claim that the Pod uses, those made for it included."""
    for volume in pod.spec.volumes:
        if volume.persistent_volume_claim:
            yield volume.persistent_volume_claim.claim_name
        elif volume.ephemeral:
            yield f"{pod.metadata.name}-{volume.name}"


def secret_names(pod: Pod) -> Iterator[str]:
    """Every Secret that the Pod makes its node read."""
    spec = pod.spec
    for pull_secret in spec.image_pull_secrets:
        yield pull_secret.name
    for env_from, env in _environments(spec):
        yield from (source.secret_ref.name for source in env_from if source.secret_ref)
        for variable in env:
            if variable.value_from and variable.value_from.secret_key_ref:
                yield variable.value_from.secret_key_ref.name
    for volume in spec.volumes:
        if volume.secret:
            yield volume.secret.secret_name
        for projection in volume.projected.sources if volume.projected else ():
            if projection.secret:
                yield projection.secret.name


def configmap_names(pod: Pod) -> Iterator[str]:
    """Every ConfigMap that the Pod makes its node read."""
    spec = pod.spec
    for env_from, env in _environments(spec):
        yield from (source.config_map_ref.name for source in env_from if source.config_map_ref)
        for variable in env:
            if variable.value_from and variable.value_from.config_map_key_ref:
                yield variable.value_from.config_map_key_ref.name
    for volume in spec.volumes:
        if volume.config_map:
            yield volume.config_map.name
        for projection in volume.projected.sources if volume.projected else ():
            if projection.config_map:
                yield projection.config_map.name


def _environments(spec: PodSpec) -> Iterator[tuple[list[EnvFromSource], list[EnvVar]]]:
    for container in (*spec.init_containers, *spec.containers):
        yield container.env_from, container.env
    for ephemeral in spec.ephemeral_containers:
        yield ephemeral.env_from, ephemeral.env
