"""Fills Secrets of type ``kubernetes.io/service-account-token``, and removes those of accounts that
are gone.

After ``pkg/controller/serviceaccount/tokens_controller.go``. Such Secrets are made by users who
need a token that never expires.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path

import msgspec

from podium.api import scheme
from podium.api.errors import ApiError
from podium.api.types.core_v1 import Secret, ServiceAccount
from podium.api.validation.configs import SERVICE_ACCOUNT_NAME, SERVICE_ACCOUNT_TOKEN
from podium.client.client import Client
from podium.client.delta import Key, key_of
from podium.client.informer import Informer
from podium.client.workqueue import WorkQueue
from podium.controllers.loop import work
from podium.kit.clock import Clock
from podium.kit.signing_key import SigningKey

SERVICE_ACCOUNT_UID = "kubernetes.io/service-account.uid"
#: What the informer of Secrets has to select.
FIELD_SELECTOR = f"type={SERVICE_ACCOUNT_TOKEN}"
_ISSUER, _PREFIX = "kubernetes/serviceaccount", "kubernetes.io/serviceaccount"


class TokensController:
    """Keys are Secrets. *secrets* need hold none but those that :data:`FIELD_SELECTOR` selects."""

    def __init__(
        self,
        client: Client,
        accounts: Informer[ServiceAccount],
        secrets: Informer[Secret],
        key_file: Path,
        ca_file: Path,
        clock: Clock,
    ) -> None:
        self._client, self._accounts, self._secrets = client, accounts, secrets
        self._key, self._ca_file = SigningKey(key_file), ca_file
        self._queue: WorkQueue[Key] = WorkQueue(clock)
        secrets.on_change(lambda _, new: self._queue.add(key_of(new)) if new else None)
        accounts.on_change(self._account_changed)

    async def run(self) -> None:
        await work("serviceaccount_tokens_secret", self._queue, self._reconcile)

    def _account_changed(self, old: ServiceAccount | None, new: ServiceAccount | None) -> None:
        """An account that comes may be waited for; one that goes takes its Secrets along."""
        account = new or old
        if account is None or (old is not None and new is not None):
            return
        for secret in self._secrets.in_namespace(account.metadata.namespace):
            if account_name(secret) == account.metadata.name:
                self._queue.add(key_of(secret))

    async def _reconcile(self, key: Key) -> None:
        secret = self._secrets.get(*key)
        if secret is None or secret.metadata.deletion_timestamp is not None:
            return
        account = await self._account(secret)
        if account is None:
            await self._delete(secret)
            return
        bundle = self._ca_file.read_text()
        if lacks(secret, account, bundle):
            filled = fill(secret, account, bundle, self._key)
            await self._client.update(scheme.SECRETS, filled)

    async def _account(self, secret: Secret) -> ServiceAccount | None:
        """Return the account that *secret* is for; the server is asked before it is called gone."""
        name, namespace = account_name(secret), secret.metadata.namespace
        account = self._accounts.get(namespace, name)
        if account is not None and is_of(secret, account):
            return account
        try:
            account = await self._client.get(scheme.SERVICEACCOUNTS, name, namespace)
        except ApiError as exc:
            if exc.code != 404:
                raise
            return None
        return account if account is not None and is_of(secret, account) else None

    async def _delete(self, secret: Secret) -> None:
        metadata = secret.metadata
        try:
            await self._client.delete(
                scheme.SECRETS,
                metadata.name,
                namespace=metadata.namespace,
                uid=metadata.uid,
                resource_version=metadata.resource_version,
            )
        except ApiError as exc:
            if exc.code != 404:
                raise


def account_name(secret: Secret) -> str:
    return secret.metadata.annotations.get(SERVICE_ACCOUNT_NAME, "")


def is_of(secret: Secret, account: ServiceAccount) -> bool:
    """Whether *secret* is for *account*, and not for one that had its name before."""
    uid = secret.metadata.annotations.get(SERVICE_ACCOUNT_UID, "")
    return uid in ("", account.metadata.uid)


def lacks(secret: Secret, account: ServiceAccount, bundle: str) -> bool:
    """Whether anything has to be written into *secret*."""
    return (
        not secret.data.get("token")
        or secret.data.get("ca.crt") != _encoded(bundle)
        or secret.data.get("namespace") != _encoded(secret.metadata.namespace)
        or secret.metadata.annotations.get(SERVICE_ACCOUNT_UID) != account.metadata.uid
    )


def fill(secret: Secret, account: ServiceAccount, bundle: str, key: SigningKey) -> Secret:
    """Return *secret* complete; a token that it has already stays."""
    metadata = secret.metadata
    data = {
        **secret.data,
        "ca.crt": _encoded(bundle),
        "namespace": _encoded(metadata.namespace),
    }
    if not data.get("token"):
        data["token"] = _encoded(key.sign(claims(secret, account)))
    annotations = {**metadata.annotations, SERVICE_ACCOUNT_UID: account.metadata.uid}
    metadata = msgspec.structs.replace(metadata, annotations=annotations)
    return msgspec.structs.replace(secret, metadata=metadata, data=data)


def claims(secret: Secret, account: ServiceAccount) -> Mapping[str, str]:
    namespace, name = account.metadata.namespace, account.metadata.name
    return {
        "iss": _ISSUER,
        "sub": f"system:serviceaccount:{namespace}:{name}",
        f"{_PREFIX}/namespace": namespace,
        f"{_PREFIX}/secret.name": secret.metadata.name,
        f"{_PREFIX}/service-account.name": name,
        f"{_PREFIX}/service-account.uid": account.metadata.uid,
    }


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
