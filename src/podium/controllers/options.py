"""What the controller manager is told when it starts."""

from __future__ import annotations

import msgspec

from podium.client.config import ClientConfig
from podium.controllers.local_path import LocalPathOptions


class ControllerOptions(msgspec.Struct, frozen=True):
    """*ca_file* is the bundle that Pods verify the API server with; durations are seconds."""

    client_config: ClientConfig
    ca_file: str
    #: The API server's key for tokens; without it, Secrets for tokens stay empty.
    service_account_key_file: str = ""
    #: Wait for the lease kube-system/kube-controller-manager first.
    leader_elect: bool = False
    #: The candidate's name, where it is not to be the process's.
    identity: str = ""
    #: How long a node may say nothing before it is called unreachable.
    node_monitor_grace_period: float = 40.0
    #: The same for a node that has never said anything.
    node_startup_grace_period: float = 60.0
    #: Pods that are over and may stay in the API; the oldest beyond that are deleted.
    terminated_pod_threshold: int = 12500
    #: Where the default StorageClass makes its directories; None for no such class.
    local_path: LocalPathOptions | None = None
