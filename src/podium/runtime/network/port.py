"""What the runtime asks of a node's Pod network."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

from podium.runtime.port import PortMapping
from podium.runtime.stats_port import NetworkInterfaceUsage


class Network(Protocol):
    """Addresses for sandboxes. Calls raise RuntimeFailure."""

    async def attach(
        self, netns_path: str, sandbox_id: str, ports: Iterable[PortMapping] = ()
    ) -> str:
        """Give the network namespace at *netns_path* an address, which *ports* of the node lead
        to, and return it.

        Repeatable; nothing is left behind when it fails.
        """
        ...

    async def detach(self, sandbox_id: str) -> None:
        """Take the address back. Repeatable; unknown sandboxes are fine."""
        ...

    def usage(self, sandbox_ids: Iterable[str]) -> Mapping[str, NetworkInterfaceUsage]:
        """What each sandbox has received and sent; those without an address are left out."""
        ...

    async def reconcile(self, live: Collection[str]) -> None:
        """Take back what sandboxes other than *live* hold: called once, at start."""
        ...

    def ready(self) -> str:
        """Return why no sandbox can be attached; the empty text when all is well."""
        ...
