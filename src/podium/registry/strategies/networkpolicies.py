"""NetworkPolicies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from podium.api.defaults.networking import set_defaults_network_policy
from podium.api.field import FieldError, Path
from podium.api.types.networking_v1 import NetworkPolicy, NetworkPolicyPeer
from podium.api.validation.network_policies import validate_network_policy
from podium.registry.strategies.address_warnings import range_warnings
from podium.registry.strategies.base import Strategy
from podium.registry.strategies.table import AGE, NAME, Cell, Column, age
from podium.registry.strategies.workload import selector_text


class NetworkPolicyStrategy(Strategy[NetworkPolicy]):
    counts_generations = True
    columns = (NAME, Column("Pod-Selector"), AGE)

    def default(self, obj: NetworkPolicy) -> None:
        set_defaults_network_policy(obj)

    def validate(self, obj: NetworkPolicy) -> list[FieldError]:
        return self.validate_metadata(obj) + validate_network_policy(obj)

    def validate_update(self, new: NetworkPolicy, old: NetworkPolicy) -> list[FieldError]:
        return self.validate_metadata_update(new, old) + validate_network_policy(new)

    def warnings(self, obj: NetworkPolicy) -> Iterator[str]:
        spec = Path("spec")
        for i, entrance in enumerate(obj.spec.ingress):
            yield from _blocks(spec.child("ingress").index(i).child("from"), entrance.from_)
        for i, exit_ in enumerate(obj.spec.egress):
            yield from _blocks(spec.child("egress").index(i).child("to"), exit_.to)

    def row(self, obj: NetworkPolicy, now: datetime) -> list[Cell]:
        created = obj.metadata.creation_timestamp
        return [obj.metadata.name, selector_text(obj.spec.pod_selector), age(created, now)]


def _blocks(path: Path, peers: Iterable[NetworkPolicyPeer]) -> Iterator[str]:
    for i, peer in enumerate(peers):
        if peer.ip_block is None:
            continue
        at = path.index(i).child("ipBlock")
        yield from range_warnings(at.child("cidr"), peer.ip_block.cidr)
        for j, text in enumerate(peer.ip_block.except_):
            yield from range_warnings(at.child("except").index(j), text)


STRATEGY = NetworkPolicyStrategy
