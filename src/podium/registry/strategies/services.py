"""Services."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from podium.api import names
from podium.api.defaults.services import set_defaults_service
from podium.api.field import FieldError
from podium.api.types.core_v1 import Service, ServiceSpec
from podium.api.validation.services import (
    is_external,
    needs_health_check,
    validate_service,
    validate_service_status,
    validate_service_update,
)
from podium.registry.strategies.base import Pool, Strategy
from podium.registry.strategies.service_addresses import allocate
from podium.registry.strategies.service_warnings import service_warnings
from podium.registry.strategies.table import AGE, NAME, NONE, Cell, Column, age

_PENDING = "<pending>"
_UNKNOWN = "<unknown>"


class ServiceStrategy(Strategy[Service]):
    """Cluster IPs and node ports are given out by ``allocate``, and kept on updates that leave
    them out."""

    allow_create_on_update = True
    returns_deleted_object = True
    allocates = True
    field_labels = frozenset({"spec.clusterIP", "spec.type"})
    columns = (
        NAME,
        Column("Type"),
        Column("Cluster-IP"),
        Column("External-IP"),
        Column("Port(s)"),
        AGE,
        Column("Selector", priority=1),
    )

    def default(self, obj: Service) -> None:
        set_defaults_service(obj)

    def validate_name(self, name: str, prefix: bool) -> list[str]:
        return names.name_is_dns1035_label(name, prefix)

    def prepare_for_create(self, obj: Service, now: datetime) -> None:
        super().prepare_for_create(obj, now)
        if obj.spec.cluster_ip and not obj.spec.cluster_ips:
            obj.spec.cluster_ips = [obj.spec.cluster_ip]

    def validate(self, obj: Service) -> list[FieldError]:
        return self.validate_metadata(obj) + validate_service(obj)

    def warnings(self, obj: Service) -> Iterator[str]:
        return service_warnings(obj)

    def allocate(self, obj: Service, others: Iterable[Service], pool: Pool) -> list[FieldError]:
        return allocate(obj, others, pool)

    def prepare_for_update(self, new: Service, old: Service, now: datetime) -> None:
        super().prepare_for_update(new, old, now)
        _keep_allocations(new.spec, old.spec)
        _agree_on_addresses(new.spec, old.spec)
        _drop_what_the_type_lost(new.spec, old.spec)
        _keep_families(new.spec, old.spec)

    def validate_update(self, new: Service, old: Service) -> list[FieldError]:
        return self.validate_metadata_update(new, old) + validate_service_update(new, old)

    def validate_status_update(self, new: Service, old: Service) -> list[FieldError]:
        return self.validate_metadata_update(new, old) + validate_service_status(new)

    def fields(self, obj: Service) -> dict[str, str]:
        return {
            **super().fields(obj),
            "spec.clusterIP": obj.spec.cluster_ip,
            "spec.type": obj.spec.type,
        }

    def row(self, obj: Service, now: datetime) -> list[Cell]:
        selector = ",".join(f"{k}={v}" for k, v in sorted(obj.spec.selector.items()))
        return [
            obj.metadata.name,
            obj.spec.type,
            obj.spec.cluster_ips[0] if obj.spec.cluster_ips else NONE,
            _external_address(obj),
            _ports(obj.spec),
            age(obj.metadata.creation_timestamp, now),
            selector or NONE,
        ]


def _keep_families(new: ServiceSpec, old: ServiceSpec) -> None:
    """Families stay what they are, unless the client wants a single one of those there are."""
    if new.type == "ExternalName":
        return
    new.ip_family_policy = new.ip_family_policy or old.ip_family_policy
    new.ip_families = new.ip_families or list(old.ip_families)
    if new.ip_family_policy == "SingleStack" and new.ip_families == old.ip_families:
        new.ip_families = new.ip_families[:1]


def _keep_allocations(new: ServiceSpec, old: ServiceSpec) -> None:
    """What was given out, and is left out by a client that does not know it, stays.

    Node ports stay with the names of ports, whose numbers may change.
    """
    if "ExternalName" not in (new.type, old.type):
        new.cluster_ip = new.cluster_ip or old.cluster_ip
        new.cluster_ips = new.cluster_ips or list(old.cluster_ips)
    if {new.type, old.type} <= {"NodePort", "LoadBalancer"}:
        known = {port.name: port.node_port for port in old.ports}
        used = {port.node_port for port in new.ports} & {port.node_port for port in old.ports}
        for port in new.ports:
            before = known.get(port.name, 0)
            if not port.node_port and before not in used:
                port.node_port = before
                used.add(before)
    if needs_health_check(new) and needs_health_check(old):
        new.health_check_node_port = new.health_check_node_port or old.health_check_node_port


def _agree_on_addresses(new: ServiceSpec, old: ServiceSpec) -> None:
    """Clients that know ``clusterIP`` alone change it alone; ``clusterIPs`` follows."""
    if new.cluster_ip != old.cluster_ip and new.cluster_ips == old.cluster_ips:
        new.cluster_ips = [new.cluster_ip] if new.cluster_ip else []


def _drop_what_the_type_lost(new: ServiceSpec, old: ServiceSpec) -> None:
    """A change of type takes along what only the old type had, where the client left it as is."""
    if new.type == "ExternalName" and old.type != "ExternalName":
        if new.cluster_ip in ("", old.cluster_ip) and old.cluster_ip != "None":
            new.cluster_ip, new.cluster_ips = "", []
        if new.ip_families == old.ip_families:
            new.ip_families = []
        if new.ip_family_policy == old.ip_family_policy:
            new.ip_family_policy = None
    if new.type in ("ClusterIP", "ExternalName") and old.type in ("NodePort", "LoadBalancer"):
        before = {port.node_port for port in old.ports}
        for port in new.ports:
            if port.node_port in before:
                port.node_port = 0
    if old.type == "LoadBalancer" and new.type != "LoadBalancer":
        if new.allocate_load_balancer_node_ports == old.allocate_load_balancer_node_ports:
            new.allocate_load_balancer_node_ports = None
        if new.load_balancer_class == old.load_balancer_class:
            new.load_balancer_class = None
    lost_check = needs_health_check(old) and not needs_health_check(new)
    if lost_check and new.health_check_node_port == old.health_check_node_port:
        new.health_check_node_port = 0
    went_inside = is_external(old) and not is_external(new)
    if went_inside and new.external_traffic_policy == old.external_traffic_policy:
        new.external_traffic_policy = ""


def _external_address(service: Service) -> str:
    spec = service.spec
    if spec.type == "ExternalName":
        return spec.external_name or _UNKNOWN
    addresses = list(spec.external_ips)
    if spec.type == "LoadBalancer":
        ingress = [i.ip or i.hostname for i in service.status.load_balancer.ingress]
        addresses = [*dict.fromkeys(filter(None, ingress)), *addresses]
        return ",".join(addresses) or _PENDING
    if spec.type in ("ClusterIP", "NodePort"):
        return ",".join(addresses) or NONE
    return _UNKNOWN


def _ports(spec: ServiceSpec) -> str:
    texts = [
        f"{port.port}:{port.node_port}/{port.protocol}"
        if port.node_port
        else f"{port.port}/{port.protocol}"
        for port in spec.ports
    ]
    return ",".join(texts) or NONE


STRATEGY = ServiceStrategy
