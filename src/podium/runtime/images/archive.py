"""Images from files: what ``docker save`` writes, OCI archives, and bare root file systems.

Nothing of an archive is unpacked for reading: its entries are read in place, so no name in it
ever becomes a path. Functions block; run them beside the event loop.
"""

from __future__ import annotations

import os
import posixpath
import tarfile
from collections.abc import Callable, Sequence
from io import BufferedReader
from pathlib import Path

import msgspec

from podium.runtime.images import reference
from podium.runtime.images.assemble import (
    Checkpoint,
    install_layer,
    plan_layers,
    unpack_into,
)
from podium.runtime.images.layers import BoundedInfo
from podium.runtime.images.limits import Limits
from podium.runtime.images.reference import InvalidReference
from podium.runtime.images.spec import (
    MAX_DOCUMENT_BYTES,
    Descriptor,
    Index,
    InvalidImage,
    Manifest,
    decode_config,
    decode_index,
    decode_manifest,
    machine_architecture,
    select_platform,
)
from podium.runtime.images.store import ImageStore, chain_names, digest_of
from podium.runtime.images.streams import decompressed, is_compressed, read_chunk

_MAX_MEMBERS = 50_000
_MAX_NESTING = 4  # indexes in indexes
_CONTAINERD_NAME = "io.containerd.image.name"
_OCI_NAME = "org.opencontainers.image.ref.name"

#: Called with what is being done, for a person to read.
Report = Callable[[str], None]


class Loaded(msgspec.Struct, frozen=True):
    id: str
    names: Sequence[str]  #: normalised; none when the archive names the image nowhere


class RunOptions(msgspec.Struct, frozen=True):
    """What an imported image runs by default."""

    cmd: Sequence[str] = ()
    entrypoint: Sequence[str] = ()
    env: Sequence[str] = ()
    working_dir: str = ""


def load(
    store: ImageStore,
    path: Path | str,
    *,
    report: Report = lambda _: None,
    limits: Limits | None = None,
    checkpoint: Checkpoint | None = None,
) -> list[Loaded]:
    """Add the images of the archive *path* (plain, gzip or zstd) to *store*.

    All of an image or nothing of it. Raises InvalidImage, RuntimeFailure or OSError.
    """
    with store.adding() as workspace, open(path, "rb") as given:
        file = _plain(given, workspace / "archive.tar", limits or Limits())
        try:
            archive = _Archive(file)
            loader = _Loader(store, workspace, archive, report, limits, checkpoint)
            if "manifest.json" in archive:
                return loader.docker_images()
            if "index.json" in archive and "oci-layout" in archive:
                return loader.oci_images()
        finally:
            os.close(file)
    raise InvalidImage(
        f"{path} is not an image archive: it has neither manifest.json (docker save) nor "
        "index.json (OCI); a bare root file system is taken by 'podium image import'"
    )


def import_rootfs(
    store: ImageStore,
    path: Path | str,
    name: str,
    options: RunOptions,
) -> Loaded:
    """Make an image called *name* of the tar archive *path* (plain, gzip or zstd).

    The same file and options give the same image ID. Raises InvalidImage, RuntimeFailure,
    OSError, or ValueError for a bad name or option.
    """
    wanted = _tag(name)
    if wanted.digest:
        raise ValueError(f"{name!r} has a digest, which is for the content to say; use a tag")
    normalised = str(wanted)
    for variable in options.env:
        if "=" not in variable.lstrip("="):
            raise ValueError(f"--env {variable!r} is not of the form NAME=VALUE")
    if options.working_dir and not options.working_dir.startswith("/"):
        raise ValueError(f"--workdir {options.working_dir!r} is not an absolute path")
    with store.adding() as workspace, open(path, "rb") as source:
        unpacked = unpack_into(workspace / "rootfs", source, ())
        config = _config_document(options, unpacked.diff_id)
        names = chain_names([unpacked.diff_id])
        store.commit_layer(workspace / "rootfs", names[0])
        size = unpacked.size + len(config)
        return Loaded(store.add_image(config, size, names, [normalised]), [normalised])


class _Loader:
    def __init__(
        self,
        store: ImageStore,
        workspace: Path,
        archive: _Archive,
        report: Report,
        limits: Limits | None,
        checkpoint: Checkpoint | None,
    ) -> None:
        self._store, self._workspace, self._archive = store, workspace, archive
        self._report, self._limits, self._checkpoint = report, limits, checkpoint

    def docker_images(self) -> list[Loaded]:
        data = self._archive.read("manifest.json")
        try:
            entries = msgspec.json.decode(data, type=list[_DockerImage])
        except msgspec.DecodeError as exc:
            raise InvalidImage(f"invalid manifest.json: {exc}") from None
        loaded = []
        for entry in entries:
            config = self._archive.read(entry.config)
            hexadecimal = posixpath.basename(entry.config).removesuffix(".json")
            if reference.is_digest(f"sha256:{hexadecimal}"):
                _verify(config, f"sha256:{hexadecimal}")
            sources = [self._archive.section(layer) for layer in entry.layers or ()]
            names = [str(_tag(tag)) for tag in entry.repo_tags or ()]
            loaded.append(self._add(config, sources, [], names, extra=0))
        return loaded

    def oci_images(self) -> list[Loaded]:
        index = decode_index(self._archive.read("index.json"))
        loaded = []
        for descriptor in _for_this_machine(index):
            manifest, size = self._manifest(descriptor, 0)
            config = self._archive.blob(manifest.config.digest)
            sources = [self._archive.section(_blob(layer.digest)) for layer in manifest.layers]
            digests = [layer.digest for layer in manifest.layers]
            loaded.append(self._add(config, sources, digests, _names(descriptor), extra=size))
        return loaded

    def _manifest(self, descriptor: Descriptor, depth: int) -> tuple[Manifest, int]:
        """Return the image manifest that *descriptor* leads to, and its size."""
        content = self._archive.blob(descriptor.digest)
        document = decode_manifest(content, descriptor.media_type)
        if isinstance(document, Manifest):
            return document, len(content)
        chosen = select_platform(document)
        if chosen is None or depth >= _MAX_NESTING:
            raise InvalidImage(
                f"no match for platform in manifest {descriptor.digest}: not found", "NotFound"
            )
        return self._manifest(chosen, depth + 1)

    def _add(
        self,
        config: bytes,
        sources: Sequence[_Section],
        digests: Sequence[str],
        names: Sequence[str],
        *,
        extra: int,
    ) -> Loaded:
        plans = plan_layers(decode_config(config), len(sources))
        for plan, source in zip(plans, sources, strict=True):
            if self._store.has_layer(plan.name):
                continue
            self._report(f"unpacking layer {plan.number + 1} of {len(plans)}")
            install_layer(
                self._store,
                self._workspace,
                plan,
                source,
                digest=digests[plan.number] if digests else "",
                limits=self._limits,
                checkpoint=self._checkpoint,
            )
        size = extra + len(config) + sum(source.size for source in sources)
        layers = [plan.name for plan in reversed(plans)]
        return Loaded(self._store.add_image(config, size, layers, names), names)


class _DockerImage(msgspec.Struct, rename="pascal"):
    config: str
    repo_tags: list[str] | None = None
    layers: list[str] | None = None


class _Section:
    """A stretch of a file, read from its beginning."""

    def __init__(self, file: int, offset: int, size: int) -> None:
        self._file, self._offset, self.size = file, offset, size
        self._left = size

    def read(self, size: int = -1, /) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        data = os.pread(self._file, wanted, self._offset)
        self._offset += len(data)
        self._left -= len(data)
        return data


class _Archive:
    """An uncompressed tar archive: the place of each file in it, by name."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._places: dict[str, tuple[int, int]] = {}
        links: dict[str, str] = {}
        try:
            with os.fdopen(os.dup(file), "rb") as opened:
                opened.seek(0)
                self._scan(tarfile.TarFile(fileobj=opened, tarinfo=BoundedInfo), links)
        except (tarfile.TarError, ValueError, OverflowError, EOFError) as exc:
            raise InvalidImage(f"not a tar archive: {exc}") from None
        for name, target in links.items():  # docker save links layers that are the same
            if target in self._places:
                self._places.setdefault(name, self._places[target])

    def __contains__(self, name: str) -> bool:
        return name in self._places

    def section(self, name: str) -> _Section:
        place = self._places.get(posixpath.normpath(name))
        if place is None:
            raise InvalidImage(f"the archive lacks {name!r}")
        return _Section(self._file, *place)

    def read(self, name: str) -> bytes:
        """Return a small file. Raises InvalidImage."""
        section = self.section(name)
        if section.size > MAX_DOCUMENT_BYTES:
            raise InvalidImage(f"{name!r} of {section.size} bytes is too large")
        return section.read()

    def blob(self, digest: str) -> bytes:
        """Return a small blob of an OCI layout, verified. Raises InvalidImage."""
        content = self.read(_blob(digest))
        _verify(content, digest)
        return content

    def _scan(self, archive: tarfile.TarFile, links: dict[str, str]) -> None:
        length = os.fstat(self._file).st_size
        while (member := archive.next()) is not None:
            archive.members.clear()  # type: ignore[attr-defined]
            name = posixpath.normpath(member.name)
            if len(self._places) + len(links) >= _MAX_MEMBERS:
                raise InvalidImage(f"the archive has more than {_MAX_MEMBERS} entries")
            if member.isreg() and not member.issparse():
                if member.size < 0 or member.offset_data + member.size > length:
                    raise InvalidImage("the archive is cut short")
                self._places[name] = (member.offset_data, member.size)
            elif member.issym():
                target = posixpath.join(posixpath.dirname(name), member.linkname)
                links[name] = posixpath.normpath(target)
            elif member.islnk():
                links[name] = posixpath.normpath(member.linkname)


def _plain(given: BufferedReader, temporary: Path, limits: Limits) -> int:
    """Return a descriptor of the archive without its compression."""
    if not is_compressed(os.pread(given.fileno(), 4, 0)):
        return os.dup(given.fileno())
    source = decompressed(given)
    written = 0
    descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        while data := read_chunk(source):
            written += len(data)
            space = os.fstatvfs(descriptor)
            if written > limits.bytes or space.f_bavail * space.f_frsize < limits.free:
                raise InvalidImage(f"the archive is too large ({written} bytes and more)")
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _for_this_machine(index: Index) -> list[Descriptor]:
    """Return the images in *index*: each entry, without those for other platforms."""
    fitting = [d for d in index.manifests if select_platform(Index([d])) is not None]
    if not fitting:
        raise InvalidImage("the archive has no image for this platform", "NotFound")
    return fitting


def _names(descriptor: Descriptor) -> list[str]:
    annotations = descriptor.annotations or {}
    name = annotations.get(_CONTAINERD_NAME) or annotations.get(_OCI_NAME, "")
    if not name or (_CONTAINERD_NAME not in annotations and not set(name) & set("/:")):
        return []  # a bare tag
    return [str(_tag(name))]


def _tag(name: str) -> reference.Reference:
    try:
        return reference.parse(name)
    except InvalidReference as exc:
        raise InvalidImage(f"{reference.quote(name)}: {exc}") from None


def _blob(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def _verify(content: bytes, digest: str) -> None:
    if digest_of(content) != digest:
        raise InvalidImage(f"content of {digest} has the digest {digest_of(content)}")


def _config_document(options: RunOptions, diff_id: str) -> bytes:
    run = {
        "Cmd": list(options.cmd),
        "Entrypoint": list(options.entrypoint),
        "Env": list(options.env),
        "WorkingDir": options.working_dir,
    }
    return msgspec.json.encode(
        {
            "architecture": machine_architecture(),
            "os": "linux",
            "config": {key: value for key, value in run.items() if value},
            "rootfs": {"type": "layers", "diff_ids": [diff_id]},
        }
    )
