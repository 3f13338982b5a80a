"""Who has a certificate in a cluster, and where they are; ``certificates`` makes them."""

from __future__ import annotations

from pathlib import Path

import msgspec

from podium.cluster.config import ClusterConfig


class Identity(msgspec.Struct, frozen=True):
    """A certificate to be: a subject, what it is for, and the names a server answers to."""

    name: str  #: file name without ending
    common_name: str
    organizations: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()  #: a server certificate when there are any


def identities(config: ClusterConfig) -> tuple[Identity, ...]:
    """Who there is in a cluster of one node, and under which upstream user and group."""
    node = config.node_name
    return (
        Identity("admin", "kubernetes-admin", ("system:masters",)),
        Identity("controller-manager", "system:kube-controller-manager"),
        Identity("scheduler", "system:kube-scheduler"),
        Identity("kubelet-client", f"system:node:{node}", ("system:nodes",)),
        Identity("apiserver-kubelet-client", "kube-apiserver-kubelet-client"),
        Identity(
            "apiserver",
            "kube-apiserver",
            hosts=(
                "localhost",
                "kubernetes",
                "kubernetes.default",
                "kubernetes.default.svc",
                "kubernetes.default.svc.cluster.local",
                node,
                "127.0.0.1",
                "::1",
                config.kubernetes_service_ip,
                config.gateway,
                config.node_ip,
                config.server_address,
            ),
        ),
        Identity(
            "kubelet",
            f"system:node:{node}",
            ("system:nodes",),
            (node, "localhost", "127.0.0.1", config.node_ip),
        ),
    )


class Pki(msgspec.Struct, frozen=True):
    """Where the files are."""

    directory: Path

    @property
    def ca(self) -> Path:
        return self.directory / "ca.crt"

    @property
    def service_account_key(self) -> Path:
        return self.directory / "sa.key"

    def cert(self, name: str) -> Path:
        return self.directory / f"{name}.crt"

    def key(self, name: str) -> Path:
        return self.directory / f"{name}.key"
