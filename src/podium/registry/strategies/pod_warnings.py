"""What is allowed in a Pod, or in a template of Pods, and yet likely a mistake.

Follows ``pkg/api/pod/warnings.go``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from podium.api import names
from podium.api.field import Path
from podium.api.types.core_v1 import (
    Affinity,
    PersistentVolumeSpec,
    Pod,
    PodAffinityTerm,
    PodSpec,
    PodTemplateSpec,
    Volume,
    VolumeProjection,
)
from podium.api.types.meta_v1 import ObjectMeta
from podium.api.validation.pod_annotations import SECCOMP_POD
from podium.registry.strategies.address_warnings import address_warnings
from podium.registry.strategies.container_warnings import container_warnings, fractional_bytes
from podium.registry.strategies.node_labels import OLD as OLD_LABELS
from podium.registry.strategies.node_labels import term_labels

_VOLUMES = (
    ("photon_persistent_disk", "photonPersistentDisk", "v1.11, non-functional in v1.16+"),
    ("git_repo", "gitRepo", "v1.11, and disabled by default in v1.33+"),
    ("scale_io", "scaleIO", "v1.16, non-functional in v1.22+"),
    ("flocker", "flocker", "v1.22, non-functional in v1.25+"),
    ("storageos", "storageOS", "v1.22, non-functional in v1.25+"),
    ("quobyte", "quobyte", "v1.22, non-functional in v1.25+"),
    ("glusterfs", "glusterfs", "v1.25, non-functional in v1.26+"),
    ("cephfs", "cephfs", "v1.28, non-functional in v1.31+"),
    ("rbd", "rbd", "v1.28, non-functional in v1.31+"),
)
_ANNOTATIONS = {
    "scheduler.alpha.kubernetes.io/critical-pod": (
        'non-functional in v1.16+; use the "priorityClassName" field instead'
    ),
    "security.alpha.kubernetes.io/sysctls": (
        'non-functional in v1.11+; use the "sysctls" field instead'
    ),
    "security.alpha.kubernetes.io/unsafe-sysctls": (
        'non-functional in v1.11+; use the "sysctls" field instead'
    ),
}
_NO_MATCH = "a null labelSelector results in matching no pod"


def name_warnings(name: str, used: str) -> Iterator[str]:
    """A name that cannot be a host name; *used* says what for."""
    problems = names.dns1123_label(name)
    if len(problems) == 1 and not names.dns1123_subdomain(name) and "." in name:
        problems = ["must not contain dots"]
    if problems:
        yield (
            f"metadata.name: this is used in {used}, which can result in surprising behavior; "
            f"a DNS label is recommended: [{' '.join(problems)}]"
        )


def pod_warnings(pod: Pod) -> Iterator[str]:
    """Yield the warnings that a new Pod's spec and annotations earn."""
    return _warnings(Path(""), pod.spec, pod.metadata, template=False)


def template_warnings(path: Path, template: PodTemplateSpec) -> Iterator[str]:
    return _warnings(path, template.spec, template.metadata, template=True)


def _warnings(path: Path, spec: PodSpec, meta: ObjectMeta, *, template: bool) -> Iterator[str]:
    at, annotations = path.child("spec"), path.child("metadata", "annotations")
    yield from _node_labels(at, spec)
    for key, text in _ANNOTATIONS.items():
        if key in meta.annotations:
            yield f"{annotations.key(key)}: {text}"
    for i, volume in enumerate(spec.volumes):
        yield from _volume_warnings(at.child("volumes").index(i), volume)
    yield from _projection_warnings(at.child("volumes"), spec.volumes)
    yield from _duplicates(at, spec)
    yield from fractional_bytes(at.child("overhead"), spec.overhead, "memory", "ephemeral-storage")
    context = spec.security_context
    if SECCOMP_POD in meta.annotations and (context is None or context.seccomp_profile is None):
        text = 'non-functional in v1.27+; use the "seccompProfile" field instead'
        yield f"{annotations.key(SECCOMP_POD)}: {text}"
    yield from container_warnings(at, spec, annotations, meta.annotations, template=template)
    grace = spec.termination_grace_period_seconds
    if grace is not None and grace < 0:
        here = at.child("terminationGracePeriodSeconds")
        yield f"{here}: must be >= 0; negative values are invalid and will be treated as 1"
    if spec.affinity is not None:
        yield from _affinity_warnings(at.child("affinity"), spec.affinity)
    yield from _address_warnings(at, spec)


_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def _node_labels(path: Path, spec: PodSpec) -> Iterator[str]:
    """Labels of nodes that have newer names, wherever a Pod may name one."""
    for key in sorted(spec.node_selector):
        if key in OLD_LABELS:
            yield f"{path.child('nodeSelector').key(key)}: {OLD_LABELS[key]}"
    affinity = spec.affinity.node_affinity if spec.affinity is not None else None
    if affinity is not None:
        at = path.child("affinity", "nodeAffinity")
        required = affinity.required_during_scheduling_ignored_during_execution
        for i, term in enumerate(required.node_selector_terms if required is not None else ()):
            yield from term_labels(at.child(_REQUIRED, "nodeSelectorTerms").index(i), term)
        preferred = affinity.preferred_during_scheduling_ignored_during_execution
        for i, weighted in enumerate(preferred):
            here = at.child(_PREFERRED).index(i).child("preference")
            yield from term_labels(here, weighted.preference)
    for i, constraint in enumerate(spec.topology_spread_constraints):
        here, key = path.child("topologySpreadConstraints").index(i), constraint.topology_key
        if key in OLD_LABELS:
            yield f"{here.child('topologyKey')}: {key} is {OLD_LABELS[key]}"
        if constraint.label_selector is None:
            yield f"{here.child('labelSelector')}: {_NO_MATCH}"


def old_sources(path: Path, volume: Volume | PersistentVolumeSpec) -> Iterator[str]:
    """Sorts of volumes that have had their time."""
    for attribute, name, since in _VOLUMES:
        if getattr(volume, attribute, None) is not None:
            yield f"{path.child(name)}: deprecated in {since}"


def _volume_warnings(path: Path, volume: Volume) -> Iterator[str]:
    yield from old_sources(path, volume)
    template = volume.ephemeral.volume_claim_template if volume.ephemeral is not None else None
    if template is not None:
        at = path.child("ephemeral", "volumeClaimTemplate", "spec", "resources", "requests")
        yield from fractional_bytes(at, template.spec.resources.requests, "storage")


def _projection_warnings(path: Path, volumes: Sequence[Volume]) -> Iterator[str]:
    """Files that a token would overwrite; upstream's paths lack the index of the source."""
    projections = [
        (path.index(i).child("projected", "sources"), source)
        for i, volume in enumerate(volumes)
        if volume.projected is not None
        for source in volume.projected.sources
    ]
    tokens = {
        source.service_account_token.path
        for _, source in projections
        if source.service_account_token is not None
    }
    for at, source in projections:
        for name, i, file in _files(source):
            if file in tokens:
                here = at.child(name).index(i)
                yield f'{here}: has duplicated path with ServiceAccountToken "{file}"'


def _files(source: VolumeProjection) -> Iterator[tuple[str, int, str]]:
    keys = (("configMap", source.config_map), ("secrets", source.secret))
    for name, keyed in keys:
        for i, item in enumerate(keyed.items if keyed is not None else ()):
            yield name, i, item.path
    for i, file in enumerate(source.downward_api.items if source.downward_api is not None else ()):
        yield "downwardAPI", i, file.path


def _duplicates(path: Path, spec: PodSpec) -> Iterator[str]:
    seen: set[str] = set()
    for i, alias in enumerate(spec.host_aliases):
        if alias.ip in seen:
            yield f'{path.child("hostAliases").index(i).child("ip")}: duplicate ip "{alias.ip}"'
        seen.add(alias.ip)
    seen = set()
    at = path.child("imagePullSecrets")
    for i, secret in enumerate(spec.image_pull_secrets):
        if secret.name in seen:
            yield f'{at.index(i).child("name")}: duplicate name "{secret.name}"'
        seen.add(secret.name)
    for i, secret in enumerate(spec.image_pull_secrets):
        if not secret.name:
            yield f'{at.index(i).child("name")}: invalid empty name ""'


def _affinity_warnings(path: Path, affinity: Affinity) -> Iterator[str]:
    for name, terms in (
        ("podAffinity", affinity.pod_affinity),
        ("podAntiAffinity", affinity.pod_anti_affinity),
    ):
        if terms is None:
            continue
        for i, term in enumerate(terms.required_during_scheduling_ignored_during_execution):
            yield from _no_match(path.child(name, _REQUIRED).index(i), term)
        preferred = terms.preferred_during_scheduling_ignored_during_execution
        for i, weighted in enumerate(preferred):
            at = path.child(name, _PREFERRED).index(i).child("podAffinityTerm")
            yield from _no_match(at, weighted.pod_affinity_term)


def _no_match(path: Path, term: PodAffinityTerm) -> Iterator[str]:
    if term.label_selector is None:
        yield f"{path.child('labelSelector')}: {_NO_MATCH}"


def _address_warnings(path: Path, spec: PodSpec) -> Iterator[str]:
    """IPv6 addresses that are written another way than everybody writes them."""
    servers = spec.dns_config.nameservers if spec.dns_config is not None else []
    at = path.child("dnsConfig", "nameservers")
    places = [(at.index(i), server) for i, server in enumerate(servers)]
    at = path.child("hostAliases")
    places += [(at.index(i).child("ip"), alias.ip) for i, alias in enumerate(spec.host_aliases)]
    for here, text in places:
        yield from address_warnings(here, text)
