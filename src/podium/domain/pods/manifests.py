"""A static Pod out of its manifest. Follows ``pkg/kubelet/config/common.go``.

Nothing of it may refer to objects of the API: the node runs it whether they are there or not.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from podium.api import codec, meta, names
from podium.api.annotations import HASH, SEEN, SOURCE
from podium.api.defaults.pods import set_defaults_pod
from podium.api.errors import ApiError
from podium.api.priorities import SYSTEM_CLASSES
from podium.api.resources import qos_class
from podium.api.scheme import PODS
from podium.api.types.core_v1 import Pod, PodStatus, Toleration
from podium.api.types.meta_v1 import ObjectMeta
from podium.api.validation.pods import validate_pod
from podium.domain.pods.references import api_reference
from podium.domain.pods.static import FILE


class BadManifest(ValueError):
    """A manifest that no Pod can be made from; the text says why."""


def static_pod(manifest: bytes, path: str, node: str, now: datetime) -> Pod:
    """Make the Pod of a manifest at *path*, in YAML or JSON. Raises BadManifest.

    Its uid is a hash of all that: what changes in the manifest makes another Pod.
    """
    try:
        decoded, _ = codec.decode(
            PODS, manifest, content_type="application/yaml", validation="Strict"
        )
    except ApiError as exc:
        raise BadManifest(exc.status.message) from None
    pod: Pod = decoded
    if not pod.metadata.name:
        raise BadManifest("metadata.name: Required value")
    uid = hashlib.md5(usedforsecurity=False)
    for part in (node.encode(), path.encode(), codec.encode(pod)):
        uid.update(b"%d:%b" % (len(part), part))
    given = pod.metadata
    pod.metadata = ObjectMeta(
        name=f"{given.name}-{node.lower()}",
        namespace=given.namespace or "default",
        uid=uid.hexdigest(),
        labels=given.labels,
        annotations={
            **given.annotations,
            HASH: uid.hexdigest(),
            SEEN: f"{now:%Y-%m-%dT%H:%M:%S.%f}000Z",
            SOURCE: FILE,
        },
        creation_timestamp=now.replace(microsecond=0),
    )
    _complete(pod, node)
    _check(pod)
    return pod


def _complete(pod: Pod, node: str) -> None:
    spec = pod.spec
    set_defaults_pod(pod)
    spec.node_name = node
    if spec.priority is None:
        # Other classes than those that every cluster has the API alone knows.
        spec.priority = SYSTEM_CLASSES.get(spec.priority_class_name)
    for_ever = Toleration(operator="Exists", effect="NoExecute")
    if for_ever not in spec.tolerations:
        spec.tolerations = [*spec.tolerations, for_ever]
    pod.status = PodStatus(phase="Pending", qos_class=qos_class(pod))


def _check(pod: Pod) -> None:
    offences = [
        *meta.validate_object_meta(pod.metadata, True, names.name_is_dns_subdomain),
        *validate_pod(pod),
    ]
    if offences:
        raise BadManifest("; ".join(map(str, offences)))
    resource = api_reference(pod)
    if resource:
        raise BadManifest(f"static pods may not reference {resource}")
