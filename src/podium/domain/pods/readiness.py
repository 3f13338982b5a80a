"""Whether a Pod may be sent traffic, and counts where a number of Pods is wanted."""

from __future__ import annotations

from podium.api.types.core_v1 import Pod


def is_ready(pod: Pod) -> bool:
    return any(c.type == "Ready" and c.status == "True" for c in pod.status.conditions)
