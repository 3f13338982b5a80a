"""Unpacking a layer's tar archive into a directory that overlayfs can stack.

Follows the OCI image specification's "Image Layer Filesystem Changeset": ``.wh.NAME`` becomes
overlayfs's whiteout (a character device 0:0), ``.wh..wh..opq`` its opaque attribute. Both concern
what lies below, never what the same layer brings. Owners are numbers; names in the archive are
not looked up.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tarfile
from collections.abc import Callable, Sequence
from typing import IO, Any, cast

import msgspec

from podium.runtime.images.limits import Limits
from podium.runtime.images.spec import InvalidImage
from podium.runtime.images.streams import (
    CHUNK,
    HashingReader,
    Readable,
    TarStream,
    decompressed,
)
from podium.runtime.images.tree import (
    OPAQUE,
    LayerTree,
    copy_directory,
    is_whiteout,
    lookup,
    visible_attributes,
)

_WHITEOUT = ".wh."
_OPAQUE_WHITEOUT = ".wh..wh..opq"
_PATH_MAX = 4096
_SPACE_CHECK = 64 * 1024**2  # bytes written between two looks at what is free
_HEADER_BUDGET = 8 * 1024**2  # bytes of headers that one entry may have
_XATTR = "SCHILY.xattr."


class Unpacked(msgspec.Struct, frozen=True):
    digest: str  #: of the blob as it came
    diff_id: str  #: of the uncompressed archive
    size: int  #: bytes of the blob as it came


def unpack(
    source: Readable,
    root: str,
    parents: Sequence[str] = (),
    *,
    limits: Limits | None = None,
    checkpoint: Callable[[], None] | None = None,
) -> Unpacked:
    """Unpack the tar archive *source* (plain, gzip or zstd) into the empty directory *root*.

    *parents* are the directories of the layers below, the uppermost first. *checkpoint* is called
    now and then, and may raise to stop. The caller compares the digests and removes *root* when
    they differ or when this raises InvalidImage (what the archive is) or OSError (the disk).
    """
    limits = limits or Limits()
    raw = HashingReader(source, checkpoint)
    stream = TarStream(decompressed(raw), limits.bytes)
    tree = LayerTree(root, parents)
    try:
        if parents:
            copy_directory(parents[0], os.stat(parents[0]), tree.root)
        else:
            os.fchmod(tree.root, 0o755)
        _Unpacker(tree, stream, limits).run()
    finally:
        tree.close()
    diff_id = stream.drain()
    digest = raw.drain()
    return Unpacked(digest, diff_id, raw.count)


class BoundedInfo(tarfile.TarInfo):
    """Refuses headers that tarfile would read into memory whatever their size."""

    _EXTENDED = (
        tarfile.XHDTYPE,
        tarfile.XGLTYPE,
        tarfile.SOLARIS_XHDTYPE,
        tarfile.GNUTYPE_LONGNAME,
        tarfile.GNUTYPE_LONGLINK,
    )
    _LIMIT = 1024 * 1024

    def _proc_member(self, archive: tarfile.TarFile) -> Any:
        """Go on from a header that was just read: every version of tarfile comes by here."""
        if self.size < 0 or (self.type in self._EXTENDED and self.size > self._LIMIT):
            raise InvalidImage(f"layer has a header of {self.size} bytes")
        return super()._proc_member(archive)  # type: ignore[misc]

    def _block(self, count: int) -> Any:
        """Round a size up. A negative one would end the archive here without a word."""
        if count < 0:
            raise InvalidImage(f"layer has an entry of {count} bytes")
        return super()._block(count)  # type: ignore[misc]


class _Unpacker:
    def __init__(self, tree: LayerTree, stream: TarStream, limits: Limits) -> None:
        self._tree, self._stream, self._limits = tree, stream, limits
        self._directories: dict[tuple[str, ...], float] = {}
        self._whiteouts: list[list[str]] = []
        self._bytes = 0
        self._until_space_check = 0

    def run(self) -> None:
        for count, member in enumerate(_Members(self._stream), 1):
            if count > self._limits.entries:
                raise InvalidImage(f"layer has more than {self._limits.entries} entries")
            path = _path(member.name)
            try:
                if member.size < 0:
                    raise InvalidImage("negative size")
                self._apply(member, path)
            except InvalidImage as exc:
                raise InvalidImage(f"layer entry {member.name!r}: {exc}", exc.code) from None
            except (OverflowError, ValueError, tarfile.TarError) as exc:
                raise InvalidImage(f"layer entry {member.name!r}: {exc}") from None
        self._drop_idle_whiteouts()
        self._restore_directory_times()

    def _apply(self, member: tarfile.TarInfo, path: list[str]) -> None:
        if not path:
            if member.isdir():
                self._finish_directory(member, self._tree.root, path)
            return
        parent = self._tree.directory(path[:-1])
        name = path[-1]
        if name.startswith(_WHITEOUT):
            self._white_out(parent, path)
            return
        covered = self._make_room(parent, name, member)
        if member.isdir():
            self._make_directory(member, parent, path, covered)
        elif member.isreg():
            self._write_file(member, parent, name)
        elif member.issym():
            if not 0 < len(os.fsencode(member.linkname)) < _PATH_MAX:
                raise InvalidImage("what it says cannot be the target of a symbolic link")
            os.symlink(member.linkname, name, dir_fd=parent)
            os.chown(name, member.uid, member.gid, dir_fd=parent, follow_symlinks=False)
            _set_time(member, name, parent)
        elif member.islnk():
            self._link(member, parent, name)
        elif member.isfifo() or member.isdev():
            _make_node(member, parent, name)
        else:
            raise InvalidImage(f"unsupported type {member.type!r}")

    def _make_room(self, parent: int, name: str, member: tarfile.TarInfo) -> bool:
        """Remove what an earlier entry left at *name*; tell whether it was a whiteout.

        A directory stays where another one comes: the later entry adds to it.
        """
        status = lookup(parent, name)
        if status is None:
            return False
        if stat.S_ISDIR(status.st_mode):
            if not member.isdir():
                shutil.rmtree(name, dir_fd=parent)
            return False
        os.unlink(name, dir_fd=parent)
        return is_whiteout(status)

    def _white_out(self, parent: int, path: list[str]) -> None:
        name = path[-1]
        if name == _OPAQUE_WHITEOUT:
            os.setxattr(parent, OPAQUE, b"y")
            return
        if name.startswith(_WHITEOUT * 2):
            return  # AUFS's own bookkeeping
        hidden = name[len(_WHITEOUT) :]
        if hidden in ("", ".", ".."):
            raise InvalidImage("whiteout without a name")
        status = lookup(parent, hidden)
        if status is None:
            if self._tree.has_parents:
                os.mknod(hidden, stat.S_IFCHR, os.makedev(0, 0), dir_fd=parent)
                self._whiteouts.append([*path[:-1], hidden])
        elif stat.S_ISDIR(status.st_mode):
            directory = os.open(hidden, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
            try:
                os.setxattr(directory, OPAQUE, b"y")
            finally:
                os.close(directory)

    def _make_directory(
        self, member: tarfile.TarInfo, parent: int, path: list[str], opaque: bool
    ) -> None:
        if lookup(parent, path[-1]) is None:
            os.mkdir(path[-1], 0o700, dir_fd=parent)
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(path[-1], flags, dir_fd=parent)
        try:
            if opaque:
                os.setxattr(descriptor, OPAQUE, b"y")
            self._finish_directory(member, descriptor, path)
        finally:
            os.close(descriptor)

    def _finish_directory(self, member: tarfile.TarInfo, descriptor: int, path: list[str]) -> None:
        _set_owner_and_mode(member, descriptor)
        _set_time(member, descriptor)
        self._directories[tuple(path)] = member.mtime

    def _write_file(self, member: tarfile.TarInfo, parent: int, name: str) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(name, flags, 0o600, dir_fd=parent)
        try:
            if member.issparse():
                self._write_sparse(member, descriptor)
            else:
                self._write_content(member, descriptor)
            _set_owner_and_mode(member, descriptor)
            _set_time(member, descriptor)
        finally:
            os.close(descriptor)

    def _write_content(self, member: tarfile.TarInfo, descriptor: int) -> None:
        self._count(member.size)
        self._stream.seek(member.offset_data)
        missing = member.size
        while missing:
            data = self._stream.read(min(CHUNK, missing))
            if not data:
                raise InvalidImage("layer ends in the middle of a file")
            self._write(descriptor, data)
            missing -= len(data)

    def _write_sparse(self, member: tarfile.TarInfo, descriptor: int) -> None:
        """GNU tar's sparse files: (offset, length) pairs, the data one after the other."""
        pieces = cast("list[tuple[int, int]]", getattr(member, "sparse", None) or [])
        self._count(member.size)
        self._stream.seek(member.offset_data)
        end = 0
        for offset, length in pieces:
            if not length:
                continue  # the format's way to fill up, and to mark a hole at the end
            if offset < end or length < 0 or offset + length > member.size:
                raise InvalidImage("sparse file with impossible holes")
            end = offset + length
            os.lseek(descriptor, offset, os.SEEK_SET)
            while length:
                data = self._stream.read(min(CHUNK, length))
                if not data:
                    raise InvalidImage("layer ends in the middle of a file")
                self._write(descriptor, data)
                length -= len(data)
        os.ftruncate(descriptor, member.size)

    def _link(self, member: tarfile.TarInfo, parent: int, name: str) -> None:
        target = _path(member.linkname)
        if not target:
            raise InvalidImage("hard link to the root directory")
        directory = self._tree.open_directory(target[:-1])
        try:
            os.link(
                target[-1], name, src_dir_fd=directory, dst_dir_fd=parent, follow_symlinks=False
            )
        except (FileNotFoundError, PermissionError):
            raise InvalidImage(f"cannot be a hard link to {member.linkname!r}") from None
        finally:
            os.close(directory)

    def _count(self, size: int) -> None:
        """Refuse a file that breaks the limits, before anything of it is written."""
        self._bytes += size
        if self._bytes > self._limits.bytes:
            raise InvalidImage(f"layer is larger than {self._limits.bytes} bytes when unpacked")

    def _write(self, descriptor: int, data: bytes) -> None:
        self._until_space_check -= len(data)
        if self._until_space_check <= 0:
            space = os.fstatvfs(descriptor)
            if space.f_bavail * space.f_frsize < self._limits.free + _SPACE_CHECK:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self._until_space_check = _SPACE_CHECK
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]

    def _drop_idle_whiteouts(self) -> None:
        """Remove whiteouts that hide nothing: overlayfs lists them in directories that it does not
        merge. Which those are is known only at the end."""
        for path in self._whiteouts:
            parent = self._tree.directory(path[:-1])
            status = lookup(parent, path[-1])
            if status is not None and is_whiteout(status) and not self._tree.hides(path):
                os.unlink(path[-1], dir_fd=parent)

    def _restore_directory_times(self) -> None:
        """Last of all: whatever was put into a directory has changed its time."""
        self._tree.forget()
        for path, mtime in self._directories.items():
            try:
                descriptor = self._tree.open_directory(path)
            except (InvalidImage, OSError):
                continue  # replaced by a later entry
            try:
                os.utime(descriptor, ns=_nanoseconds(mtime))
            finally:
                os.close(descriptor)


class _Members:
    """The archive's entries, one at a time; tarfile would keep them all."""

    def __init__(self, stream: TarStream) -> None:
        self._stream = stream
        self._archive: tarfile.TarFile | None = None

    def __iter__(self) -> _Members:
        return self

    def __next__(self) -> tarfile.TarInfo:
        try:
            if self._archive is None:  # making one reads the first entry's headers
                self._stream.budget = _HEADER_BUDGET
                self._archive = tarfile.TarFile(
                    fileobj=cast("IO[bytes]", self._stream), tarinfo=BoundedInfo, mode="r"
                )
            else:
                self._stream.seek(self._archive.offset)
                self._stream.budget = _HEADER_BUDGET
            member = self._archive.next()
            self._stream.budget = None
            self._archive.members.clear()  # type: ignore[attr-defined]
        except tarfile.ReadError as exc:
            raise InvalidImage(f"layer is not a tar archive: {exc}") from None
        except (tarfile.TarError, ValueError, OverflowError, IndexError) as exc:
            raise InvalidImage(f"layer is a broken tar archive: {exc}") from None
        if member is None:
            raise StopIteration
        return member


def _path(name: str) -> list[str]:
    """Split an entry's name; refuse one that climbs out of the root."""
    if len(os.fsencode(name)) > _PATH_MAX or "\0" in name:
        raise InvalidImage(f"layer entry {name[:64]!r}…: not a possible name")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise InvalidImage(f"layer entry {name!r} leads outside of the root directory")
    return parts


def _make_node(member: tarfile.TarInfo, parent: int, name: str) -> None:
    if member.isfifo():
        os.mkfifo(name, 0o600, dir_fd=parent)
    else:
        kind = stat.S_IFCHR if member.ischr() else stat.S_IFBLK
        os.mknod(name, kind | 0o600, os.makedev(member.devmajor, member.devminor), dir_fd=parent)
    os.chown(name, member.uid, member.gid, dir_fd=parent, follow_symlinks=False)
    os.chmod(name, member.mode & 0o7777, dir_fd=parent)
    _set_time(member, name, parent)


def _set_owner_and_mode(member: tarfile.TarInfo, descriptor: int) -> None:
    """In this order: a change of owner takes capabilities and the setuid bit away."""
    os.fchown(descriptor, member.uid, member.gid)
    given = {
        key[len(_XATTR) :]: value
        for key, value in member.pax_headers.items()
        if key.startswith(_XATTR)
    }
    for name in visible_attributes(given):
        try:
            os.setxattr(descriptor, name, given[name].encode("utf-8", "surrogateescape"))
        except OSError as exc:
            if exc.errno != errno.ENOTSUP or not name.startswith("user."):
                raise
    os.fchmod(descriptor, member.mode & 0o7777)


def _set_time(member: tarfile.TarInfo, target: str | int, directory: int | None = None) -> None:
    if isinstance(target, int):
        os.utime(target, ns=_nanoseconds(member.mtime))
    else:
        ns = _nanoseconds(member.mtime)
        os.utime(target, ns=ns, dir_fd=directory, follow_symlinks=False)


def _nanoseconds(mtime: float) -> tuple[int, int]:
    nanoseconds = int(mtime * 1_000_000_000) if isinstance(mtime, float) else mtime * 1_000_000_000
    return nanoseconds, nanoseconds
