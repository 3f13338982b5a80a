"""What the scheduler is told when it starts."""

from __future__ import annotations

import msgspec

from podium.client.config import ClientConfig


class SchedulerOptions(msgspec.Struct, frozen=True):
    """*scheduler_name* is that of the Pods it serves and of the component its events come from."""

    client_config: ClientConfig
    scheduler_name: str = "default-scheduler"
    #: Wait for the lease kube-system/kube-scheduler first, for several schedulers at a time.
    leader_elect: bool = False
    #: The candidate's name, where it is not to be the process's.
    identity: str = ""
    event_pause: float = 0.0  #: see EventRecorder
