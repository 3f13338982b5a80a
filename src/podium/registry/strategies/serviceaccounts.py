"""ServiceAccounts."""

from __future__ import annotations

from datetime import datetime

from podium.api.types.core_v1 import ObjectReference, ServiceAccount
from podium.registry.strategies.base import Strategy
from podium.registry.strategies.table import AGE, NAME, Cell, Column, age

_ENFORCE = "kubernetes.io/enforce-mountable-secrets"


class ServiceAccountStrategy(Strategy[ServiceAccount]):
    returns_deleted_object = True
    columns = (NAME, Column("Secrets"), AGE)

    def prepare_for_create(self, obj: ServiceAccount, now: datetime) -> None:
        super().prepare_for_create(obj, now)
        _name_secrets(obj)

    def prepare_for_update(self, new: ServiceAccount, old: ServiceAccount, now: datetime) -> None:
        super().prepare_for_update(new, old, now)
        _name_secrets(new)

    def warnings_on_create(self, obj: ServiceAccount) -> list[str]:
        if _ENFORCE not in obj.metadata.annotations:
            return []
        text = "prefer separate namespaces to isolate access to mounted secrets"
        return [f"metadata.annotations[{_ENFORCE}]: deprecated in v1.32+; {text}"]

    def warnings_on_update(self, new: ServiceAccount, old: ServiceAccount) -> list[str]:
        return [] if _ENFORCE in old.metadata.annotations else self.warnings_on_create(new)

    def row(self, obj: ServiceAccount, now: datetime) -> list[Cell]:
        return [
            obj.metadata.name,
            len(obj.secrets),
            age(obj.metadata.creation_timestamp, now),
        ]


def _name_secrets(account: ServiceAccount) -> None:
    """Secrets are told by their names alone."""
    account.secrets = [ObjectReference(name=secret.name) for secret in account.secrets]


STRATEGY = ServiceAccountStrategy
