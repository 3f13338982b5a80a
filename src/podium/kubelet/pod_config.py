"""CRI messages for a Pod: its sandbox and its containers, as configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from podium.api.resources import is_sidecar
from podium.api.types.core_v1 import Container, Pod
from podium.domain.pods import identity
from podium.domain.pods.cgroups import ContainerCgroup
from podium.domain.pods.dns import Resolver
from podium.domain.pods.expansion import expand
from podium.domain.pods.hostname import kernel_hostname
from podium.domain.pods.plan import StartContainer
from podium.domain.pods.sysctls import pod_sysctls
from podium.kubelet.security_context import namespace_options
from podium.runtime.port import (
    ContainerConfig,
    ContainerMetadata,
    DNSConfig,
    LinuxContainerResources,
    LinuxContainerSecurityContext,
    LinuxPodSandboxConfig,
    Mount,
    PodSandboxConfig,
    PodSandboxMetadata,
    PortMapping,
    UserNamespace,
)


def sandbox_config(
    pod: Pod,
    attempt: int,
    resolver: Resolver,
    cgroup: str,
    log_directory: Path,
    cluster_domain: str,
    users: UserNamespace,
) -> PodSandboxConfig:
    """Raises NameTooLong."""
    return PodSandboxConfig(
        metadata=PodSandboxMetadata(
            name=pod.metadata.name,
            uid=pod.metadata.uid,
            namespace=pod.metadata.namespace,
            attempt=attempt,
        ),
        hostname=kernel_hostname(pod, cluster_domain),
        log_directory=str(log_directory),
        dns_config=DNSConfig(resolver.servers, resolver.searches, resolver.options),
        port_mappings=port_mappings(pod),
        labels={**pod.metadata.labels, **_pod_labels(pod)},
        annotations=dict(pod.metadata.annotations),
        linux=LinuxPodSandboxConfig(
            cgroup_parent=cgroup,
            sysctls=pod_sysctls(pod),
            namespace_options=namespace_options(pod, users),
        ),
    )


def port_mappings(pod: Pod) -> list[PortMapping]:
    """Ports of the node that lead to the Pod; on the node's network they are its own anyway."""
    if pod.spec.host_network:
        return []
    sidecars = [c for c in pod.spec.init_containers if is_sidecar(c)]
    return [
        PortMapping(port.protocol or "TCP", port.container_port, port.host_port, port.host_ip)
        for container in (*sidecars, *pod.spec.containers)
        for port in container.ports
        if port.host_port > 0
    ]


def container_config(
    pod: Pod,
    container: Container,
    start: StartContainer,
    *,
    image: str,
    envs: Mapping[str, str],
    mounts: Sequence[Mount],
    security_context: LinuxContainerSecurityContext,
    cgroup: ContainerCgroup,
    hugetlb: Sequence[tuple[str, int]] = (),
    single_process_oom_kill: bool = False,
) -> ContainerConfig:
    return ContainerConfig(
        metadata=ContainerMetadata(container.name, start.attempt),
        image=image,
        user_specified_image=container.image,
        command=[expand(word, envs) for word in container.command],
        args=[expand(word, envs) for word in container.args],
        working_dir=container.working_dir,
        envs=list(envs.items()),
        mounts=mounts,
        labels={**_pod_labels(pod), identity.CONTAINER_NAME: container.name},
        annotations=_annotations(pod, container, start),
        log_path=f"{container.name}/{start.attempt}.log",
        stdin=container.stdin,
        stdin_once=container.stdin_once,
        tty=container.tty,
        stop_signal=(container.lifecycle.stop_signal or "") if container.lifecycle else "",
        resources=LinuxContainerResources(
            cpu_period=cgroup.cpu_period,
            cpu_quota=cgroup.cpu_quota,
            cpu_shares=cgroup.cpu_shares,
            memory_limit_in_bytes=cgroup.memory_limit,
            oom_score_adj=cgroup.oom_score_adj,
            hugepage_limits=hugetlb,
            # Out of memory, all of the container goes, not a part of it.
            unified=() if single_process_oom_kill else (("memory.oom.group", "1"),),
        ),
        security_context=security_context,
    )


def _pod_labels(pod: Pod) -> dict[str, str]:
    return {
        identity.POD_NAME: pod.metadata.name,
        identity.POD_NAMESPACE: pod.metadata.namespace,
        identity.POD_UID: pod.metadata.uid,
    }


def _annotations(pod: Pod, container: Container, start: StartContainer) -> dict[str, str]:
    annotations = {
        identity.CONTAINER_HASH: identity.container_hash(container),
        identity.RESTART_COUNT: str(start.attempt),
        identity.TERMINATION_MESSAGE_PATH: container.termination_message_path,
        identity.TERMINATION_MESSAGE_POLICY: container.termination_message_policy,
        identity.RESTART_BACK_OFF: f"{start.back_off:g}",
    }
    grace = pod.spec.termination_grace_period_seconds
    if grace is not None:
        annotations[identity.GRACE_PERIOD] = str(grace)
    if container.ports:
        ports = [
            {"name": p.name, "containerPort": p.container_port, "protocol": p.protocol}
            for p in container.ports
        ]
        annotations["io.kubernetes.container.ports"] = json.dumps(ports, separators=(",", ":"))
    return annotations
