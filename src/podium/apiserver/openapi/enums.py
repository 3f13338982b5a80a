"""Fields that take one of a few values: a server's documents list them, the published ones do not.

Facts of the types that Kubernetes marks ``+enum``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]

_SIGNALS = (
    "SIGABRT SIGALRM SIGBUS SIGCHLD SIGCLD SIGCONT SIGFPE SIGHUP SIGILL SIGINT SIGIO SIGIOT "
    "SIGKILL SIGPIPE SIGPOLL SIGPROF SIGPWR SIGQUIT SIGRTMAX "
    + " ".join(f"SIGRTMAX-{number}" for number in (1, 10, 11, 12, 13, 14, *range(2, 10)))
    + " SIGRTMIN "
    + " ".join(f"SIGRTMIN+{number}" for number in (1, *range(10, 16), *range(2, 10)))
    + " SIGSEGV SIGSTKFLT SIGSTOP SIGSYS SIGTERM SIGTRAP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGUSR1 "
    "SIGUSR2 SIGVTALRM SIGWINCH SIGXCPU SIGXFSZ"
)
_PROFILES = "Localhost RuntimeDefault Unconfined"
_EFFECTS = "NoExecute NoSchedule PreferNoSchedule"
_PREEMPTION = "Never PreemptLowerPriority"
_SCOPES = (
    "BestEffort CrossNamespacePodAffinity NotBestEffort NotTerminating PriorityClass Terminating "
    "VolumeAttributesClass"
)
_CORE: Mapping[str, str] = {
    "AppArmorProfile.type": _PROFILES,
    "AzureDiskVolumeSource.cachingMode": "None ReadOnly ReadWrite",
    "AzureDiskVolumeSource.kind": "Dedicated Managed Shared",
    "Container.imagePullPolicy": "Always IfNotPresent Never",
    "Container.terminationMessagePolicy": "FallbackToLogsOnError File",
    "ContainerPort.protocol": "SCTP TCP UDP",
    "ContainerStatus.stopSignal": _SIGNALS,
    "EndpointPort.protocol": "SCTP TCP UDP",
    "EphemeralContainer.imagePullPolicy": "Always IfNotPresent Never",
    "EphemeralContainer.terminationMessagePolicy": "FallbackToLogsOnError File",
    "HTTPGetAction.scheme": "HTTP HTTPS",
    "ImageVolumeSource.pullPolicy": "Always IfNotPresent Never",
    "Lifecycle.stopSignal": _SIGNALS,
    "ModifyVolumeStatus.status": "InProgress Infeasible Pending",
    "NamespaceStatus.phase": "Active Terminating",
    "NodeSelectorRequirement.operator": "DoesNotExist Exists Gt In Lt NotIn",
    "NodeStatus.phase": "Pending Running Terminated",
    "PersistentVolumeClaimSpec.volumeMode": "Block Filesystem",
    "PersistentVolumeClaimStatus.phase": "Bound Lost Pending",
    "PersistentVolumeSpec.persistentVolumeReclaimPolicy": "Delete Recycle Retain",
    "PersistentVolumeSpec.volumeMode": "Block Filesystem",
    "PersistentVolumeStatus.phase": "Available Bound Failed Pending Released",
    "PodSecurityContext.fsGroupChangePolicy": "Always OnRootMismatch",
    "PodSecurityContext.supplementalGroupsPolicy": "Merge Strict",
    "PodSpec.dnsPolicy": "ClusterFirst ClusterFirstWithHostNet Default None",
    "PodSpec.preemptionPolicy": _PREEMPTION,
    "PodSpec.restartPolicy": "Always Never OnFailure",
    "PodStatus.phase": "Failed Pending Running Succeeded Unknown",
    "PodStatus.qosClass": "BestEffort Burstable Guaranteed",
    "ScopedResourceSelectorRequirement.operator": "DoesNotExist Exists In NotIn",
    "ScopedResourceSelectorRequirement.scopeName": _SCOPES,
    "SeccompProfile.type": _PROFILES,
    "SecurityContext.procMount": "Default Unmasked",
    "ServicePort.protocol": "SCTP TCP UDP",
    "ServiceSpec.externalTrafficPolicy": "Cluster Local",
    "ServiceSpec.internalTrafficPolicy": "Cluster Local",
    "ServiceSpec.ipFamilyPolicy": "PreferDualStack RequireDualStack SingleStack",
    "ServiceSpec.sessionAffinity": "ClientIP None",
    "ServiceSpec.type": "ClusterIP ExternalName LoadBalancer NodePort",
    "Taint.effect": _EFFECTS,
    "Toleration.effect": _EFFECTS,
    "TopologySpreadConstraint.nodeAffinityPolicy": "Honor Ignore",
    "TopologySpreadConstraint.nodeTaintsPolicy": "Honor Ignore",
    "TopologySpreadConstraint.whenUnsatisfiable": "DoNotSchedule ScheduleAnyway",
    "VolumeMount.mountPropagation": "Bidirectional HostToContainer None",
}
_OTHERS: Mapping[str, str] = {
    "apps.v1.DaemonSetUpdateStrategy.type": "OnDelete RollingUpdate",
    "apps.v1.DeploymentStrategy.type": "Recreate RollingUpdate",
    "apps.v1.StatefulSetSpec.podManagementPolicy": "OrderedReady Parallel",
    "apps.v1.StatefulSetUpdateStrategy.type": "OnDelete RollingUpdate",
    "batch.v1.CronJobSpec.concurrencyPolicy": "Allow Forbid Replace",
    "batch.v1.JobSpec.completionMode": "Indexed NonIndexed",
    "batch.v1.JobSpec.podReplacementPolicy": "Failed TerminatingOrFailed",
    "batch.v1.PodFailurePolicyOnExitCodesRequirement.operator": "In NotIn",
    "batch.v1.PodFailurePolicyRule.action": "Count FailIndex FailJob Ignore",
    "discovery.v1.EndpointSlice.addressType": "FQDN IPv4 IPv6",
    "networking.v1.HTTPIngressPath.pathType": "Exact ImplementationSpecific Prefix",
    "networking.v1.NetworkPolicyPort.protocol": "SCTP TCP UDP",
    "scheduling.v1.PriorityClass.preemptionPolicy": _PREEMPTION,
    "storage.v1.StorageClass.volumeBindingMode": "Immediate WaitForFirstConsumer",
}
#: The one whose values have an empty one among them.
_HOST_PATH = "io.k8s.api.core.v1.HostPathVolumeSource", "type"
_HOST_PATH_TYPES = [
    "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate",
    "Socket",
]  # fmt: skip


def _fields() -> dict[str, dict[str, list[str]]]:
    """Return the values by definition and field."""
    found: dict[str, dict[str, list[str]]] = {_HOST_PATH[0]: {_HOST_PATH[1]: _HOST_PATH_TYPES}}
    for name, values in (*((f"core.v1.{n}", v) for n, v in _CORE.items()), *_OTHERS.items()):
        definition, _, field = name.rpartition(".")
        found.setdefault(f"io.k8s.api.{definition}", {})[field] = values.split()
    return found


def with_values(definitions: Mapping[str, Schema]) -> Mapping[str, Schema]:
    """Return *definitions* with what their fields may be, in the prose, too, where there is any."""
    changed = dict(definitions)
    for name, fields in _fields().items():
        schema = definitions[name]
        described = {
            field: _listing(schema["properties"][field], values) for field, values in fields.items()
        }
        changed[name] = {**schema, "properties": {**schema["properties"], **described}}
    return changed


def _listing(field: Schema, values: list[str]) -> Schema:
    listed = {**field, "enum": values}
    if text := field.get("description"):
        lines = "".join(f'\n - `"{value}"`' for value in values)
        listed["description"] = f"{text}\n\nPossible enum values:{lines}"
    return listed
