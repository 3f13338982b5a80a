"""Starting a Pod's sandbox: its directories, its cgroup, its configuration, then the runtime."""

from __future__ import annotations

from podium.api import scheme
from podium.api.errors import ApiError
from podium.api.types.core_v1 import Pod
from podium.client.errors import Unreachable
from podium.domain.pods.dns import pod_resolver
from podium.domain.pods.hostname import NameTooLong
from podium.domain.pods.user_namespaces import NoRange
from podium.kubelet.pod_config import sandbox_config
from podium.kubelet.pod_files import PodFiles
from podium.kubelet.services import NodeServices
from podium.runtime.port import PodSandboxConfig, RuntimeFailure


class SandboxProblem(Exception):
    """No sandbox came about; the text goes with FailedCreatePodSandBox."""


class SandboxStarter:
    """Starts the sandboxes of one Pod."""

    def __init__(self, node: NodeServices, files: PodFiles) -> None:
        self._node, self._files = node, files
        self._told_dns = False

    def config(self, pod: Pod, attempt: int) -> PodSandboxConfig:
        """What sandbox and containers have in common. Raises NameTooLong."""
        node = self._node
        resolver, events = pod_resolver(pod, node.resolver(), node.cluster_dns)
        if not self._told_dns:
            self._told_dns = True
            for event in events:
                node.events.event(pod, "Warning", event.reason, event.message)
        logs, domain = self._files.log_directory, node.cluster_dns.domain
        users = node.user_namespaces.of(pod)
        return sandbox_config(pod, attempt, resolver, node.cgroups.path(pod), logs, domain, users)

    async def start(self, pod: Pod, attempt: int) -> None:
        """Raises SandboxProblem."""
        try:
            handler = await self._handler(pod)
            self._files.create()
            if pod.spec.host_users is False:
                await self._claim_users(pod, handler)
            config = self.config(pod, attempt)
            self._node.cgroups.create(pod)
            await self._node.runtime.run_pod_sandbox(config, handler)
        except RuntimeFailure as exc:
            raise SandboxProblem(exc.rpc_error) from exc
        except (NameTooLong, NoRange, OSError) as exc:
            raise SandboxProblem(str(exc)) from exc

    async def _handler(self, pod: Pod) -> str:
        """The low-level runtime that the Pod's RuntimeClass stands for; "" is the node's usual."""
        name = pod.spec.runtime_class_name
        if not name:
            return ""
        try:
            found = await self._node.client.get(scheme.RUNTIMECLASSES, name)
        except (ApiError, Unreachable) as exc:
            if isinstance(exc, ApiError) and exc.code == 404:
                raise SandboxProblem(f'runtimeclass.node.k8s.io "{name}" not found') from exc
            raise SandboxProblem(f"failed to lookup RuntimeClass {name}: {exc}") from exc
        return str(found.handler)

    async def _claim_users(self, pod: Pod, handler: str) -> None:
        known = {found.name: found for found in await self._node.runtime.runtime_handlers()}
        if handler in known and not known[handler].user_namespaces:
            who = f'RuntimeClass handler "{handler}"' if handler else "runtime"
            raise SandboxProblem(
                f"can't set `spec.hostUsers: false`, {who} does not support user namespaces"
            )
        self._node.user_namespaces.claim(pod)
