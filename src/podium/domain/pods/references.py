"""Objects of its namespace that a Pod makes its node read, and those that a volume does.

Follows ``pkg/api/v1/pod`` (``VisitPodSecretNames``, …) and ``pkg/api/v1/persistentvolume``.
"""

from __future__ import annotations

from collections.abc import Iterator

from podium.api.types.core_v1 import (
    EnvFromSource,
    EnvVar,
    PersistentVolume,
    Pod,
    PodSpec,
    Volume,
)

#: Volume sources that name a Secret as ``secret_ref``.
_BY_SECRET_REF = ("cephfs", "cinder", "flex_volume", "iscsi", "rbd", "scale_io", "storageos")


def api_reference(pod: Pod) -> str:
    """Return the resource that the Pod refers to objects of, "" where it refers to none.

    That is more than what its node reads: a Pod that no API knows can have none of it.
    """
    if pod.spec.service_account_name:
        return "serviceaccounts"
    if any(secret_names(pod)):
        return "secrets"
    if any(configmap_names(pod)):
        return "configmaps"
    for volume in pod.spec.volumes:
        for source in volume.projected.sources if volume.projected else ():
            if source.cluster_trust_bundle:
                return "clustertrustbundles"
            if source.service_account_token:
                return "serviceaccounts"
    if any(claim_names(pod)):
        return "persistentvolumeclaims"
    return "resourceclaims" if pod.spec.resource_claims else ""


def claim_names(pod: Pod) -> Iterator[str]:
    """Every claim that the Pod uses, those made for it included."""
    for volume in pod.spec.volumes:
        if volume.persistent_volume_claim:
            yield volume.persistent_volume_claim.claim_name
        elif volume.ephemeral:
            yield f"{pod.metadata.name}-{volume.name}"


def secret_names(pod: Pod) -> Iterator[str]:
    """Every Secret that the Pod makes its node read."""
    spec = pod.spec
    for pull_secret in spec.image_pull_secrets:
        yield pull_secret.name
    for env_from, env in _environments(spec):
        for source in env_from:
            if source.secret_ref:
                yield source.secret_ref.name
        for variable in env:
            if variable.value_from and variable.value_from.secret_key_ref:
                yield variable.value_from.secret_key_ref.name
    for volume in spec.volumes:
        yield from _volume_secrets(volume)


def _volume_secrets(volume: Volume) -> Iterator[str]:
    if volume.secret:
        yield volume.secret.secret_name
    if volume.azure_file:
        yield volume.azure_file.secret_name
    if volume.csi and volume.csi.node_publish_secret_ref:
        yield volume.csi.node_publish_secret_ref.name
    for projection in volume.projected.sources if volume.projected else ():
        if projection.secret:
            yield projection.secret.name
    for field in _BY_SECRET_REF:
        source = getattr(volume, field)
        if source and source.secret_ref:
            yield source.secret_ref.name


def configmap_names(pod: Pod) -> Iterator[str]:
    """Every ConfigMap that the Pod makes its node read."""
    spec = pod.spec
    for env_from, env in _environments(spec):
        for source in env_from:
            if source.config_map_ref:
                yield source.config_map_ref.name
        for variable in env:
            if variable.value_from and variable.value_from.config_map_key_ref:
                yield variable.value_from.config_map_key_ref.name
    for volume in spec.volumes:
        if volume.config_map:
            yield volume.config_map.name
        for projection in volume.projected.sources if volume.projected else ():
            if projection.config_map:
                yield projection.config_map.name


def volume_secrets(volume: PersistentVolume) -> Iterator[tuple[str, str]]:
    """Namespace and name of every Secret that a node reads to mount *volume*.

    A namespace that is not named is that of the claim.
    """
    spec = volume.spec
    own = spec.claim_ref.namespace if spec.claim_ref else ""
    if spec.azure_file:
        yield spec.azure_file.secret_namespace or own, spec.azure_file.secret_name
    sources = [getattr(spec, field) for field in _BY_SECRET_REF]
    references = [source.secret_ref for source in sources if source]
    if spec.csi:
        csi = spec.csi
        references += [
            csi.node_publish_secret_ref,
            csi.node_stage_secret_ref,
            csi.node_expand_secret_ref,
        ]
    for reference in references:
        if reference:
            yield reference.namespace or own, reference.name


def _environments(spec: PodSpec) -> Iterator[tuple[list[EnvFromSource], list[EnvVar]]]:
    for container in (*spec.init_containers, *spec.containers):
        yield container.env_from, container.env
    for ephemeral in spec.ephemeral_containers:
        yield ephemeral.env_from, ephemeral.env
