"""Files on their way between this machine and a Pod: paths as upstream reads them, and tar.

Pure but for the local files that are read and written.
"""

from __future__ import annotations

import glob
import io
import json
import os
import posixpath
import shutil
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO

from podium.kubectl.errors import CommandError

_FORMAT = "filespec must match the canonical format: [[namespace/]pod:]file/path"
_BLOCK = 1 << 18


@dataclass(frozen=True, slots=True)
class FileSpec:
    """``[[NAMESPACE/]POD:]PATH``; a path without a Pod is one of this machine's."""

    path: str
    pod: str = ""
    namespace: str = ""

    @classmethod
    def parse(cls, text: str) -> FileSpec:
        """Raises CommandError."""
        place, colon, path = text.partition(":")
        if not colon:
            return cls(_without_slash(text))
        pieces = place.split("/")
        if not place or len(pieces) > 2:
            raise CommandError(_FORMAT)
        namespace = pieces[0] if len(pieces) == 2 else ""
        return cls(_without_slash(path.replace("\\", "/")), pieces[-1], namespace)


def _without_slash(path: str) -> str:
    return path.removesuffix("/") if path != "/" else path


def clean(path: str) -> str:
    """Return the shortest equal path, ``.`` for none."""
    found = posixpath.normpath(path)
    return found[1:] if found.startswith("//") else found


def directory(path: str) -> str:
    """Return the directory that a path is in, ``.`` where it says none."""
    return clean(posixpath.dirname(path))


def last_name(path: str) -> str:
    return posixpath.basename(path.rstrip("/")) or ("/" if path else ".")


def prefix(path: str) -> str:
    """Return what the names in a tar of *path* begin with: no slash, no way up."""
    found = clean(path.lstrip("/"))
    while found == ".." or found.startswith("../"):
        found = found[3:]
    return "" if found == "." else found


# -- to a Pod


class Packer:
    """Writes a tar to a descriptor; *progress* gets the names of files and how much of them went.

    What files hold is moved by the kernel, without coming through here.
    """

    def __init__(self, output: int, progress: Callable[[str, int], None]) -> None:
        self._output, self._progress = output, progress
        self._count = 0
        self._describing = tarfile.TarFile(fileobj=io.BytesIO(), mode="w")

    def pack(self, source: str, target: str) -> None:
        """Write a tar of *source*, named as *target*, whole. Raises OSError, CommandError.

        Directories that are not empty come about with what is in them.
        """
        self._pack(clean(source), last_name(clean(target)))
        self._write(bytes(2 * tarfile.BLOCKSIZE))
        self._write(bytes(-self._count % tarfile.RECORDSIZE))

    def _pack(self, source: str, target: str) -> None:
        for path in [source] if os.path.lexists(source) else sorted(glob.glob(source)):
            is_directory = os.path.isdir(path) and not os.path.islink(path)
            inner = sorted(os.listdir(path)) if is_directory else []
            for name in inner:
                self._pack(f"{path}/{name}", f"{target}/{name}")
            if not inner:
                self._add(path, target)

    def _add(self, path: str, target: str) -> None:
        info = self._describing.gettarinfo(path, target)
        if info is None:
            raise CommandError("archive/tar: sockets not supported")
        if info.islnk():  # a file's second name: to be a file of its own there
            info.type, info.linkname, info.size = tarfile.REGTYPE, "", os.path.getsize(path)
        head = info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")
        if not info.isreg():
            self._write(head)
            return
        with open(path, "rb") as file:
            self._write(head)
            self._move(file.fileno(), info.size, path, target)

    def _move(self, file: int, size: int, path: str, target: str) -> None:
        left = size
        while left:
            moved = os.sendfile(self._output, file, None, min(left, _BLOCK))
            if not moved:
                raise OSError(0, "unexpected end of data", path)
            left -= moved
            self._progress(target, moved)
        self._count += size
        self._write(bytes(-size % tarfile.BLOCKSIZE))

    def _write(self, data: bytes) -> None:
        self._count += len(data)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._output, rest) :]


# -- from a Pod


@dataclass(slots=True)
class Unpacking:
    """A tar of *source* on its way to *target*; *warn* gets what is left out, a line each.

    *hint* is how one would get at symbolic links, which are not made: what they lead to is not
    this machine's.
    """

    source: str
    target: str
    warn: Callable[[str], None]
    hint: str
    progress: Callable[[str, int], None]
    _warned: bool = False
    _made: dict[str, str] = field(default_factory=dict)

    def unpack(self, content: IO[bytes]) -> None:
        """Raises OSError, CommandError, tarfile.TarError."""
        beginning = prefix(self.source)
        with tarfile.open(fileobj=content, mode="r|", bufsize=_BLOCK) as tar:
            for member in tar:
                if not member.name.startswith(beginning):
                    raise CommandError("tar contents corrupted")
                self._take(tar, member, member.name[len(beginning) :])

    def _take(self, tar: tarfile.TarFile, member: tarfile.TarInfo, rest: str) -> None:
        path = clean(f"{self.target}/{rest}")
        if not _within(self.target, path):
            self.warn(f"warning: file {_quoted(path)} is outside target destination, skipping")
            return
        os.makedirs(directory(path), mode=0o755, exist_ok=True)
        if member.isdir():
            os.makedirs(path, mode=0o755, exist_ok=True)
        elif member.issym():
            self._skip_link(path, member.linkname)
        elif member.islnk() and member.linkname in self._made:
            shutil.copyfile(self._made[member.linkname], path)
        elif member.isreg():
            self._write(tar, member, path)
        else:
            self.warn(f"warning: skipping special file: {_quoted(path)}")

    def _write(self, tar: tarfile.TarFile, member: tarfile.TarInfo, path: str) -> None:
        content = tar.extractfile(member)
        assert content is not None, "a regular file has content"
        with open(path, "wb") as file:
            while data := content.read(_BLOCK):
                file.write(data)
                self.progress(path, len(data))
        self._made[member.name] = path

    def _skip_link(self, path: str, leads_to: str) -> None:
        more = "" if self._warned else f' (consider using "{self.hint}")'
        self._warned = True
        self.warn(f"warning: skipping symlink: {_quoted(path)} -> {_quoted(leads_to)}{more}")


def _within(base: str, path: str) -> bool:
    relative = posixpath.relpath(path, clean(base))
    return relative != ".." and not relative.startswith("../")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
