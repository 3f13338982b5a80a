"""The admission plugins, one module each, in the order in which upstream runs them.

What mutates comes before what only validates, and limits come last: see the list of plugins that
are on by default in the reference of kube-apiserver.
"""

from __future__ import annotations

from collections.abc import Sequence

from podium.registry.admission.base import AdmissionPlugin


def default_plugins() -> Sequence[AdmissionPlugin]:
    """Return the plugins that every API server runs, in order."""
    from podium.registry.admission.claim_resize import PersistentVolumeClaimResize
    from podium.registry.admission.default_classes import DefaultIngressClass, DefaultStorageClass
    from podium.registry.admission.default_toleration_seconds import DefaultTolerationSeconds
    from podium.registry.admission.limit_ranger import LimitRanger
    from podium.registry.admission.namespace_lifecycle import NamespaceLifecycle
    from podium.registry.admission.node_restriction import NodeRestriction
    from podium.registry.admission.pod_security import PodSecurity
    from podium.registry.admission.priority import Priority
    from podium.registry.admission.resource_quota import ResourceQuotaAdmission
    from podium.registry.admission.runtime_class import RuntimeClassAdmission
    from podium.registry.admission.service_account import ServiceAccountAdmission
    from podium.registry.admission.storage_protection import StorageProtection
    from podium.registry.admission.taint_nodes import TaintNodesByCondition

    return (
        NamespaceLifecycle(),
        LimitRanger(),
        ServiceAccountAdmission(),
        NodeRestriction(),
        TaintNodesByCondition(),
        PodSecurity(),
        Priority(),
        DefaultTolerationSeconds(),
        DefaultStorageClass(),
        StorageProtection(),
        PersistentVolumeClaimResize(),
        RuntimeClassAdmission(),
        DefaultIngressClass(),
        ResourceQuotaAdmission(),
    )
