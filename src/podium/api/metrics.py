"""``metrics.k8s.io/v1beta1``: what Pods and nodes use. Upstream serves it by metrics-server.

Nothing of it is stored, and none of it is in Kubernetes' own OpenAPI definitions.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct, field

from podium.api.served import Resource
from podium.api.types.meta_v1 import ObjectMeta

GROUP, VERSION = "metrics.k8s.io", "v1beta1"


class ContainerMetrics(Struct, kw_only=True):
    name: str
    usage: dict[str, str]


class PodMetrics(Struct, kw_only=True, rename={"api_version": "apiVersion"}):
    """``window`` is a Go duration: the usage is the mean of that time until ``timestamp``."""

    kind: str = "PodMetrics"
    api_version: str = f"{GROUP}/{VERSION}"
    metadata: ObjectMeta = field(default_factory=ObjectMeta)
    timestamp: datetime | None = None
    window: str = "0s"
    containers: list[ContainerMetrics] = field(default_factory=list)


class NodeMetrics(Struct, kw_only=True, rename={"api_version": "apiVersion"}):
    kind: str = "NodeMetrics"
    api_version: str = f"{GROUP}/{VERSION}"
    metadata: ObjectMeta = field(default_factory=ObjectMeta)
    timestamp: datetime | None = None
    window: str = "0s"
    usage: dict[str, str] = field(default_factory=dict)


PODMETRICS = Resource(
    GROUP, VERSION, "PodMetrics", "pods", "pod", verbs=("get", "list"),
    strategy="usage", stored=False, struct=PodMetrics,
)  # fmt: skip
NODEMETRICS = Resource(
    GROUP, VERSION, "NodeMetrics", "nodes", "node", namespaced=False, verbs=("get", "list"),
    strategy="usage", stored=False, struct=NodeMetrics,
)  # fmt: skip
RESOURCES = (NODEMETRICS, PODMETRICS)
