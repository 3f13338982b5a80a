"""Every active namespace has a ConfigMap ``kube-root-ca.crt`` to verify the API server with."""

from __future__ import annotations

from pathlib import Path

import msgspec

from podium.api import scheme
from podium.api.types.core_v1 import ConfigMap, Namespace
from podium.api.types.meta_v1 import ObjectMeta
from podium.client.client import Client
from podium.client.informer import Informer
from podium.client.workqueue import WorkQueue
from podium.controllers.creating import create_unless_there, is_active
from podium.controllers.loop import work
from podium.kit.clock import Clock

NAME = "kube-root-ca.crt"
ANNOTATION = "kubernetes.io/description"
DESCRIPTION = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal "
    "endpoints such as the internal service IP or kubernetes.default.svc. "
    "No other usage is guaranteed across distributions of Kubernetes clusters."
)


class RootCaPublisher:
    """Keys are names of namespaces. *config_maps* need hold none but those called as above."""

    def __init__(
        self,
        client: Client,
        namespaces: Informer[Namespace],
        config_maps: Informer[ConfigMap],
        ca_file: str,
        clock: Clock,
    ) -> None:
        self._client, self._namespaces, self._config_maps = client, namespaces, config_maps
        self._ca_file = Path(ca_file)
        self._queue: WorkQueue[str] = WorkQueue(clock)
        namespaces.on_change(lambda _, new: self._queue.add(new.metadata.name) if new else None)
        config_maps.on_change(self._config_map_changed)

    async def run(self) -> None:
        await work("root-ca-certificate-publisher", self._queue, self._reconcile)

    def _config_map_changed(self, old: ConfigMap | None, new: ConfigMap | None) -> None:
        config_map = new or old
        if config_map is not None and config_map.metadata.name == NAME:
            self._queue.add(config_map.metadata.namespace)

    async def _reconcile(self, namespace: str) -> None:
        if not is_active(self._namespaces.get("", namespace)):
            return
        wanted = publish(self._config_maps.get(namespace, NAME), namespace, self._bundle())
        if wanted is None:
            return
        if wanted.metadata.resource_version:
            await self._client.update(scheme.CONFIGMAPS, wanted)
        else:
            await create_unless_there(self._client, scheme.CONFIGMAPS, wanted)

    def _bundle(self) -> str:
        return self._ca_file.read_text()


def publish(current: ConfigMap | None, namespace: str, bundle: str) -> ConfigMap | None:
    """Return the ConfigMap to write, None when *current* will do."""
    data = {"ca.crt": bundle}
    if current is None:
        metadata = ObjectMeta(name=NAME, namespace=namespace, annotations={ANNOTATION: DESCRIPTION})
        return ConfigMap(metadata=metadata, data=data)
    annotations = current.metadata.annotations
    if current.data == data and annotations.get(ANNOTATION):
        return None
    metadata = msgspec.structs.replace(
        current.metadata, annotations={**annotations, ANNOTATION: DESCRIPTION}
    )
    return msgspec.structs.replace(current, metadata=metadata, data=data)
