"""Images on disk, safe for several processes and for a power cut at any moment.

    index.json        images and names (``index.ImageIndex``)
    blobs/sha256/HEX  configurations
    layers/NAME/      unpacked layers; NAME stands for the layer and all below it (its chain ID)
    holds/CONTAINER   the ID of the image that a container uses
    ingest/           what is being fetched or unpacked; rubbish when nobody adds, but for downloads
    partial/HEX       layers whose download broke off: where the next one goes on, for a day
    lock, adding      locked while the index changes; shared while images are added

What has its name in ``blobs`` or ``layers`` is whole, verified and synced; it gets there by a
rename. Everything is below a directory that only root may enter: layers hold setuid programs.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from podium.kit.files import sync_directory, write_atomic
from podium.runtime.images.index import ImageIndex, ImageRecord
from podium.runtime.images.spec import (
    MAX_DOCUMENT_BYTES,
    ImageConfig,
    InvalidImage,
    decode_config,
)
from podium.runtime.port import NotFound, RuntimeFailure

_HOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
#: Downloads that broke off are kept from this many bytes on, for so long (seconds), so many.
_WORTH_KEEPING, _KEPT_FOR, _KEPT = 256 * 1024, 86400.0, 8
#: What a download is called in its workspace: the layer's number and its digest.
_DOWNLOAD = re.compile(r"[0-9]+-([0-9a-f]{64})\.blob")
_EMPTY_LAYER = "empty"  # what an image without layers is mounted from


class ImageStore:
    """The images below *root*. Methods block on the disk; slow ones say so."""

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)
        self._blobs = self.root / "blobs" / "sha256"
        self._layers = self.root / "layers"
        self._holds = self.root / "holds"
        self._ingest = self.root / "ingest"
        self._partial = self.root / "partial"
        self._index_file = self.root / "index.json"
        self._seen: tuple[tuple[int, int, int], ImageIndex] | None = None
        self._configs: dict[str, ImageConfig] = {}

    def open(self) -> None:
        """Make what is missing, and remove what a crash has left behind (slow when it has)."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.root.chmod(0o700)
        for directory in (self._blobs, self._layers, self._holds, self._ingest, self._partial):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self._layers / _EMPTY_LAYER).mkdir(mode=0o755, exist_ok=True)
        self._drop_old_partials()
        if next(self._ingest.iterdir(), None) is not None:
            self.collect()

    @property
    def layers_dir(self) -> Path:
        return self._layers

    def index(self) -> ImageIndex:
        """Return what is there now, also what another process has changed."""
        try:
            status = self._index_file.stat()
        except FileNotFoundError:
            return ImageIndex()
        version = (status.st_ino, status.st_mtime_ns, status.st_size)
        if self._seen is None or self._seen[0] != version:
            self._seen = (version, self._read_index())
        return self._seen[1]

    def change(self, change: Callable[[ImageIndex], ImageIndex]) -> ImageIndex:
        """Replace the index by what *change* makes of it; durable when this returns."""
        with self._locked("lock", fcntl.LOCK_EX):
            before = self._read_index()
            after = change(before)
            if after != before:
                write_atomic(self._index_file, msgspec.json.encode(after), sync=True)
        return after

    def config(self, image_id: str) -> ImageConfig:
        """Return an image's configuration. Raises NotFound."""
        known = self._configs.get(image_id)
        if image_id not in self.index().images:
            raise NotFound(f"image {image_id!r}: not found")
        if known is None:
            known = self._configs[image_id] = decode_config(self._read_blob(image_id))
        return known

    def is_usable(self, image_id: str) -> bool:
        """Whether an image is there, and its configuration not damaged: pulling or loading it again
        mends that."""
        try:
            self.config(image_id)
        except (NotFound, InvalidImage, FileNotFoundError):
            return False
        return True

    def layers(self, image_id: str) -> tuple[str, ...]:
        """Return the directories to stack, the uppermost first; at least one. Raises NotFound."""
        record = self.index().images.get(image_id)
        if record is None:
            raise NotFound(f"image {image_id!r}: not found")
        names = record.layers or (_EMPTY_LAYER,)
        return tuple(str(self._layers / name) for name in names)

    # Adding

    @contextmanager
    def adding(self) -> Iterator[Path]:
        """Keep what is added from being collected; yield a directory of one's own to work in.

        It is removed at the end. Layers and blobs count as in use until then even though no image
        refers to them yet, in every process.
        """
        with self._locked("adding", fcntl.LOCK_SH):
            workspace = self._ingest / secrets.token_hex(8)
            workspace.mkdir(mode=0o700)
            try:
                yield workspace
            finally:
                shutil.rmtree(workspace, ignore_errors=True)

    def download_path(self, workspace: Path, number: int, digest: str) -> Path:
        """Where in *workspace* a layer is downloaded to: who dies over it leaves what there is for
        the next."""
        return workspace / f"{number}-{digest.removeprefix('sha256:')}.blob"

    def take_partial(self, digest: str, path: Path) -> None:
        """Move what there is of a download that broke off to *path*, if there is something."""
        with contextlib.suppress(FileNotFoundError):
            (self._partial / digest.removeprefix("sha256:")).rename(path)

    def keep_partial(self, digest: str, path: Path) -> None:
        """Keep the beginning of a download that has broken off, for the next."""
        if path.stat().st_size >= _WORTH_KEEPING:
            path.rename(self._partial / digest.removeprefix("sha256:"))
            self._drop_old_partials()

    def _drop_old_partials(self) -> None:
        ages = []
        for path in self._partial.iterdir():
            with contextlib.suppress(FileNotFoundError):
                ages.append((time.time() - path.stat().st_mtime, path))
        for number, (age, path) in enumerate(sorted(ages)):
            if age > _KEPT_FOR or number >= _KEPT:
                path.unlink(missing_ok=True)

    def has_layer(self, name: str) -> bool:
        return (self._layers / name).is_dir()

    def layer_path(self, name: str) -> str:
        return str(self._layers / name)

    def commit_layer(self, directory: Path, name: str) -> None:
        """Move an unpacked *directory* to its place, once it is on disk (slow).

        Where another process was faster, its layer stays: equal names are equal contents.
        """
        _sync_filesystem(directory)
        try:
            os.rename(directory, self._layers / name)
        except OSError:
            if not self.has_layer(name):
                raise
        sync_directory(self._layers)

    def add_image(
        self, config: bytes, size: int, layers: Sequence[str], names: Sequence[str]
    ) -> str:
        """Make an image known whose layers are in place; return its ID."""
        decode_config(config)
        image_id = digest_of(config)
        path = self._blob(image_id)
        with self._locked("lock", fcntl.LOCK_EX):
            if not self._is_whole(image_id):
                write_atomic(path, config, sync=True)
        record = ImageRecord(size, tuple(layers))

        def add(index: ImageIndex) -> ImageIndex:
            replaced = {index.names[name] for name in names if name in index.names} - {image_id}
            index = index.with_image(image_id, record, names)
            for old in replaced:
                # Nobody can list what is damaged, so nobody would ever remove it.
                if not index.tags(old) and not self.is_usable(old):
                    index = index.without_image(old)
            return index

        self.change(add)
        return image_id

    # Using

    def hold(self, image_id: str, holder: str) -> None:
        """Keep an image's layers until :meth:`release`, whatever becomes of its names.

        Not synced: what holds them does not outlive a power cut either. Raises NotFound.
        """
        path = self._hold(holder)
        with self._locked("adding", fcntl.LOCK_SH):
            if image_id not in self.index().images:
                raise NotFound(f"image {image_id!r}: not found")
            write_atomic(path, image_id, sync=False)

    def release(self, holder: str) -> None:
        """Repeatable; unknown holders are fine.

        Slow where this was the last to use an image that has been removed: its layers go now.
        """
        path = self._hold(holder)
        try:
            image_id = path.read_text()
            path.unlink()
        except FileNotFoundError:
            return
        if image_id not in self.index().images:
            self.collect()

    def holders(self) -> dict[str, list[str]]:
        """Return who holds which image."""
        held: dict[str, list[str]] = {}
        for path in self._holds.iterdir():
            if path.suffix == ".tmp":
                continue
            try:
                held.setdefault(path.read_text(), []).append(path.name)
            except FileNotFoundError:
                continue  # released meanwhile
        return held

    # Removing

    def collect(self) -> bool:
        """Remove whatever no image needs and no container holds (slow).

        Does nothing, and returns False, while somebody is adding: the next call makes up for it.
        """
        self._drop_old_partials()
        rubbish = self._ingest / f"rubbish-{secrets.token_hex(8)}"
        try:
            with self._locked("adding", fcntl.LOCK_EX | fcntl.LOCK_NB):
                self._keep_downloads()
                stale = list(self._ingest.iterdir())
                blobs, layers = self._live()
                stale += [path for path in self._blobs.iterdir() if path.name not in blobs]
                stale += [path for path in self._layers.iterdir() if path.name not in layers]
                if not stale:
                    return True
                rubbish.mkdir(mode=0o700)
                for number, path in enumerate(stale):
                    path.rename(rubbish / str(number))
        except BlockingIOError:
            return False
        shutil.rmtree(rubbish, ignore_errors=True)
        return True

    def _keep_downloads(self) -> None:
        """Keep what somebody has downloaded who has died."""
        for path in list(self._ingest.glob("*/*.blob")):
            found = _DOWNLOAD.fullmatch(path.name)
            if found is not None:
                self.keep_partial(f"sha256:{found[1]}", path)

    def _live(self) -> tuple[set[str], set[str]]:
        """Names in ``blobs`` and ``layers`` that are needed."""
        index = self._read_index()
        images = dict(index.images)
        layers = {_EMPTY_LAYER}
        for image_id in self.holders():
            if image_id not in images and self._blob(image_id).is_file():
                images[image_id] = ImageRecord(0, self._held_layers(image_id))
        for record in images.values():
            layers.update(record.layers)
        return {image_id.removeprefix("sha256:") for image_id in images}, layers

    def _held_layers(self, image_id: str) -> Sequence[str]:
        """The layers of an image that was removed: all that there are where it is damaged, as it
        does not say any more which are its own."""
        try:
            return chain_names(decode_config(self._read_blob(image_id)).diff_ids)
        except InvalidImage:
            return os.listdir(self._layers)

    def _hold(self, holder: str) -> Path:
        if not _HOLDER.fullmatch(holder):
            raise ValueError(f"{holder!r} cannot be the name of a holder")
        return self._holds / holder

    def _blob(self, digest: str) -> Path:
        return self._blobs / digest.removeprefix("sha256:")

    def _is_whole(self, digest: str) -> bool:
        try:
            self._read_blob(digest)
        except (FileNotFoundError, InvalidImage):
            return False
        return True

    def _read_blob(self, digest: str) -> bytes:
        with self._blob(digest).open("rb") as file:
            data = file.read(MAX_DOCUMENT_BYTES + 1)
        if digest_of(data) != digest:
            raise InvalidImage(f"{self._blob(digest)} is damaged; pull or load the image again")
        return data

    def _read_index(self) -> ImageIndex:
        try:
            data = self._index_file.read_bytes()
        except FileNotFoundError:
            return ImageIndex()
        try:
            return msgspec.json.decode(data, type=ImageIndex)
        except msgspec.DecodeError as exc:
            raise RuntimeFailure(f"{self._index_file} is damaged: {exc}") from None

    @contextmanager
    def _locked(self, name: str, how: int) -> Iterator[None]:
        descriptor = os.open(self.root / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, how)
            yield
        finally:
            os.close(descriptor)


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def chain_names(diff_ids: Sequence[str]) -> list[str]:
    """Return the directory names of the layers with these *diff_ids* (lowest first), uppermost
    first.

    A layer is unpacked knowing what is below it, so its name is made from its chain ID, as the OCI
    image specification defines it; half of the digits, to fit many into one mount call.
    """
    names: list[str] = []
    chain = ""
    for diff_id in diff_ids:
        chain = digest_of(f"{chain} {diff_id}".encode()) if chain else diff_id
        names.insert(0, chain.removeprefix("sha256:")[:32])
    return names


def _sync_filesystem(directory: Path) -> None:
    """Write out everything on the file system that *directory* is on (``syncfs``): cheaper than
    one fsync for each of a layer's files."""
    import ctypes  # only who adds a layer needs it

    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if libc.syncfs(descriptor) != 0:
            raise OSError(ctypes.get_errno(), "syncfs")
    finally:
        os.close(descriptor)
