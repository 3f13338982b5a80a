"""Validation of projected volumes."""

from __future__ import annotations

from podium.api import names
from podium.api.field import Path, forbidden, invalid, not_supported, required
from podium.api.types.core_v1 import (
    ClusterTrustBundleProjection,
    ConfigMapProjection,
    DownwardAPIProjection,
    PodCertificateProjection,
    ProjectedVolumeSource,
    SecretProjection,
    ServiceAccountTokenProjection,
    VolumeProjection,
)
from podium.api.validation.common import Errors, file_mode, invalid_each, non_reserved_path
from podium.api.validation.scheduling import validate_label_selector
from podium.api.validation.volumes import validate_downward_file, validate_key_to_path

KEY_TYPES = ("RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519")
_CONFLICT = "conflicting duplicate paths"
_HOUR, _DAY = 3600, 86400


def validate_projected(path: Path, volume: ProjectedVolumeSource) -> Errors:
    """Check modes and sources; no two files may have one path."""
    yield from file_mode(path.child("defaultMode"), volume.default_mode)
    paths: set[str] = set()
    for i, source in enumerate(volume.sources):
        at = path.child("sources").index(i)
        yield from _validate_source(path, at, source, paths)
        if sum(getattr(source, name) is not None for name in source.__struct_fields__) > 1:
            yield forbidden(at, "may not specify more than 1 volume type")


def _validate_source(volume: Path, path: Path, source: VolumeProjection, taken: set[str]) -> Errors:
    if source.secret is not None:
        yield from _keys(volume, path.child("secret"), source.secret, taken)
    if source.config_map is not None:
        yield from _keys(volume, path.child("configMap"), source.config_map, taken)
    if source.downward_api is not None:
        yield from _downward(volume, path.child("downwardAPI"), source.downward_api, taken)
    if source.service_account_token is not None:
        at = path.child("serviceAccountToken")
        yield from _token(volume, at, source.service_account_token)
    if source.cluster_trust_bundle is not None:
        at = path.child("clusterTrustBundle")
        yield from _trust_bundle(volume, at, source.cluster_trust_bundle, taken)
    if source.pod_certificate is not None:
        yield from _certificate(volume, path.child("podCertificate"), source.pod_certificate, taken)


def _keys(
    volume: Path, path: Path, source: SecretProjection | ConfigMapProjection, taken: set[str]
) -> Errors:
    if not source.name:
        yield required(path.child("name"))
    for i, item in enumerate(source.items):
        yield from validate_key_to_path(path.child("items").index(i), item)
        yield from _take(volume, source.name, item.path, taken)


def _downward(volume: Path, path: Path, source: DownwardAPIProjection, taken: set[str]) -> Errors:
    for file in source.items:
        yield from validate_downward_file(path, file)
        yield from _take(volume, file.path, file.path, taken)


def _take(volume: Path, value: str, file_path: str, taken: set[str]) -> Errors:
    if file_path and file_path in taken:
        yield invalid(volume, value, _CONFLICT)
    taken.add(file_path)


def _token(volume: Path, path: Path, source: ServiceAccountTokenProjection) -> Errors:
    seconds = source.expiration_seconds or 0
    if seconds < 600:
        text = "may not specify a duration less than 10 minutes"
        yield invalid(path.child("expirationSeconds"), seconds, text)
    if seconds > 1 << 32:
        text = "may not specify a duration larger than 2^32 seconds"
        yield invalid(path.child("expirationSeconds"), seconds, text)
    if not source.path:
        yield required(volume.child("path"))
    else:
        yield from non_reserved_path(volume.child("path"), source.path)


def _trust_bundle(
    volume: Path, path: Path, source: ClusterTrustBundleProjection, taken: set[str]
) -> Errors:
    if source.name is not None and source.signer_name is not None:
        yield forbidden(path, "only one of name and signerName may be used")
    elif source.name is not None:
        if not source.name:
            yield required(path.child("name"), "must be a valid object name")
        if source.label_selector is not None:
            text = "labelSelector must be unset if name is specified"
            yield forbidden(path.child("labelSelector"), text)
    elif source.signer_name is not None:
        if not source.signer_name:
            yield required(path.child("signerName"), "must be a valid signer name")
        yield from _signer(path.child("signerName"), source.signer_name)
        yield from validate_label_selector(path.child("labelSelector"), source.label_selector)
    else:
        yield required(path, "either name or signerName must be specified")
    if not source.path:
        yield required(path.child("path"))
    yield from non_reserved_path(path.child("path"), source.path)
    yield from _take(volume, source.path, source.path, taken)


def _signer(path: Path, name: str) -> Errors:
    domain, slash, rest = name.partition("/")
    if not slash or not rest:
        text = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
        yield invalid(path, name, text)
    yield from invalid_each(path, domain, names.dns1123_subdomain(domain))


def _certificate(
    volume: Path, path: Path, source: PodCertificateProjection, taken: set[str]
) -> Errors:
    yield from _signer(path.child("signerName"), source.signer_name)
    if source.key_type not in KEY_TYPES:
        yield not_supported(path.child("keyType"), source.key_type, KEY_TYPES)
    yield from _lifetime(path.child("maxExpirationSeconds"), source)
    files = (
        ("credentialBundlePath", source.credential_bundle_path),
        ("keyPath", source.key_path),
        ("certificateChainPath", source.certificate_chain_path),
    )
    for name, file in files:
        if file:
            yield from non_reserved_path(path.child(name), file)
            yield from _take(volume, file, file, taken)
    if not any(file for _, file in files):
        text = "specify at least one of credentialBundlePath, keyPath, and certificateChainPath"
        yield required(path, text)


def _lifetime(path: Path, source: PodCertificateProjection) -> Errors:
    """An hour at least; at most a day from Kubernetes' own signers, 91 days from others."""
    seconds = source.max_expiration_seconds
    if seconds is None:
        return
    domain = source.signer_name.partition("/")[0]
    own = domain == "kubernetes.io" or domain.endswith(".kubernetes.io")
    most = _DAY if own else 91 * _DAY
    if seconds < _HOUR:
        yield invalid(path, seconds, f"if provided, maxExpirationSeconds must be >= {_HOUR}")
    if seconds > most:
        yield invalid(path, seconds, f"if provided, maxExpirationSeconds must be <= {most}")
