"""Defaults of the kinds that make Pods: ``apps/v1``, ReplicationControllers, PodTemplates.

Follows ``pkg/apis/apps/v1/defaults.go`` and ``pkg/apis/core/v1/defaults.go`` of Kubernetes.
"""

from __future__ import annotations

from podium.api.defaults.pods import set_defaults_pod_spec
from podium.api.defaults.storage import set_defaults_claim
from podium.api.types.apps_v1 import (
    DaemonSet,
    Deployment,
    ReplicaSet,
    RollingUpdateDaemonSet,
    RollingUpdateDeployment,
    RollingUpdateStatefulSetStrategy,
    StatefulSet,
    StatefulSetPersistentVolumeClaimRetentionPolicy,
)
from podium.api.types.core_v1 import PodTemplate, PodTemplateSpec, ReplicationController
from podium.api.types.meta_v1 import ObjectMeta

REVISION_HISTORY_LIMIT = 10
PROGRESS_DEADLINE_SECONDS = 600


def set_defaults_template(template: PodTemplateSpec) -> None:
    """Fill in what a Pod template leaves out: a Pod's defaults but for limits and requests."""
    set_defaults_pod_spec(template.spec)
    if template.spec.host_network:
        for container in (*template.spec.containers, *template.spec.init_containers):
            for port in container.ports:
                port.host_port = port.host_port or port.container_port


def set_defaults_pod_template(obj: PodTemplate) -> None:
    set_defaults_template(obj.template)


def set_defaults_deployment(obj: Deployment) -> None:
    spec = obj.spec
    set_defaults_template(spec.template)
    if spec.replicas is None:
        spec.replicas = 1
    if spec.revision_history_limit is None:
        spec.revision_history_limit = REVISION_HISTORY_LIMIT
    if spec.progress_deadline_seconds is None:
        spec.progress_deadline_seconds = PROGRESS_DEADLINE_SECONDS
    spec.strategy.type = spec.strategy.type or "RollingUpdate"
    if spec.strategy.type == "RollingUpdate":
        rolling = spec.strategy.rolling_update or RollingUpdateDeployment()
        spec.strategy.rolling_update = rolling
        rolling.max_unavailable = (
            "25%" if rolling.max_unavailable is None else (rolling.max_unavailable)
        )
        rolling.max_surge = "25%" if rolling.max_surge is None else rolling.max_surge


def set_defaults_replica_set(obj: ReplicaSet) -> None:
    set_defaults_template(obj.spec.template)
    if obj.spec.replicas is None:
        obj.spec.replicas = 1


def set_defaults_daemon_set(obj: DaemonSet) -> None:
    spec = obj.spec
    set_defaults_template(spec.template)
    if spec.revision_history_limit is None:
        spec.revision_history_limit = REVISION_HISTORY_LIMIT
    spec.update_strategy.type = spec.update_strategy.type or "RollingUpdate"
    if spec.update_strategy.type == "RollingUpdate":
        rolling = spec.update_strategy.rolling_update or RollingUpdateDaemonSet()
        spec.update_strategy.rolling_update = rolling
        rolling.max_unavailable = 1 if rolling.max_unavailable is None else rolling.max_unavailable
        rolling.max_surge = 0 if rolling.max_surge is None else rolling.max_surge


def set_defaults_stateful_set(obj: StatefulSet) -> None:
    spec = obj.spec
    set_defaults_template(spec.template)
    if spec.replicas is None:
        spec.replicas = 1
    if spec.revision_history_limit is None:
        spec.revision_history_limit = REVISION_HISTORY_LIMIT
    spec.pod_management_policy = spec.pod_management_policy or "OrderedReady"
    spec.update_strategy.type = spec.update_strategy.type or "RollingUpdate"
    if spec.update_strategy.type == "RollingUpdate":
        rolling = spec.update_strategy.rolling_update or RollingUpdateStatefulSetStrategy()
        spec.update_strategy.rolling_update = rolling
        rolling.partition = rolling.partition or 0
    retention = spec.persistent_volume_claim_retention_policy
    if retention is None:
        retention = StatefulSetPersistentVolumeClaimRetentionPolicy()
        spec.persistent_volume_claim_retention_policy = retention
    retention.when_deleted = retention.when_deleted or "Retain"
    retention.when_scaled = retention.when_scaled or "Retain"
    for claim in spec.volume_claim_templates:
        set_defaults_claim(claim)


def set_defaults_replication_controller(obj: ReplicationController) -> None:
    """The template's labels are the selector, and the controller's labels, by default."""
    spec = obj.spec
    labels: dict[str, str] = {}
    if spec.template is not None:
        set_defaults_template(spec.template)
        metadata = spec.template.metadata or ObjectMeta()
        labels = dict(metadata.labels)
    if labels:
        spec.selector = spec.selector or dict(labels)
        obj.metadata.labels = obj.metadata.labels or dict(labels)
    if spec.replicas is None:
        spec.replicas = 1
