"""ServiceAccount: every Pod runs as an account of its namespace, and finds its token in a volume.

Follows ``plugin/pkg/admission/serviceaccount``.
"""

from __future__ import annotations

import asyncio

from podium.api.annotations import MIRROR
from podium.api.defaults.pods import name_service_account
from podium.api.defaults.volumes import FILE_MODE
from podium.api.scheme import PODS, SERVICEACCOUNTS
from podium.api.types.core_v1 import (
    ConfigMapProjection,
    DownwardAPIProjection,
    DownwardAPIVolumeFile,
    KeyToPath,
    LocalObjectReference,
    ObjectFieldSelector,
    Pod,
    ProjectedVolumeSource,
    ServiceAccount,
    ServiceAccountTokenProjection,
    Volume,
    VolumeMount,
    VolumeProjection,
)
from podium.domain.pods import mountable_secrets, references
from podium.registry.admission.base import AdmissionPlugin, Attributes

DEFAULT_ACCOUNT = "default"
MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
#: An hour, and seven seconds to tell these tokens from those that ask for an hour themselves.
TOKEN_EXPIRATION_SECONDS = 3607
ROOT_CA_CONFIG_MAP = "kube-root-ca.crt"
VOLUME_PREFIX = "kube-api-access-"

#: Seconds between looks for a namespace's default account, which a controller makes: about four in
#: all. Upstream's one is less than a loaded machine's disk may take for the two writes.
_PAUSES = (0.02, 0.03, 0.05, *(0.1,) * 9, *(0.2,) * 15)


class ServiceAccountAdmission(AdmissionPlugin):
    name = "ServiceAccount"
    resources = (PODS,)

    async def admit(self, attributes: Attributes) -> None:
        """Name the account, and mount its token unless Pod or account decline.

        Raises ApiError (403) where the account is missing.
        """
        if not _is_new_pod(attributes):
            return
        pod: Pod = attributes.obj
        if MIRROR in pod.metadata.annotations:
            _check_mirror(attributes, pod)
            return
        pod.spec.service_account_name = pod.spec.service_account_name or DEFAULT_ACCOUNT
        name_service_account(pod.spec)
        account = await _account(attributes, pod)
        if _wants_token(pod, account):
            _mount_token(pod, attributes.random_suffix)
        if not pod.spec.image_pull_secrets:
            pod.spec.image_pull_secrets = [
                LocalObjectReference(name=secret.name) for secret in account.image_pull_secrets
            ]

    async def validate(self, attributes: Attributes) -> None:
        """Raises ApiError (403) for Secrets that the account does not let its Pods have."""
        is_new = _is_new_pod(attributes)
        if not is_new and not _is_debugged_pod(attributes):
            return
        pod: Pod = attributes.obj
        if MIRROR in pod.metadata.annotations and is_new:
            _check_mirror(attributes, pod)
            return
        account = await _account(attributes, pod)
        if not mountable_secrets.are_enforced(account):
            return
        why = (
            mountable_secrets.offence(account, pod)
            if is_new
            else mountable_secrets.offence_of_debuggers(account, pod)
        )
        if why:
            raise attributes.forbidden(why)


def _is_new_pod(attributes: Attributes) -> bool:
    new = attributes.operation == "CREATE" and not attributes.subresource
    return new and attributes.resource is PODS


def _is_debugged_pod(attributes: Attributes) -> bool:
    debugged = attributes.subresource == "ephemeralcontainers"
    return debugged and attributes.resource is PODS and attributes.operation == "UPDATE"


def _check_mirror(attributes: Attributes, pod: Pod) -> None:
    """What a mirror Pod shows runs already, and gets nothing from here. Raises ApiError (403)."""
    if pod.spec.service_account_name:
        raise attributes.forbidden("a mirror pod may not reference service accounts")
    if any(True for _ in references.secret_names(pod)):
        raise attributes.forbidden("a mirror pod may not reference secrets")
    for volume in pod.spec.volumes:
        for source in volume.projected.sources if volume.projected else ():
            if source.service_account_token is not None:
                text = "a mirror pod may not use ServiceAccountToken volume projections"
                raise attributes.forbidden(text)


async def _account(attributes: Attributes, pod: Pod) -> ServiceAccount:
    """Return the account; the default one of a namespace just made is given time to appear.

    Raises ApiError (403).
    """
    name = pod.spec.service_account_name
    if not name:
        where = f"{attributes.namespace}/{pod.metadata.name}"
        raise attributes.forbidden(f"no service account specified for pod {where}")
    for pause in (*_PAUSES, 0.0) if name == DEFAULT_ACCOUNT else (0.0,):
        found = await attributes.reader.read(SERVICEACCOUNTS, attributes.namespace, name)
        if isinstance(found, ServiceAccount):
            return found
        if pause:
            await asyncio.sleep(pause)
    raise attributes.forbidden(
        f"error looking up service account {attributes.namespace}/{name}: "
        f'serviceaccount "{name}" not found'
    )


def _wants_token(pod: Pod, account: ServiceAccount) -> bool:
    if pod.spec.automount_service_account_token is not None:
        return pod.spec.automount_service_account_token
    return account.automount_service_account_token is not False


def _mount_token(pod: Pod, suffix: str) -> None:
    """Mount the token into each container that has nothing at its path; add the volume if any
    container needs it."""
    name = _existing_volume(pod) or f"{VOLUME_PREFIX}{suffix}"
    mounted = False
    for container in (*pod.spec.init_containers, *pod.spec.containers):
        if any(mount.mount_path == MOUNT_PATH for mount in container.volume_mounts):
            continue
        mount = VolumeMount(name=name, read_only=True, mount_path=MOUNT_PATH)
        container.volume_mounts = [*container.volume_mounts, mount]
        mounted = True
    if mounted and all(volume.name != name for volume in pod.spec.volumes):
        pod.spec.volumes = [*pod.spec.volumes, Volume(name=name, projected=token_source())]


def _existing_volume(pod: Pod) -> str:
    """A Pod copied from a running one brings its volume along."""
    return next((v.name for v in pod.spec.volumes if v.name.startswith(VOLUME_PREFIX)), "")


def token_source() -> ProjectedVolumeSource:
    """Return what the volume holds: the token, the cluster's CA, the namespace."""
    token = ServiceAccountTokenProjection(path="token", expiration_seconds=TOKEN_EXPIRATION_SECONDS)
    authority = ConfigMapProjection(
        name=ROOT_CA_CONFIG_MAP, items=[KeyToPath(key="ca.crt", path="ca.crt")]
    )
    namespace = DownwardAPIVolumeFile(
        path="namespace",
        field_ref=ObjectFieldSelector(api_version="v1", field_path="metadata.namespace"),
    )
    return ProjectedVolumeSource(
        default_mode=FILE_MODE,
        sources=[
            VolumeProjection(service_account_token=token),
            VolumeProjection(config_map=authority),
            VolumeProjection(downward_api=DownwardAPIProjection(items=[namespace])),
        ],
    )
