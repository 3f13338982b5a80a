"""A file system that stops answering, as a network file system does whose server has gone.

It is mounted by FUSE, whose protocol (linux/fuse.h) is spoken here: a directory with one file,
``f``. Reading that file never ends, and who reads it does not end on SIGKILL, until the file system
is let go. Of ``silent`` it does not even say whether it is there.
"""

from __future__ import annotations

import contextlib
import errno
import os
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

from podium.runtime import linux

AVAILABLE = Path("/dev/fuse").exists()
_REQUEST = struct.Struct("<IIQQIIII")  # length, opcode, unique, node, uid, gid, pid, padding
_READ = 15
_SILENT = (2, 36, 38, 42)  # FORGET, INTERRUPT, DESTROY, BATCH_FORGET have no answers
_ROOT, _FILE = 1, 2
_FOREVER = 1 << 30
_MNT_FORCE = 0x1


def _attributes(node: int) -> bytes:
    mode, size = (0o40755, 0) if node == _ROOT else (0o100644, 4096)
    return struct.pack("<6Q10I", node, size, 8, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)


class DeadFilesystem:
    """``asked`` is set once somebody waits for the file's content."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.asked = threading.Event()

    def serve(self) -> None:
        while True:
            try:
                request = os.read(self._descriptor, 1 << 17)
            except OSError as exc:
                if exc.errno in (errno.EINTR, errno.ENOENT):
                    continue
                return  # ENODEV: unmounted; EBADF: let go
            _, opcode, unique, node, *_ = _REQUEST.unpack_from(request)
            if opcode == _READ:
                self.asked.set()
            elif opcode not in _SILENT and request[_REQUEST.size :] != b"silent\0":
                error, answer = self._answer(opcode, node, request[_REQUEST.size :])
                head = struct.pack("<IiQ", 16 + len(answer), -error, unique)
                os.write(self._descriptor, head + answer)

    def _answer(self, opcode: int, node: int, body: bytes) -> tuple[int, bytes]:
        match opcode:
            case 26:  # INIT
                minor = struct.unpack_from("<II", body)[1]
                options = (7, min(minor, 31), 0, 0, 1, 1, 4096, 1, 1, 0)
                return 0, struct.pack("<4I2H2I2H32x", *options)
            case 1 if body == b"f\0":  # LOOKUP
                head = struct.pack("<4Q2I", _FILE, 0, _FOREVER, _FOREVER, 0, 0)
                return 0, head + _attributes(_FILE)
            case 1:
                return errno.ENOENT, b""
            case 3:  # GETATTR
                return 0, struct.pack("<QII", _FOREVER, 0, 0) + _attributes(node)
            case 14 | 27:  # OPEN, OPENDIR
                return 0, struct.pack("<QII", 0, 0, 0)
            case 18 | 29:  # RELEASE, RELEASEDIR
                return 0, b""
        return errno.ENOSYS, b""


@contextlib.contextmanager
def dead_filesystem(target: Path) -> Iterator[DeadFilesystem]:
    """Mount one at *target*; leaving lets go of who waits for it."""
    descriptor = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    made = DeadFilesystem(descriptor)
    thread = threading.Thread(target=made.serve, daemon=True)
    try:
        data = f"fd={descriptor},rootmode=40000,user_id=0,group_id=0,allow_other"
        linux.mount("dead", str(target), "fuse", linux.MS_NOSUID | linux.MS_NODEV, data)
        thread.start()
        yield made
    finally:
        with contextlib.suppress(OSError):  # busy, but nobody has to wait any longer
            linux.umount(str(target), _MNT_FORCE | linux.UMOUNT_NOFOLLOW)
        linux.umount(str(target))
        thread.join(10)
        os.close(descriptor)
