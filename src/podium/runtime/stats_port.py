"""What containers and Pods use, as CRI's stats calls tell it. See ``port``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from podium.runtime.image_port import FilesystemUsage


class CpuMemoryUsage(msgspec.Struct, frozen=True):
    """A container's or sandbox's use of its cgroup.

    ``memory_usage_bytes`` counts the page cache, the working set only what of it is in use.
    """

    cpu_usage_nanoseconds: int
    memory_working_set_bytes: int
    memory_rss_bytes: int
    memory_usage_bytes: int = 0
    page_faults: int = 0
    major_page_faults: int = 0
    swap_usage_bytes: int = 0


class NetworkInterfaceUsage(msgspec.Struct, frozen=True):
    """What an interface has received and sent since it was made."""

    name: str
    rx_bytes: int = 0
    rx_packets: int = 0
    rx_errors: int = 0
    rx_dropped: int = 0
    tx_bytes: int = 0
    tx_packets: int = 0
    tx_errors: int = 0
    tx_dropped: int = 0


class StatsService(Protocol):
    """The part of ``runtime.v1.RuntimeService`` that measures."""

    async def container_stats(self, container_id: str) -> CpuMemoryUsage:
        """Raises NotFound, and RuntimeFailure where it does not run."""
        ...

    async def writable_layers(self, container_ids: Sequence[str]) -> Mapping[str, FilesystemUsage]:
        """What containers have written beyond their images; takes time, as it is counted now.

        Those that are not there, and those that cannot be told, are left out.
        """
        ...

    async def pod_sandbox_networks(self) -> Mapping[str, Sequence[NetworkInterfaceUsage]]:
        """What each ready sandbox's interfaces have carried; none on the node's network."""
        ...
