"""Namespaces that are made ahead, so that the start of a Pod does not wait for them.

Descriptors alone hold them: they go with this process, however it ends. There is one set at most,
made when no sandbox has been asked for in a while; of a crowd of Pods, the others make their own.
What new namespaces take over from the host (``net.ipv4.conf``) is as it was when the set was made.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Collection

from podium.runtime import linux
from podium.runtime.oci import namespaces
from podium.runtime.oci.layout import SandboxPaths

logger = logging.getLogger(__name__)

#: Seconds without a sandbox after which a set is made.
PAUSE = 0.25


class SpareSet:
    """A network, an IPC and a UTS namespace, with the sysctls of ``network_sysctls``; the loopback
    link is up.

    Raises OSError, RuntimeFailure.
    """

    def __init__(self) -> None:
        self._descriptors = namespaces.make(namespaces.network_sysctls())

    def pin(self, paths: SandboxPaths, kinds: Collection[str], hostname: str) -> None:
        """Do as ``namespaces.pin`` does, but wait for nobody: what changes the network inside waits
        for all others in the kernel that do. Raises OSError."""
        for kind in kinds:
            target = paths.namespace(kind)
            target.touch(mode=0o600)
            source = f"/proc/self/fd/{self._descriptors[kind]}"
            linux.mount(source, str(target), flags=linux.MS_BIND)
        namespaces.furnish(paths, [kind for kind in kinds if kind == "uts"], hostname, {})

    def close(self) -> None:
        """Let go of what has not been pinned."""
        for descriptor in self._descriptors.values():
            os.close(descriptor)
        self._descriptors = {}


class SpareNamespaces:
    """Sees to it that there is a set, with the sysctls that most sandboxes have."""

    def __init__(self) -> None:
        self._spare: SpareSet | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._making: asyncio.Future[SpareSet] | None = None
        self._closed = False

    def take(self) -> SpareSet | None:
        """Return the set, if there is one; it is the caller's to close."""
        spare, self._spare = self._spare, None
        return spare

    def make_later(self) -> None:
        """Have a set made after a pause, which begins anew with each call."""
        if self._timer is not None:
            self._timer.cancel()
        if not self._closed:
            self._timer = asyncio.get_running_loop().call_later(PAUSE, self._begin)

    def close(self) -> None:
        """Let go of the set; none is made any more. Repeatable."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        spare = self.take()
        if spare is not None:
            spare.close()

    def _begin(self) -> None:
        if self._spare is None and self._making is None:
            self._making = asyncio.get_running_loop().run_in_executor(None, SpareSet)
            self._making.add_done_callback(self._made)

    def _made(self, making: asyncio.Future[SpareSet]) -> None:
        self._making = None
        if making.cancelled():
            return
        error = making.exception()
        if error is not None:  # the next sandbox makes its own, or says why it cannot
            logger.warning("no namespaces could be made ahead", extra={"error": error})
        elif self._closed:
            making.result().close()
        else:
            self._spare = making.result()
