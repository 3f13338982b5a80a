"""The manifests of static Pods: read at once when they change, and again now and then.

A file that says no Pod any more leaves the one running that it said before; an event about the node
and the log tell why.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path

from podium.api.types.core_v1 import Pod
from podium.domain.pods.manifests import BadManifest, static_pod
from podium.kit.clock import Clock
from podium.kit.files import read_plain
from podium.kubelet.file_news import ENTRIES, FileNews

logger = logging.getLogger(__name__)

#: Bytes that a manifest may have.
LARGEST_MANIFEST = 1 << 20


class StaticPods:
    """Reads *path*, a directory of manifests or one; *complain* is told what is wrong with one."""

    def __init__(
        self, path: Path, node: str, frequency: float, clock: Clock, complain: Callable[[str], None]
    ) -> None:
        self._path, self._node, self._frequency = path, node, frequency
        self._clock, self._complain = clock, complain
        self._known: dict[Path, tuple[bytes, Pod]] = {}
        self._told: dict[Path, str] = {}

    def read(self) -> list[Pod]:
        """Return the Pods that there are manifests of now; as of before where that cannot be
        told."""
        try:
            files = self._files()
        except OSError as exc:
            self._tell(self._path, f"manifests cannot be read: {exc}")
        else:
            self._told = {file: text for file, text in self._told.items() if file in files}
            found = {file: self._read(file) for file in files}
            self._known = {file: known for file, known in found.items() if known is not None}
        return [pod for _, pod in self._known.values()]

    async def follow(self, changed: Callable[[list[Pod]], None]) -> None:
        """Call *changed* with the Pods whenever they may be others, until cancelled."""
        while True:
            directory = self._path if self._path.is_dir() else self._path.parent
            try:
                with FileNews(directory, ENTRIES) as news:
                    changed(self.read())
                    await self._clock.wait(news.changed, self._frequency)
            except OSError as exc:
                logger.warning("manifests cannot be watched", extra={"error": exc})
                changed(self.read())
                await self._clock.sleep(self._frequency)

    def _files(self) -> list[Path]:
        """Raises OSError."""
        try:
            entries = sorted(self._path.iterdir())
        except NotADirectoryError:
            return [self._path]
        except FileNotFoundError:
            return []
        return [entry for entry in entries if not entry.name.startswith(".")]

    def _read(self, file: Path) -> tuple[bytes, Pod] | None:
        known = self._known.get(file)
        try:
            text = _content(file)
            if text is None:
                return None
            if known is not None and known[0] == text:
                return known
            pod = static_pod(text, str(file), self._node, self._clock.now())
        except FileNotFoundError:
            return None
        except (OSError, BadManifest) as exc:
            self._tell(file, f"manifest {file} is of no use: {exc}")
            return known
        self._told.pop(file, None)
        return text, pod

    def _tell(self, file: Path, text: str) -> None:
        if self._told.get(file) != text:
            self._told[file] = text
            logger.warning(text)
            self._complain(text)


def _content(path: Path) -> bytes | None:
    """Return what is in a plain file, None for anything else. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    text = read_plain(descriptor, LARGEST_MANIFEST + 1)
    if text is not None and len(text) > LARGEST_MANIFEST:
        raise BadManifest(f"larger than {LARGEST_MANIFEST} bytes")
    return text
