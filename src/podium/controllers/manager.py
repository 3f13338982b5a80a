"""Runs all controllers, each as the service account that its role is bound to.

What they read comes through one set of informers, which the controller manager's own identity may
fill; what a controller writes, and asks about besides, it does as itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from podium.api import scheme
from podium.api.types.coordination_v1 import Lease
from podium.api.types.core_v1 import (
    ConfigMap,
    Endpoints,
    Namespace,
    Node,
    PersistentVolume,
    PersistentVolumeClaim,
    Pod,
    ResourceQuota,
    Service,
    ServiceAccount,
)
from podium.api.types.discovery_v1 import EndpointSlice
from podium.api.types.policy_v1 import PodDisruptionBudget
from podium.api.types.rbac_v1 import ClusterRole
from podium.client.accounts import ServiceAccountClients
from podium.client.client import Client
from podium.client.events import EventRecorder
from podium.client.informer import Informer
from podium.client.leader_election import Election, LeaderElector
from podium.controllers import root_ca, service_accounts
from podium.controllers.cluster_role_aggregation import ClusterRoleAggregationController
from podium.controllers.disruption import DisruptionController
from podium.controllers.endpoint_slices import BY_SERVICE, EndpointSliceController, service_of
from podium.controllers.endpoints import EndpointsController
from podium.controllers.garbage_collector import GarbageCollector
from podium.controllers.namespaces import NamespaceController
from podium.controllers.node_lifecycle import BY_NODE, GracePeriods, NodeLifecycleController
from podium.controllers.options import ControllerOptions
from podium.controllers.pod_gc import PodGarbageCollector
from podium.controllers.resource_quota import ResourceQuotaController
from podium.controllers.root_ca import RootCaPublisher
from podium.controllers.service_accounts import ServiceAccountController
from podium.controllers.storage_protection import StorageProtectionController
from podium.kit.clock import Clock, SystemClock

__all__ = ["ControllerOptions", "Manager", "run"]


async def run(options: ControllerOptions, clock: Clock | None = None) -> None:
    """Run the controllers until cancelled; with *leader_elect*, from when this process leads."""
    clock = clock or SystemClock()
    async with (
        Client(options.client_config, clock) as client,
        ServiceAccountClients(client, "kube-system", clock) as accounts,
    ):
        manager = Manager(client, accounts.client, options, clock)
        if not options.leader_elect:
            await manager.run()
            return
        election = Election("kube-system", "kube-controller-manager", options.candidate())
        await LeaderElector(client, election, clock).run(manager.run)


class Manager:
    """The controllers and what they share. *acting_as* gives the client of a service account."""

    def __init__(
        self,
        client: Client,
        acting_as: Callable[[str], Client],
        options: ControllerOptions,
        clock: Clock,
    ) -> None:
        self._namespaces: Informer[Namespace] = Informer(client, scheme.NAMESPACES, clock=clock)
        self._nodes: Informer[Node] = Informer(client, scheme.NODES, clock=clock)
        self._pods: Informer[Pod] = Informer(client, scheme.PODS, clock=clock)
        self._pods.add_index(BY_NODE, lambda pod: (pod.spec.node_name,))
        self._leases: Informer[Lease] = Informer(
            client, scheme.LEASES, namespace="kube-node-lease", clock=clock
        )
        self._accounts: Informer[ServiceAccount] = Informer(
            client,
            scheme.SERVICEACCOUNTS,
            field_selector=f"metadata.name={service_accounts.NAME}",
            clock=clock,
        )
        self._config_maps: Informer[ConfigMap] = Informer(
            client,
            scheme.CONFIGMAPS,
            field_selector=f"metadata.name={root_ca.NAME}",
            clock=clock,
        )
        self._roles: Informer[ClusterRole] = Informer(client, scheme.CLUSTERROLES, clock=clock)
        self._budgets: Informer[PodDisruptionBudget] = Informer(
            client, scheme.PODDISRUPTIONBUDGETS, clock=clock
        )
        self._quotas: Informer[ResourceQuota] = Informer(client, scheme.RESOURCEQUOTAS, clock=clock)
        self._claims: Informer[PersistentVolumeClaim] = Informer(
            client, scheme.PERSISTENTVOLUMECLAIMS, clock=clock
        )
        self._volumes: Informer[PersistentVolume] = Informer(
            client, scheme.PERSISTENTVOLUMES, clock=clock
        )
        self._services: Informer[Service] = Informer(client, scheme.SERVICES, clock=clock)
        self._endpoints: Informer[Endpoints] = Informer(client, scheme.ENDPOINTS, clock=clock)
        self._slices: Informer[EndpointSlice] = Informer(client, scheme.ENDPOINTSLICES, clock=clock)
        self._slices.add_index(BY_SERVICE, service_of)
        node_controller = acting_as("node-controller")
        garbage_collector = acting_as("generic-garbage-collector")
        self._recorder = EventRecorder(node_controller, "node-controller", "", clock)
        self._garbage_recorder = EventRecorder(
            garbage_collector, "garbage-collector-controller", "", clock
        )
        self._controllers = (
            ServiceAccountController(
                acting_as("service-account-controller"), self._namespaces, self._accounts, clock
            ),
            RootCaPublisher(
                acting_as("root-ca-cert-publisher"),
                self._namespaces,
                self._config_maps,
                options.ca_file,
                clock,
            ),
            NamespaceController(
                acting_as("namespace-controller"), self._namespaces, self._pods, clock
            ),
            NodeLifecycleController(
                node_controller,
                self._nodes,
                self._leases,
                self._pods,
                self._recorder,
                GracePeriods(options.node_monitor_grace_period, options.node_startup_grace_period),
                clock,
            ),
            PodGarbageCollector(
                acting_as("pod-garbage-collector"),
                self._pods,
                self._nodes,
                options.terminated_pod_threshold,
                clock,
            ),
            GarbageCollector(garbage_collector, client, self._garbage_recorder, clock),
            ClusterRoleAggregationController(
                acting_as("clusterrole-aggregation-controller"), self._roles, clock
            ),
            DisruptionController(
                acting_as("disruption-controller"), self._budgets, self._pods, clock
            ),
            ResourceQuotaController(
                acting_as("resourcequota-controller"), self._quotas, self._pods, self._claims, clock
            ),
            StorageProtectionController(
                acting_as("pvc-protection-controller"),
                acting_as("pv-protection-controller"),
                self._claims,
                self._volumes,
                self._pods,
                clock,
            ),
            EndpointsController(
                acting_as("endpoint-controller"), self._services, self._pods, self._endpoints, clock
            ),
            EndpointSliceController(
                acting_as("endpointslice-controller"),
                self._services,
                self._pods,
                self._nodes,
                self._slices,
                clock,
            ),
        )

    async def run(self) -> None:
        """Start the controllers once all caches are filled."""
        informers = (
            self._namespaces,
            self._nodes,
            self._pods,
            self._leases,
            self._accounts,
            self._config_maps,
            self._roles,
            self._budgets,
            self._quotas,
            self._claims,
            self._volumes,
            self._services,
            self._endpoints,
            self._slices,
        )
        async with asyncio.TaskGroup() as tasks:
            for recorder in (self._recorder, self._garbage_recorder):
                tasks.create_task(recorder.run(), name="events")
            for informer in informers:
                tasks.create_task(informer.run(), name="informer")
            for informer in informers:
                await informer.synced.wait()
            for controller in self._controllers:
                tasks.create_task(controller.run(), name=type(controller).__name__)
