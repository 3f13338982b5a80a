"""Starting one container: its environment and mounts, then create and start at the runtime."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from podium.api.annotations import SEEN, SOURCE
from podium.api.types.core_v1 import Container, Pod
from podium.domain.pods.cgroups import container_cgroup
from podium.domain.pods.container_status import Waiting
from podium.domain.pods.containers import field_path, find_container, target_of
from podium.domain.pods.downward import DownwardFacts
from podium.domain.pods.environment import EnvironmentProblem, EnvironmentSources, environment
from podium.domain.pods.observed import SandboxRecord
from podium.domain.pods.plan import StartContainer
from podium.domain.pods.security import SecurityProblem, check_non_root
from podium.domain.pods.service_environment import service_environment
from podium.domain.pods.unsupported import unsupported_ephemeral_fields, unsupported_message
from podium.domain.pods.volume_files import VolumeProblem
from podium.kubelet.images import ImageReady
from podium.kubelet.objects import mounted_volumes
from podium.kubelet.pod_config import container_config
from podium.kubelet.pod_files import PodFiles, read_in_volume
from podium.kubelet.security_context import security_context
from podium.kubelet.services import NodeServices
from podium.kubelet.volumes.manager import PodVolumes
from podium.kubelet.volumes.mounts import volume_mounts
from podium.runtime.port import (
    ContainerConfig,
    Mount,
    PodSandboxConfig,
    RuntimeFailure,
)


class ContainerStarter(msgspec.Struct, frozen=True):
    """Starts containers of one Pod; events tell the user what happened."""

    node: NodeServices
    files: PodFiles
    volumes: PodVolumes

    async def start(
        self,
        pod: Pod,
        action: StartContainer,
        sandbox: SandboxRecord,
        sandbox_config: PodSandboxConfig,
        image: ImageReady,
        target: str = "",
    ) -> str | Waiting:
        """Start the container; return its ID when it runs, else why it does not.

        *target* is the ID of the container whose processes it is to see, if it names one.
        """
        container = find_container(pod, action.name)
        assert container is not None, "plan() starts containers of the spec only"
        wanted = target_of(pod, container.name)
        if wanted and not target:
            text = f"unable to find target container {wanted}"
            return self._failed(pod, container, "CreateContainerConfigError", text)
        unserved = unsupported_ephemeral_fields(pod, container.name, self.node.rules.modules)
        if unserved:
            text = unsupported_message(unserved)
            return self._failed(pod, container, "CreateContainerConfigError", text)
        try:
            await self.volumes.still_answer(pod, container)
            config = self._config(pod, container, action, sandbox, image, target)
        except (EnvironmentProblem, SecurityProblem, VolumeProblem, OSError) as exc:
            return self._failed(pod, container, "CreateContainerConfigError", str(exc))
        runtime = self.node.runtime
        try:
            container_id = await runtime.create_container(sandbox.id, config, sandbox_config)
        except RuntimeFailure as exc:
            return self._failed(pod, container, "CreateContainerError", str(exc))
        self._event(pod, container, "Normal", "Created", f"Created container {container.name}")
        try:
            await runtime.start_container(container_id)
        except RuntimeFailure as exc:
            return self._failed(pod, container, "RunContainerError", str(exc))
        self._event(pod, container, "Normal", "Started", f"Started container {container.name}")
        return container_id

    def _failed(self, pod: Pod, container: Container, reason: str, text: str) -> Waiting:
        self._event(pod, container, "Warning", "Failed", f"Error: {text}")
        return Waiting(reason, text)

    def _event(self, pod: Pod, container: Container, kind: str, reason: str, text: str) -> None:
        path = field_path(pod, container.name)
        self.node.events.event(
            pod, "Warning" if kind == "Warning" else "Normal", reason, text, field_path=path
        )

    def _config(
        self,
        pod: Pod,
        container: Container,
        action: StartContainer,
        sandbox: SandboxRecord,
        image: ImageReady,
        target: str,
    ) -> ContainerConfig:
        envs = self._environment(pod, container, sandbox)
        check_non_root(pod, container, image.user)
        profiles = self.node.options.seccomp_dir
        users = self.node.user_namespaces.of(pod)
        self.files.make_log_directory(container)
        quota = self.node.options.config.cpu_quota
        cgroup = container_cgroup(pod, container, self.node.node_memory, quota)
        return container_config(
            pod,
            container,
            action,
            image=image.id,
            envs=envs,
            mounts=self._mounts(pod, container, action.attempt, sandbox, envs, image.volumes),
            security_context=security_context(pod, container, image.user, profiles, users, target),
            cgroup=cgroup,
            hugetlb=self.node.cgroups.hugetlb(cgroup.hugepages),
            single_process_oom_kill=self.node.options.config.single_process_oom_kill,
        )

    def _environment(
        self, pod: Pod, container: Container, sandbox: SandboxRecord
    ) -> dict[str, str]:
        namespace, objects = pod.metadata.namespace, self.node.objects
        links = pod.spec.enable_service_links is not False
        sources = EnvironmentSources(
            config_map=lambda name: objects.config_map(namespace, name),
            secret=lambda name: objects.secret(namespace, name),
            services=service_environment(self.node.services(), namespace, links=links),
            facts=downward_facts(self.node, sandbox.ips),
            file=lambda volume, path: self._volume_file(pod, volume, path),
        )
        return environment(pod, container, sources)

    def _volume_file(self, pod: Pod, name: str, path: str) -> str:
        """Read what some container has left in a volume. Raises EnvironmentProblem."""
        volume = next((found for found in mounted_volumes(pod) if found.name == name), None)
        if volume is None:
            raise EnvironmentProblem(f'cannot find the volume "{name}" referenced by FileKeyRef')
        try:
            return read_in_volume(Path(self.volumes.source(volume)[0]), path)
        except OSError as exc:
            raise EnvironmentProblem("couldn't parse env file") from exc

    def _mounts(
        self,
        pod: Pod,
        container: Container,
        attempt: int,
        sandbox: SandboxRecord,
        envs: Mapping[str, str],
        images: Mapping[str, str],
    ) -> list[Mount]:
        mounts = list(volume_mounts(pod, container, envs, self.volumes, images))
        taken = {mount.container_path for mount in mounts}
        if "/etc/hosts" not in taken:
            mounts.append(self.files.hosts_mount(pod, sandbox.ips))
        if container.termination_message_path:
            mounts.append(self.files.termination_mount(container, attempt))
        return mounts


def downward_facts(
    node: NodeServices, ips: tuple[str, ...] = (), seen: datetime | None = None
) -> DownwardFacts:
    """What downward API fields may name; *seen* is when the kubelet first saw the Pod."""
    annotations = {}
    if seen is not None:
        annotations[SEEN] = f"{seen:%Y-%m-%dT%H:%M:%S.%f}000Z"
        annotations[SOURCE] = "api"
    allocatable = node.node().status.allocatable
    return DownwardFacts(node.options.node_ip, ips, allocatable, annotations)
