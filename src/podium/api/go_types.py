"""Names of Go's types for fields whose type is not evident: decoding errors quote them.

``<struct>.<JSON field>`` to the type as Go prints it. Plain strings, numbers, structs, lists and
maps need no entry.
"""

_NAMED = {
    "types.UID": "ObjectMeta.uid OwnerReference.uid Preconditions.uid StatusDetails.uid "
    "ObjectReference.uid BoundObjectReference.uid ConfigMapNodeConfigSource.uid",
    "v1.AzureDataDiskCachingMode": "AzureDiskVolumeSource.cachingMode",
    "v1.AzureDataDiskKind": "AzureDiskVolumeSource.kind",
    "v1.Capability": "",
    "v1.CauseType": "StatusCause.reason",
    "v1.ComponentConditionType": "ComponentCondition.type",
    "v1.ConditionStatus": "Condition.status ComponentCondition.status NodeCondition.status "
    "PodCondition.status NamespaceCondition.status ReplicationControllerCondition.status "
    "PersistentVolumeClaimCondition.status",
    "v1.ContainerRestartPolicy": "Container.restartPolicy EphemeralContainer.restartPolicy",
    "v1.CoordinatedLeaseStrategy": "LeaseSpec.strategy",
    "v1.DNSPolicy": "PodSpec.dnsPolicy",
    "v1.DeletionPropagation": "DeleteOptions.propagationPolicy",
    "v1.HostPathType": "HostPathVolumeSource.type",
    "v1.IPFamilyPolicy": "ServiceSpec.ipFamilyPolicy",
    "v1.LabelSelectorOperator": "LabelSelectorRequirement.operator",
    "v1.LimitType": "LimitRangeItem.type",
    "v1.LoadBalancerIPMode": "LoadBalancerIngress.ipMode",
    "v1.ManagedFieldsOperationType": "ManagedFieldsEntry.operation",
    "v1.MountPropagationMode": "VolumeMount.mountPropagation",
    "v1.NamespaceConditionType": "NamespaceCondition.type",
    "v1.NamespacePhase": "NamespaceStatus.phase",
    "v1.NodeAddressType": "NodeAddress.type",
    "v1.NodeConditionType": "NodeCondition.type",
    "v1.NodeInclusionPolicy": "TopologySpreadConstraint.nodeAffinityPolicy "
    "TopologySpreadConstraint.nodeTaintsPolicy",
    "v1.NodePhase": "NodeStatus.phase",
    "v1.NodeSelectorOperator": "NodeSelectorRequirement.operator",
    "v1.OSName": "PodOS.name",
    "v1.PersistentVolumeClaimPhase": "PersistentVolumeClaimStatus.phase",
    "v1.PersistentVolumeMode": "PersistentVolumeSpec.volumeMode "
    "PersistentVolumeClaimSpec.volumeMode",
    "v1.PersistentVolumePhase": "PersistentVolumeStatus.phase",
    "v1.PersistentVolumeReclaimPolicy": "PersistentVolumeSpec.persistentVolumeReclaimPolicy",
    "v1.PodConditionType": "PodCondition.type PodReadinessGate.conditionType",
    "v1.PodFSGroupChangePolicy": "PodSecurityContext.fsGroupChangePolicy",
    "v1.PodPhase": "PodStatus.phase",
    "v1.PodQOSClass": "PodStatus.qosClass",
    "v1.PreemptionPolicy": "PodSpec.preemptionPolicy",
    "v1.ProcMountType": "SecurityContext.procMount",
    "v1.Protocol": "ContainerPort.protocol ServicePort.protocol EndpointPort.protocol "
    "PortStatus.protocol",
    "v1.PullPolicy": "Container.imagePullPolicy EphemeralContainer.imagePullPolicy "
    "ImageVolumeSource.pullPolicy",
    "v1.RecursiveReadOnlyMode": "VolumeMount.recursiveReadOnly VolumeMountStatus.recursiveReadOnly",
    "v1.ResourceList": "ResourceRequirements.limits ResourceRequirements.requests "
    "VolumeResourceRequirements.limits VolumeResourceRequirements.requests PodSpec.overhead "
    "NodeStatus.capacity NodeStatus.allocatable ContainerStatus.allocatedResources "
    "ResourceQuotaSpec.hard ResourceQuotaStatus.hard ResourceQuotaStatus.used "
    "LimitRangeItem.default LimitRangeItem.defaultRequest LimitRangeItem.max LimitRangeItem.min "
    "LimitRangeItem.maxLimitRequestRatio PersistentVolumeSpec.capacity "
    "PersistentVolumeClaimStatus.capacity PersistentVolumeClaimStatus.allocatedResources",
    "v1.ResourceName": "ContainerResizePolicy.resourceName ResourceStatus.name",
    "v1.ResourceResizeRestartPolicy": "ContainerResizePolicy.restartPolicy",
    "v1.RestartPolicy": "PodSpec.restartPolicy",
    "v1.ScopeSelectorOperator": "ScopedResourceSelectorRequirement.operator",
    "v1.SeccompProfileType": "SeccompProfile.type",
    "v1.AppArmorProfileType": "AppArmorProfile.type",
    "v1.SecretType": "Secret.type",
    "v1.ServiceAffinity": "ServiceSpec.sessionAffinity",
    "v1.ServiceExternalTrafficPolicy": "ServiceSpec.externalTrafficPolicy",
    "v1.ServiceInternalTrafficPolicy": "ServiceSpec.internalTrafficPolicy",
    "v1.ServiceType": "ServiceSpec.type",
    "v1.Signal": "Lifecycle.stopSignal ContainerStatus.stopSignal",
    "v1.StatusReason": "Status.reason",
    "v1.StorageMedium": "EmptyDirVolumeSource.medium",
    "v1.SupplementalGroupsPolicy": "PodSecurityContext.supplementalGroupsPolicy",
    "v1.PodSELinuxChangePolicy": "PodSecurityContext.seLinuxChangePolicy",
    "v1.TaintEffect": "Taint.effect Toleration.effect",
    "v1.TerminationMessagePolicy": "Container.terminationMessagePolicy "
    "EphemeralContainer.terminationMessagePolicy",
    "v1.TolerationOperator": "Toleration.operator",
    "v1.URIScheme": "HTTPGetAction.scheme",
    "v1.UniqueVolumeName": "AttachedVolume.name",
    "v1.UnsatisfiableConstraintAction": "TopologySpreadConstraint.whenUnsatisfiable",
    "[]v1.Capability": "Capabilities.add Capabilities.drop",
    "[]v1.FinalizerName": "NamespaceSpec.finalizers",
    "[]v1.IPFamily": "ServiceSpec.ipFamilies",
    "[]v1.PersistentVolumeAccessMode": "PersistentVolumeSpec.accessModes "
    "PersistentVolumeClaimSpec.accessModes PersistentVolumeClaimStatus.accessModes",
    "[]v1.ResourceQuotaScope": "ResourceQuotaSpec.scopes",
    "[]v1.UniqueVolumeName": "NodeStatus.volumesInUse",
    "v1.ResourceQuotaScope": "ScopedResourceSelectorRequirement.scopeName",
    "v1.ReplicationControllerConditionType": "ReplicationControllerCondition.type",
    "v1.PersistentVolumeClaimConditionType": "PersistentVolumeClaimCondition.type",
}

GO_TYPES = {field: go for go, fields in _NAMED.items() for field in fields.split()}
