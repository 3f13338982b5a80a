"""Which Secrets the Pods of a service account may have, where it asks for that to be checked.

Follows ``plugin/pkg/admission/serviceaccount`` (``limitSecretReferences``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from podium.api.types.core_v1 import Container, EphemeralContainer, Pod, ServiceAccount

ENFORCED = "kubernetes.io/enforce-mountable-secrets"
#: What Go's ``strconv.ParseBool`` takes for true.
_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})


def are_enforced(account: ServiceAccount) -> bool:
    return account.metadata.annotations.get(ENFORCED) in _TRUE


def offence(account: ServiceAccount, pod: Pod) -> str:
    """Return the first reference that *account* does not allow, "" where all are allowed."""
    allowed = {secret.name for secret in account.secrets}
    because = f"is not allowed because service account {account.metadata.name} does not reference"
    for volume in pod.spec.volumes:
        name = volume.secret.secret_name if volume.secret is not None else None
        if name is not None and name not in allowed:
            return f'volume with secret.secretName="{name}" {because} that secret'
    for what, containers in (
        ("init container", pod.spec.init_containers),
        ("container", pod.spec.containers),
    ):
        for text in _of_environments(what, containers, allowed):
            return f"{text} {because} that secret"
    pulling = {secret.name for secret in account.image_pull_secrets}
    for i, secret in enumerate(pod.spec.image_pull_secrets):
        if secret.name not in pulling:
            return f'imagePullSecrets[{i}].name="{secret.name}" {because} that imagePullSecret'
    return ""


def offence_of_debuggers(account: ServiceAccount, pod: Pod) -> str:
    """The same for the ephemeral containers alone."""
    allowed = {secret.name for secret in account.secrets}
    name = account.metadata.name
    because = f"is not allowed because service account {name} does not reference that secret"
    found = _of_environments("ephemeral container", pod.spec.ephemeral_containers, allowed)
    return next((f"{text} {because}" for text in found), "")


def _of_environments(
    what: str, containers: Iterable[Container | EphemeralContainer], allowed: set[str]
) -> Iterator[str]:
    for container in containers:
        who = f"{what} {container.name} with"
        for variable in container.env:
            key = variable.value_from.secret_key_ref if variable.value_from is not None else None
            if key is not None and key.name not in allowed:
                yield f'{who} envVar {variable.name} referencing secret.secretName="{key.name}"'
        for source in container.env_from:
            secret = source.secret_ref
            if secret is not None and secret.name not in allowed:
                yield f'{who} envFrom referencing secret.secretName="{secret.name}"'
