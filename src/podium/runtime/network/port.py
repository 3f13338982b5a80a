"""What the runtime asks of a node's Pod network."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Protocol

from podium.runtime.port import PortMapping


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

    async def reconcile(self, live: Collection[str]) -> None:
        """Take back what sandboxes other than *live* hold: called once, at start."""
        ...

    def ready(self) -> str:
        """Return why no sandbox can be attached; the empty text when all is well."""
        ...
