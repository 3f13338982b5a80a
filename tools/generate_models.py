#!/usr/bin/env python3
"""Generate ``podium.api.types`` from the published OpenAPI definitions of Kubernetes.

    .venv/bin/python tools/generate_models.py

The definitions come from the PyPI package ``kubernetes-validate``. Two things are written for each
group/version listed in ``MODULES``: a module of ``msgspec.Struct`` types, and a JSON file beside it
with the definitions themselves, stripped of their prose, for what needs the schema at run time
(strict decoding, strategic merge patches, ``/openapi``).

OpenAPI does not say which fields are pointers in Go, that is, for which of them an explicit zero
is kept apart from "not set", nor which structs are embedded by value and therefore always
written. ``GO_POINTERS`` and ``GO_VALUES`` say so.
"""

from __future__ import annotations

import json
import keyword
import re
from importlib.metadata import files
from pathlib import Path
from typing import Any

KUBERNETES = "1.37.0"
OUT = Path(__file__).resolve().parent.parent / "src/podium/api/types"

#: module name -> prefix of its definitions. Order matters: a module may only refer to earlier ones.
MODULES = {
    "meta_v1": "io.k8s.apimachinery.pkg.apis.meta.v1.",
    "core_v1": "io.k8s.api.core.v1.",
    "coordination_v1": "io.k8s.api.coordination.v1.",
    "authentication_v1": "io.k8s.api.authentication.v1.",
    "authorization_v1": "io.k8s.api.authorization.v1.",
    "rbac_v1": "io.k8s.api.rbac.v1.",
    "apps_v1": "io.k8s.api.apps.v1.",
    "autoscaling_v1": "io.k8s.api.autoscaling.v1.",
    "autoscaling_v2": "io.k8s.api.autoscaling.v2.",
    "scheduling_v1alpha3": "io.k8s.api.scheduling.v1alpha3.",  # Jobs refer to it
    "batch_v1": "io.k8s.api.batch.v1.",
    "discovery_v1": "io.k8s.api.discovery.v1.",
    "events_v1": "io.k8s.api.events.v1.",
    "networking_v1": "io.k8s.api.networking.v1.",
    "node_v1": "io.k8s.api.node.v1.",
    "policy_v1": "io.k8s.api.policy.v1.",
    "scheduling_v1": "io.k8s.api.scheduling.v1.",
    "storage_v1": "io.k8s.api.storage.v1.",
}

#: Definitions with a type of their own in Python.
SCALARS = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "Quantity",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "IntOrString",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "Time",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "MicroTime",
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": "RawObject",
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "RawObject",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Patch": "RawObject",
}

#: OpenAPI formats with a type of their own in Python.
FORMATS = {"int32": "Int32", "int64": "Int64", "byte": "Base64"}

#: Scalar fields that are pointers in Go: their zero value means something, and is written.
GO_POINTERS = set(
    """
    ObjectMeta.deletionGracePeriodSeconds OwnerReference.controller
    OwnerReference.blockOwnerDeletion ListMeta.remainingItemCount
    Preconditions.uid Preconditions.resourceVersion
    DeleteOptions.gracePeriodSeconds DeleteOptions.orphanDependents
    DeleteOptions.propagationPolicy DeleteOptions.ignoreStoreReadErrorWithClusterBreakingPotential
    AppArmorProfile.localhostProfile AzureDiskVolumeSource.cachingMode
    AzureDiskVolumeSource.fsType AzureDiskVolumeSource.kind AzureDiskVolumeSource.readOnly
    AzureFilePersistentVolumeSource.secretNamespace
    CSIVolumeSource.fsType CSIVolumeSource.readOnly ClientIPConfig.timeoutSeconds
    ClusterTrustBundleProjection.name ClusterTrustBundleProjection.optional
    ClusterTrustBundleProjection.signerName ClusterTrustBundleProjection.user
    ConfigMap.immutable ConfigMapEnvSource.optional ConfigMapKeySelector.optional
    ConfigMapProjection.optional ConfigMapVolumeSource.defaultMode
    ConfigMapVolumeSource.defaultUser ConfigMapVolumeSource.optional
    Container.restartPolicy ContainerStatus.started ContainerStatus.stopSignal
    DownwardAPIVolumeFile.mode DownwardAPIVolumeFile.user DownwardAPIVolumeSource.defaultMode
    DownwardAPIVolumeSource.defaultUser EmptyDirVolumeSource.mode EndpointAddress.nodeName
    EndpointPort.appProtocol EphemeralContainer.restartPolicy FCVolumeSource.lun
    FileKeySelector.optional GRPCAction.service GlusterfsPersistentVolumeSource.endpointsNamespace
    HostPathVolumeSource.type ISCSIPersistentVolumeSource.initiatorName
    ISCSIVolumeSource.initiatorName KeyToPath.mode KeyToPath.user Lifecycle.stopSignal
    LoadBalancerIngress.ipMode NodeFeatures.supplementalGroupsPolicy
    NodeRuntimeHandlerFeatures.recursiveReadOnlyMounts NodeRuntimeHandlerFeatures.userNamespaces
    NodeSwapStatus.capacity PersistentVolumeClaimSpec.storageClassName
    PersistentVolumeClaimSpec.volumeAttributesClassName PersistentVolumeClaimSpec.volumeMode
    PersistentVolumeClaimStatus.currentVolumeAttributesClassName
    PersistentVolumeSpec.volumeAttributesClassName PersistentVolumeSpec.volumeMode
    PodCertificateProjection.maxExpirationSeconds PodCertificateProjection.user
    PodDNSConfigOption.value PodResourceClaim.resourceClaimName
    PodResourceClaim.resourceClaimTemplateName PodResourceClaimStatus.resourceClaimName
    PodSecurityContext.fsGroup PodSecurityContext.fsGroupChangePolicy
    PodSecurityContext.runAsGroup PodSecurityContext.runAsNonRoot PodSecurityContext.runAsUser
    PodSecurityContext.seLinuxChangePolicy PodSecurityContext.supplementalGroupsPolicy
    PodSpec.activeDeadlineSeconds PodSpec.automountServiceAccountToken PodSpec.enableServiceLinks
    PodSpec.hostUsers PodSpec.hostnameOverride PodSpec.preemptionPolicy PodSpec.priority
    PodSpec.runtimeClassName PodSpec.setHostnameAsFQDN PodSpec.shareProcessNamespace
    PodSpec.terminationGracePeriodSeconds PortStatus.error Probe.terminationGracePeriodSeconds
    ProjectedVolumeSource.defaultMode ProjectedVolumeSource.defaultUser
    ReplicationControllerSpec.replicas ResourceClaim.request SeccompProfile.localhostProfile
    Secret.immutable SecretEnvSource.optional SecretKeySelector.optional SecretProjection.optional
    SecretVolumeSource.defaultMode SecretVolumeSource.defaultUser SecretVolumeSource.optional
    SecurityContext.allowPrivilegeEscalation SecurityContext.privileged SecurityContext.procMount
    SecurityContext.readOnlyRootFilesystem SecurityContext.runAsGroup SecurityContext.runAsNonRoot
    SecurityContext.runAsUser ServiceAccount.automountServiceAccountToken
    ServiceAccountTokenProjection.expirationSeconds ServiceAccountTokenProjection.user
    ServicePort.appProtocol ServiceSpec.allocateLoadBalancerNodePorts
    ServiceSpec.internalTrafficPolicy ServiceSpec.ipFamilyPolicy ServiceSpec.loadBalancerClass
    ServiceSpec.trafficDistribution StorageOSPersistentVolumeSource.secretRef
    Toleration.tolerationSeconds TopologySpreadConstraint.minDomains
    TopologySpreadConstraint.nodeAffinityPolicy TopologySpreadConstraint.nodeTaintsPolicy
    TypedLocalObjectReference.apiGroup TypedObjectReference.apiGroup TypedObjectReference.namespace
    VolumeMount.mountPropagation VolumeMount.recursiveReadOnly VolumeMountStatus.recursiveReadOnly
    WindowsSecurityContextOptions.gmsaCredentialSpec
    WindowsSecurityContextOptions.gmsaCredentialSpecName WindowsSecurityContextOptions.hostProcess
    WindowsSecurityContextOptions.runAsUserName
    LeaseSpec.acquireTime LeaseSpec.holderIdentity LeaseSpec.leaseDurationSeconds
    LeaseSpec.leaseTransitions LeaseSpec.preferredHolder LeaseSpec.renewTime LeaseSpec.strategy
    TokenRequestSpec.expirationSeconds
    CSIDriverSpec.attachRequired CSIDriverSpec.fsGroupPolicy
    CSIDriverSpec.nodeAllocatableUpdatePeriodSeconds CSIDriverSpec.podInfoOnMount
    CSIDriverSpec.preventPodSchedulingIfMissing CSIDriverSpec.requiresRepublish
    CSIDriverSpec.seLinuxMount CSIDriverSpec.serviceAccountTokenInSecrets
    CSIDriverSpec.storageCapacity CronJobSpec.failedJobsHistoryLimit
    CronJobSpec.startingDeadlineSeconds CronJobSpec.successfulJobsHistoryLimit CronJobSpec.suspend
    CronJobSpec.timeZone DaemonSetSpec.revisionHistoryLimit DaemonSetStatus.collisionCount
    DeploymentSpec.progressDeadlineSeconds DeploymentSpec.replicas
    DeploymentSpec.revisionHistoryLimit DeploymentStatus.collisionCount
    DeploymentStatus.terminatingReplicas Endpoint.hostname Endpoint.nodeName Endpoint.zone
    EndpointConditions.ready EndpointConditions.serving EndpointConditions.terminating
    HPAScalingRules.selectPolicy HPAScalingRules.stabilizationWindowSeconds
    HorizontalPodAutoscalerSpec.minReplicas
    HorizontalPodAutoscalerSpec.targetCPUUtilizationPercentage
    HorizontalPodAutoscalerStatus.currentCPUUtilizationPercentage
    HorizontalPodAutoscalerStatus.observedGeneration IngressClassParametersReference.apiGroup
    IngressClassParametersReference.namespace IngressClassParametersReference.scope
    IngressPortStatus.error IngressSpec.ingressClassName JobSpec.activeDeadlineSeconds
    JobSpec.backoffLimit JobSpec.backoffLimitPerIndex JobSpec.completionMode JobSpec.completions
    JobSpec.managedBy JobSpec.manualSelector JobSpec.maxFailedIndexes JobSpec.parallelism
    JobSpec.podReplacementPolicy JobSpec.suspend JobSpec.ttlSecondsAfterFinished
    JobStatus.failedIndexes JobStatus.ready JobStatus.terminating MetricTarget.averageUtilization
    MetricValueStatus.averageUtilization NetworkPolicyPort.endPort NetworkPolicyPort.protocol
    PodDisruptionBudgetSpec.unhealthyPodEvictionPolicy
    PodFailurePolicyOnExitCodesRequirement.containerName PriorityClass.preemptionPolicy
    ReplicaSetSpec.replicas ReplicaSetStatus.terminatingReplicas
    RollingUpdateStatefulSetStrategy.partition StatefulSetSpec.replicas
    StatefulSetSpec.revisionHistoryLimit StatefulSetStatus.collisionCount
    StorageClass.allowVolumeExpansion StorageClass.reclaimPolicy StorageClass.volumeBindingMode
    SuccessPolicyRule.succeededCount SuccessPolicyRule.succeededIndexes
    TokenRequest.expirationSeconds VolumeAttachmentSource.persistentVolumeName
    VolumeError.errorCode VolumeNodeResources.count
    discovery_v1.EndpointPort.name discovery_v1.EndpointPort.port
    discovery_v1.EndpointPort.protocol
    """.split()
)

#: Scalars and lists that Go writes also when they are empty, though the schema requires none.
GO_ALWAYS = set(
    """
    ControllerRevision.revision
    PodDisruptionBudgetStatus.currentHealthy
    PodDisruptionBudgetStatus.desiredHealthy PodDisruptionBudgetStatus.disruptionsAllowed
    PodDisruptionBudgetStatus.expectedPods PriorityClass.value StatefulSetStatus.availableReplicas
    """.split()
)

#: Struct fields that Go embeds by value: always written, ``{}`` when empty. ``metadata``, ``spec``
#: and ``status`` of every kind and all required structs are by value without being listed.
GO_VALUES = set(
    """
    Container.resources ContainerStatus.lastState ContainerStatus.state
    EphemeralContainer.resources Event.source NodeDaemonEndpoints.kubeletEndpoint
    NodeStatus.daemonEndpoints NodeStatus.nodeInfo PersistentVolumeClaimSpec.resources
    PersistentVolumeClaimTemplate.metadata PodTemplateSpec.metadata PodTemplateSpec.spec
    DaemonSetSpec.updateStrategy DeploymentSpec.strategy Endpoint.conditions
    Event.deprecatedSource Event.regarding IngressServiceBackend.port IngressStatus.loadBalancer
    JobTemplateSpec.metadata JobTemplateSpec.spec NetworkPolicySpec.podSelector
    PodTemplate.template ReplicaSetSpec.template StatefulSetSpec.updateStrategy
    SelfSubjectReviewStatus.userInfo ServiceStatus.loadBalancer TokenReviewStatus.user
    """.split()
)

#: Fields that Go writes as ``null`` when they are not set: times embedded by value, and pointers
#: and lists without ``omitempty``.
GO_NULLS = set(
    """
    Condition.lastTransitionTime ContainerStateRunning.startedAt
    ContainerStateTerminated.finishedAt ContainerStateTerminated.startedAt Event.eventTime
    Event.firstTimestamp Event.lastTimestamp EventSeries.lastObservedTime
    ClusterRole.rules Role.rules CSINodeSpec.drivers EndpointSlice.endpoints EndpointSlice.ports
    LimitRangeSpec.limits
    NamespaceCondition.lastTransitionTime NodeCondition.lastHeartbeatTime
    NodeCondition.lastTransitionTime PersistentVolumeClaimCondition.lastProbeTime
    PersistentVolumeClaimCondition.lastTransitionTime PodCondition.lastProbeTime
    PodCondition.lastTransitionTime ReplicationControllerCondition.lastTransitionTime
    DaemonSetCondition.lastTransitionTime DeploymentCondition.lastTransitionTime
    DeploymentCondition.lastUpdateTime Event.deprecatedFirstTimestamp
    Event.deprecatedLastTimestamp HorizontalPodAutoscalerCondition.lastTransitionTime
    HorizontalPodAutoscalerStatus.currentMetrics
    JobCondition.lastProbeTime JobCondition.lastTransitionTime
    ReplicaSetCondition.lastTransitionTime StatefulSetCondition.lastTransitionTime
    VolumeError.time
    DaemonSetSpec.selector DeploymentSpec.selector ReplicaSetSpec.selector StatefulSetSpec.selector
    TokenRequestSpec.boundObjectRef TokenRequestStatus.expirationTimestamp
    TypedLocalObjectReference.apiGroup TypedObjectReference.apiGroup
    """.split()
)

#: Structs that the schema requires and Go leaves out when they are not set.
GO_OMITTED = {"IPAddressSpec.parentRef"}

#: Quantities embedded by value: zero is written.
GO_ZERO_QUANTITIES = {"ResourceFieldSelector.divisor"}


def main() -> None:
    definitions = load_definitions()
    owner = {
        name: module
        for module, prefix in MODULES.items()
        for name in definitions
        if name.startswith(prefix) and "." not in name.removeprefix(prefix)
    }
    for module in MODULES:
        mine = {n: definitions[n] for n in sorted(owner) if owner[n] == module}
        used = {SCALARS[n] for n in mine if n in SCALARS}
        structs = {n: d for n, d in mine.items() if n not in SCALARS}
        (OUT / f"{module}.py").write_text(render_module(module, structs, owner, used))
        (OUT / f"{module}.json").write_text(
            json.dumps({n: without_prose(d) for n, d in mine.items()}, separators=(",", ":")) + "\n"
        )


def load_definitions() -> dict[str, Any]:
    wanted = f"v{KUBERNETES}-local/_definitions.json"
    for file in files("kubernetes-validate") or []:
        if str(file).endswith(wanted):
            loaded: dict[str, Any] = json.loads(Path(str(file.locate())).read_text())["$defs"]
            return loaded
    raise SystemExit(f"kubernetes-validate {KUBERNETES} is not installed (see the dev extra)")


def without_prose(schema: Any, *, names: bool = False) -> Any:
    """Return *schema* as Kubernetes publishes it, without descriptions.

    The package marks optional fields as nullable (``["string", "null"]``); upstream does not.
    *names* says that the keys of *schema* are field names, not keywords.
    """
    if isinstance(schema, list):
        return [without_prose(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    out: dict[str, Any] = {}
    for key, value in schema.items():
        if names:
            out[key] = without_prose(value)
        elif key == "type" and isinstance(value, list):
            out[key] = value[0]
        elif key == "$ref":
            out[key] = "#/definitions/" + value.rsplit("/", 1)[-1]
        elif key == "enum" and schema.get("type") == ["string", "null"]:
            out[key] = [item for item in value if item is not None]
        elif key != "description":
            out[key] = without_prose(value, names=key == "properties")
    return out


def render_module(
    module: str, structs: dict[str, Any], owner: dict[str, str], used: set[str]
) -> str:
    imports: dict[str, set[str]] = {}
    classes = [
        render_struct(name, structs[name], module, owner, used, imports)
        for name in in_order(structs)
    ]
    lines = [
        "# Generated by tools/generate_models.py from the OpenAPI definitions of Kubernetes "
        f"{KUBERNETES}; do not edit.",
        f'"""Types of {module.replace("_", "/")}."""',
        "",
        "from msgspec import Struct, field",
        "",
        *(
            f"from podium.api.types.{other} import {', '.join(sorted(names))}"
            for other, names in sorted(imports.items())
        ),
        "from podium.api.types.scalars import "
        + ", ".join(sorted(used | {"required_list", "unset"})),
        "",
    ]
    return "\n".join(lines) + "\n" + "\n\n".join(classes) + "\n"


def in_order(structs: dict[str, Any]) -> list[str]:
    """Return the names with each struct behind those it refers to; cycles refer by string."""
    done: list[str] = []
    seen: set[str] = set()

    def visit(name: str) -> None:
        if name in seen or name not in structs:
            return
        seen.add(name)
        for ref in re.findall(r'/([\w.-]+)"', json.dumps(structs[name])):
            visit(ref)
        done.append(name)

    for name in structs:
        visit(name)
    return done


def render_struct(
    name: str,
    schema: dict[str, Any],
    module: str,
    owner: dict[str, str],
    used: set[str],
    imports: dict[str, set[str]],
) -> str:
    short = short_name(name)
    required = set(schema.get("required", []))
    is_kind = "x-kubernetes-group-version-kind" in schema
    gvks = schema.get("x-kubernetes-group-version-kind", [])
    properties = schema.get("properties", {})
    ordered = sorted(
        properties,
        key=lambda p: (
            (("apiVersion", "kind", "metadata").index(p), "")
            if p in ("apiVersion", "kind", "metadata")
            else (3, p)
        ),
    )
    rename: dict[str, str] = {}
    body: list[str] = []
    for prop in ordered:
        attr = snake(prop)
        if attr != prop:
            rename[attr] = prop
        kind, target = python_type(properties[prop], module, owner, used, imports)
        if kind in ("list", "dict") and re.search(rf"\b{short}\b", target):
            target = f'"{target}"'  # it holds others of its kind
        qualified = f"{short}.{prop}"
        if prop in ("apiVersion", "kind") and len(gvks) == 1:
            value = (
                gvks[0]["kind"]
                if prop == "kind"
                else "/".join(filter(None, (gvks[0]["group"], gvks[0]["version"])))
            )
            # A default that msgspec does not leave out: an object always says what it is.
            body.append(f'{attr}: str = field(default_factory=lambda: "{value}")')
        elif qualified in GO_NULLS:
            body.append(f"{attr}: {quoted(target)} = field(default_factory=unset)")
        elif qualified in GO_ZERO_QUANTITIES:
            body.append(f'{attr}: {target} | None = field(default_factory=lambda: "0")')
        elif kind == "list" and (prop in required or qualified in GO_ALWAYS):
            body.append(f"{attr}: {target} = field(default_factory=required_list)")
        elif kind in ("list", "dict"):
            body.append(f"{attr}: {target} = field(default_factory={kind})")
        elif kind == "struct":
            by_value = qualified not in GO_OMITTED and (
                prop in required
                or qualified in GO_VALUES
                or (is_kind and prop in ("metadata", "spec", "status"))
            )
            if by_value:
                body.append(f"{attr}: {target} = field(default_factory=lambda: {target}())")
            else:
                body.append(f"{attr}: {quoted(target)} = None")
        elif kind in ("str", "int", "bool", "float") and (
            prop in required or qualified in GO_ALWAYS
        ):
            body.append(f"{attr}: {target} = field(default_factory={kind})")
        elif kind in ("str", "int", "bool", "float") and not (
            {qualified, f"{module}.{qualified}"} & GO_POINTERS
        ):
            body.append(f"{attr}: {target} = {ZERO[kind]}")
        else:
            body.append(f"{attr}: {target} | None = None")
    if not body:
        body.append("pass")
    options = "kw_only=True, omit_defaults=True, forbid_unknown_fields=True"
    if rename:
        options += f", rename={rename!r}".replace("'", '"')
    return f"class {short}(Struct, {options}):\n    " + "\n    ".join(body) + "\n"


ZERO = {"str": '""', "int": "0", "bool": "False", "float": "0.0"}


def quoted(target: str) -> str:
    return f'"{target} | None"'


def python_type(
    schema: dict[str, Any],
    module: str,
    owner: dict[str, str],
    used: set[str],
    imports: dict[str, set[str]],
) -> tuple[str, str]:
    """Return (what sort of type it is, its annotation)."""
    if "$ref" in schema:
        ref = schema["$ref"].rsplit("/", 1)[-1]
        if ref in SCALARS:
            used.add(SCALARS[ref])
            return "scalar", SCALARS[ref]
        if ref not in owner:
            used.add("RawObject")
            return "scalar", "RawObject"
        if owner[ref] != module:
            imports.setdefault(owner[ref], set()).add(short_name(ref))
        return "struct", short_name(ref)
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "array":
        _, item = python_type(schema["items"], module, owner, used, imports)
        return "list", f"list[{item}]"
    if kind == "object":
        if "additionalProperties" in schema:
            _, item = python_type(schema["additionalProperties"], module, owner, used, imports)
            return "dict", f"dict[str, {item}]"
        used.add("RawObject")
        return "scalar", "RawObject"
    scalar = {"string": "str", "integer": "int", "boolean": "bool", "number": "float"}[kind]
    special = FORMATS.get(schema.get("format", ""))
    if special:
        used.add(special)
    return scalar, special or scalar


def short_name(definition: str) -> str:
    return definition.rsplit(".", 1)[-1]


def snake(name: str) -> str:
    """``podIPs`` -> ``pod_ips``, ``setHostnameAsFQDN`` -> ``set_hostname_as_fqdn``."""
    name = re.sub(r"([A-Z]{2,})s(?=[A-Z]|$)", lambda m: m[1].capitalize() + "s", name)
    name = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    name = name.lower().replace("$", "").replace("-", "_")
    return f"{name}_" if keyword.iskeyword(name) else name


if __name__ == "__main__":
    main()
