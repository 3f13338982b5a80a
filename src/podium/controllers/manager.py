"""Runs all controllers, each as the service account that its role is bound to.

What they read comes through one set of informers, which the controller manager's own identity may
fill; what a controller writes, and asks about besides, it does as itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from podium.api import scheme
from podium.client.accounts import ServiceAccountClients
from podium.client.client import Client
from podium.client.leader_election import Election, LeaderElector, candidate
from podium.controllers import root_ca, service_account_tokens
from podium.controllers.cluster_role_aggregation import ClusterRoleAggregationController
from podium.controllers.disruption import DisruptionController
from podium.controllers.endpoint_slice_mirroring import EndpointSliceMirroringController
from podium.controllers.endpoint_slices import EndpointSliceController
from podium.controllers.endpoints import EndpointsController
from podium.controllers.ephemeral_volumes import EphemeralVolumeController
from podium.controllers.garbage_collector import GarbageCollector
from podium.controllers.local_path import PROVISIONER, LocalPathProvisioner
from podium.controllers.namespaces import NamespaceController
from podium.controllers.node_lifecycle import BY_NODE, GracePeriods, NodeLifecycleController
from podium.controllers.options import ControllerOptions
from podium.controllers.persistent_volumes import PersistentVolumeController
from podium.controllers.pod_gc import PodGarbageCollector
from podium.controllers.resource_quota import ResourceQuotaController
from podium.controllers.root_ca import RootCaPublisher
from podium.controllers.service_account_tokens import TokensController
from podium.controllers.service_accounts import ServiceAccountController
from podium.controllers.service_cidrs import ServiceCidrController
from podium.controllers.shared import Shared
from podium.controllers.slice_writer import BY_SERVICE, service_of
from podium.controllers.storage_protection import StorageProtectionController
from podium.controllers.taint_eviction import TaintEvictionController
from podium.kit.clock import Clock, SystemClock

__all__ = ["ControllerOptions", "Manager", "run"]


class Controller(Protocol):
    async def run(self) -> None:
        """Work until cancelled."""
        ...


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
        election = Election("kube-system", "kube-controller-manager", candidate(options.identity))
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
        self._shared = Shared(client, acting_as, options, clock)
        self._shared.informer(scheme.PODS).add_index(BY_NODE, lambda pod: (pod.spec.node_name,))
        parts = (_namespaces, _accounts, _nodes, _garbage, _policies, _storage, _services)
        self._controllers = [each for part in parts for each in part(self._shared)]

    async def run(self) -> None:
        """Start the controllers once all caches are filled."""
        informers = list(self._shared.informers())
        async with asyncio.TaskGroup() as tasks:
            for recorder in self._shared.recorders:
                tasks.create_task(recorder.run(), name="events")
            for informer in informers:
                tasks.create_task(informer.run(), name="informer")
            for informer in informers:
                await informer.synced.wait()
            for controller in self._controllers:
                tasks.create_task(controller.run(), name=type(controller).__name__)


def _namespaces(shared: Shared) -> Iterator[Controller]:
    namespaces, acting_as = shared.informer(scheme.NAMESPACES), shared.acting_as
    yield ServiceAccountController(
        acting_as("service-account-controller"),
        namespaces,
        shared.informer(scheme.SERVICEACCOUNTS),
        shared.clock,
    )
    selector = f"metadata.name={root_ca.NAME}"
    yield RootCaPublisher(
        acting_as("root-ca-cert-publisher"),
        namespaces,
        shared.informer(scheme.CONFIGMAPS, field_selector=selector),
        shared.options.ca_file,
        shared.clock,
    )
    yield NamespaceController(
        acting_as("namespace-controller"), namespaces, shared.informer(scheme.PODS), shared.clock
    )


def _accounts(shared: Shared) -> Iterator[Controller]:
    options = shared.options
    if options.service_account_key_file:
        selector = service_account_tokens.FIELD_SELECTOR
        yield TokensController(
            shared.client,
            shared.informer(scheme.SERVICEACCOUNTS),
            shared.informer(scheme.SECRETS, field_selector=selector),
            Path(options.service_account_key_file),
            Path(options.ca_file),
            shared.clock,
        )
    yield ClusterRoleAggregationController(
        shared.acting_as("clusterrole-aggregation-controller"),
        shared.informer(scheme.CLUSTERROLES),
        shared.clock,
    )


def _nodes(shared: Shared) -> Iterator[Controller]:
    client, options = shared.acting_as("node-controller"), shared.options
    yield NodeLifecycleController(
        client,
        shared.informer(scheme.NODES),
        shared.informer(scheme.LEASES, namespace="kube-node-lease"),
        shared.informer(scheme.PODS),
        shared.recorder(client, "node-controller"),
        GracePeriods(options.node_monitor_grace_period, options.node_startup_grace_period),
        shared.clock,
    )
    yield TaintEvictionController(
        client,
        shared.informer(scheme.PODS),
        shared.informer(scheme.NODES),
        shared.recorder(client, "taint-eviction-controller"),
        shared.clock,
    )


def _garbage(shared: Shared) -> Iterator[Controller]:
    yield PodGarbageCollector(
        shared.acting_as("pod-garbage-collector"),
        shared.informer(scheme.PODS),
        shared.informer(scheme.NODES),
        shared.options.terminated_pod_threshold,
        shared.clock,
    )
    client = shared.acting_as("generic-garbage-collector")
    recorder = shared.recorder(client, "garbage-collector-controller")
    yield GarbageCollector(client, shared.client, shared.existing, recorder, shared.clock)


def _policies(shared: Shared) -> Iterator[Controller]:
    pods, claims = shared.informer(scheme.PODS), shared.informer(scheme.PERSISTENTVOLUMECLAIMS)
    acting_as, clock = shared.acting_as, shared.clock
    yield DisruptionController(
        acting_as("disruption-controller"),
        shared.informer(scheme.PODDISRUPTIONBUDGETS),
        pods,
        clock,
    )
    yield ResourceQuotaController(
        acting_as("resourcequota-controller"),
        shared.informer(scheme.RESOURCEQUOTAS),
        pods,
        claims,
        clock,
    )


def _storage(shared: Shared) -> Iterator[Controller]:
    pods, claims = shared.informer(scheme.PODS), shared.informer(scheme.PERSISTENTVOLUMECLAIMS)
    volumes = shared.informer(scheme.PERSISTENTVOLUMES)
    classes = shared.informer(scheme.STORAGECLASSES)
    acting_as, clock = shared.acting_as, shared.clock
    yield StorageProtectionController(
        acting_as("pvc-protection-controller"),
        acting_as("pv-protection-controller"),
        claims,
        volumes,
        pods,
        clock,
    )
    binder = acting_as("persistent-volume-binder")
    recorder = shared.recorder(binder, "persistentvolume-controller")
    yield PersistentVolumeController(binder, claims, volumes, classes, pods, recorder, clock)
    yield EphemeralVolumeController(acting_as("ephemeral-volume-controller"), pods, claims, clock)
    options = shared.options.local_path
    if options is not None:
        client = acting_as("local-path-provisioner")
        recorder = shared.recorder(client, PROVISIONER)
        nodes = shared.informer(scheme.NODES)
        yield LocalPathProvisioner(
            client, options, claims, volumes, classes, nodes, recorder, clock
        )


def _services(shared: Shared) -> Iterator[Controller]:
    yield ServiceCidrController(
        shared.acting_as("service-cidrs-controller"),
        shared.informer(scheme.SERVICECIDRS),
        shared.informer(scheme.IPADDRESSES),
        shared.clock,
    )
    services, pods = shared.informer(scheme.SERVICES), shared.informer(scheme.PODS)
    endpoints = shared.informer(scheme.ENDPOINTS)
    slices = shared.informer(scheme.ENDPOINTSLICES)
    slices.add_index(BY_SERVICE, service_of)
    yield EndpointsController(
        shared.acting_as("endpoint-controller"),
        services,
        pods,
        endpoints,
        shared.clock,
    )
    yield EndpointSliceController(
        shared.acting_as("endpointslice-controller"),
        services,
        pods,
        shared.informer(scheme.NODES),
        slices,
        shared.clock,
    )
    yield EndpointSliceMirroringController(
        shared.acting_as("endpointslicemirroring-controller"),
        services,
        endpoints,
        slices,
        shared.clock,
    )
