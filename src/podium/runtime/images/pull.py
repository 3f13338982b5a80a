"""Pulling one image: resolve, fetch what is missing, unpack, make it known."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from collections.abc import Awaitable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Protocol

import msgspec

from podium.kit.clock import Clock
from podium.kit.threads import run_in_thread
from podium.runtime.image_port import AuthConfig
from podium.runtime.images.assemble import LayerPlan, install_layer, plan_layers
from podium.runtime.images.distribution import Repository
from podium.runtime.images.index import ImageRecord
from podium.runtime.images.reference import Reference, quote
from podium.runtime.images.registries import Registries
from podium.runtime.images.spec import (
    Descriptor,
    InvalidImage,
    Manifest,
    decode_config,
    decode_manifest,
    select_platform,
)
from podium.runtime.images.store import ImageStore
from podium.runtime.images.transport import Transport, Unreachable
from podium.runtime.port import RuntimeFailure

_PARALLEL_DOWNLOADS = 3  # as containerd
_MAX_NESTING = 4  # indexes in indexes


class PullProgress(Protocol):
    """Told what a pull does, layer by layer."""

    def downloading(self, digest: str, received: int, total: int) -> None: ...

    def unpacking(self, digest: str) -> None: ...

    def done(self, digest: str) -> None: ...


class Puller(msgspec.Struct, frozen=True):
    store: ImageStore
    registries: Registries
    clock: Clock

    async def pull(
        self, reference: Reference, auth: AuthConfig | None, progress: PullProgress | None
    ) -> str:
        """Fetch *reference*; return the image's ID. What is there already is not fetched again.

        Raises RuntimeFailure in containerd's words. Cancelled or failed, it leaves nothing but
        whole layers, which the next pull finds.
        """
        try:
            with self.store.adding() as workspace:
                try:
                    async with Transport(self.registries, self.clock) as transport:
                        repository = Repository(
                            reference, transport, self.registries, auth, self.clock
                        )
                        return await self._pull(reference, repository, workspace, progress)
                finally:
                    await run_in_thread(partial(shutil.rmtree, workspace, ignore_errors=True))
        except OSError as exc:
            raise _failed(reference, RuntimeFailure(str(exc))) from exc
        except RuntimeFailure as exc:
            raise _failed(reference, exc) from exc

    async def _pull(
        self,
        reference: Reference,
        repository: Repository,
        workspace: Path,
        progress: PullProgress | None,
    ) -> str:
        try:
            resolved = await repository.resolve()
        except RuntimeFailure as exc:
            text = f"failed to resolve reference {quote(str(reference))}: {exc}"
            raise RuntimeFailure(text, exc.code) from exc
        names = _names(reference, resolved.descriptor.digest)
        index = self.store.index()
        known = index.names.get(names[0])
        if known is not None and self.store.is_usable(known):
            return await run_in_thread(partial(self._name, known, index.images[known], names))
        descriptor, manifest = await self._manifest(repository, resolved.descriptor, 0)
        config_bytes = await repository.config(manifest.config)
        plans = plan_layers(decode_config(config_bytes), len(manifest.layers))
        work = _Layers(self.store, repository, workspace, progress)
        await work.install(plans, manifest.layers)
        parts = (manifest.config, *manifest.layers)
        size = descriptor.size + sum(part.size for part in parts)
        layers = [plan.name for plan in reversed(plans)]
        return await run_in_thread(partial(self.store.add_image, config_bytes, size, layers, names))

    async def _manifest(
        self, repository: Repository, descriptor: Descriptor, depth: int
    ) -> tuple[Descriptor, Manifest]:
        """Descend from an index to the manifest for this machine."""
        content = await repository.manifest(descriptor)
        document = decode_manifest(content, descriptor.media_type)
        if isinstance(document, Manifest):
            return Descriptor(descriptor.digest, len(content)), document
        chosen = select_platform(document)
        if chosen is None or depth >= _MAX_NESTING:
            text = f"no match for platform in manifest {descriptor.digest}: not found"
            raise InvalidImage(text, "NotFound")
        return await self._manifest(repository, chosen, depth + 1)

    def _name(self, image_id: str, record: ImageRecord, names: Sequence[str]) -> str:
        """Let *names* mean the image that is here already."""
        self.store.change(lambda index: index.with_image(image_id, record, names))
        return image_id


@cache
def _unpackers() -> ThreadPoolExecutor:
    """Threads that nobody else waits for: Pods start and end while images are unpacked."""
    return ThreadPoolExecutor(thread_name_prefix="unpack")


class _Layers:
    """Downloads an image's layers side by side and unpacks them in their order."""

    def __init__(
        self,
        store: ImageStore,
        repository: Repository,
        workspace: Path,
        progress: PullProgress | None,
    ) -> None:
        self._store, self._repository, self._workspace = store, repository, workspace
        self._progress = progress
        self._slots = asyncio.Semaphore(_PARALLEL_DOWNLOADS)
        self._stop = threading.Event()

    async def install(self, plans: Sequence[LayerPlan], blobs: Sequence[Descriptor]) -> None:
        missing = [plan for plan in plans if not self._store.has_layer(plan.name)]
        failure: RuntimeFailure | None = None
        try:
            async with asyncio.TaskGroup() as group:
                downloads = {
                    plan: group.create_task(self._download(plan, blobs[plan.number]))
                    for plan in missing
                }
                for plan in missing:
                    await self._unpack(plan, blobs[plan.number], downloads[plan])
        except* RuntimeFailure as several:
            failure = _first(several)
        if failure is not None:
            raise failure

    async def _download(self, plan: LayerPlan, blob: Descriptor) -> Path:
        path = self._store.download_path(self._workspace, plan.number, blob.digest)

        def progress(received: int) -> None:
            if self._progress is not None:
                self._progress.downloading(blob.digest, received, blob.size)

        async with self._slots:
            self._store.take_partial(blob.digest, path)
            try:
                await self._repository.blob(blob, path, progress)
            except Unreachable:
                self._store.keep_partial(blob.digest, path)
                raise
        return path

    async def _unpack(self, plan: LayerPlan, blob: Descriptor, download: Awaitable[Path]) -> None:
        path = await download
        if self._progress is not None:
            self._progress.unpacking(blob.digest)
        await run_in_thread(partial(self._install, plan, blob, path), self._stop.set, _unpackers())
        if self._progress is not None:
            self._progress.done(blob.digest)

    def _install(self, plan: LayerPlan, blob: Descriptor, path: Path) -> None:
        with path.open("rb", buffering=0) as source:
            install_layer(
                self._store,
                self._workspace,
                plan,
                source,
                digest=blob.digest,
                checkpoint=self._checkpoint,
            )
        os.unlink(path)

    def _checkpoint(self) -> None:
        if self._stop.is_set():
            raise RuntimeFailure("the pull was cancelled", "Canceled")


def _names(reference: Reference, digest: str) -> list[str]:
    """Return what the image is called from now on: by digest first, by its tag where it had one."""
    by_digest = str(reference.with_digest(digest))
    return [by_digest] if reference.digest else [by_digest, str(reference)]


def _failed(reference: Reference, exc: RuntimeFailure) -> RuntimeFailure:
    text = f"failed to pull and unpack image {quote(str(reference))}: {exc}"
    return RuntimeFailure(text, exc.code)


def _first(group: BaseExceptionGroup[RuntimeFailure]) -> RuntimeFailure:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
