"""NetworkPolicies."""

from __future__ import annotations

from datetime import datetime

from podium.api.defaults.networking import set_defaults_network_policy
from podium.api.field import FieldError
from podium.api.types.networking_v1 import NetworkPolicy
from podium.api.validation.network_policies import validate_network_policy
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

    def row(self, obj: NetworkPolicy, now: datetime) -> list[Cell]:
        created = obj.metadata.creation_timestamp
        return [obj.metadata.name, selector_text(obj.spec.pod_selector), age(created, now)]


STRATEGY = NetworkPolicyStrategy
