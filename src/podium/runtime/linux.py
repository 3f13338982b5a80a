"""System calls that Python 3.11 has no name for, and threads to make them in.

All raise OSError with the path they were about. Flags are those of the manual pages of the same
names.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import takewhile
from typing import TypeVar

T = TypeVar("T")

CLONE_FS = 0x200
CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWNET = 0x04000000, 0x08000000, 0x40000000
CLONE_NEWPID = 0x20000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 0x1, 0x2, 0x4, 0x8
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
MNT_DETACH, UMOUNT_NOFOLLOW = 0x2, 0x8

# Numbers that are the same on every architecture.
_SYS_FSOPEN, _SYS_FSCONFIG, _SYS_FSMOUNT, _SYS_OPENAT2 = 430, 431, 432, 437
_SYS_OPEN_TREE, _SYS_MOVE_MOUNT, _SYS_MOUNT_SETATTR = 428, 429, 442
_OPEN_TREE_CLONE, _AT_RECURSIVE = 0x1, 0x8000
_MOVE_MOUNT_FROM_DESCRIPTOR = 0x4
_FSCONFIG_SET_STRING, _FSCONFIG_CMD_CREATE = 1, 6
_CLOEXEC = 1  # of fsopen and fsmount
_AT_EMPTY_PATH = 0x1000
MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID, MOUNT_ATTR_NODEV = 0x1, 0x2, 0x4
_MOUNT_ATTR_IDMAP = 0x100000
_AT_FDCWD = -100
_RESOLVE_IN_ROOT = 0x10

_libc = ctypes.CDLL(None, use_errno=True)


class _OpenHow(ctypes.Structure):
    _fields_ = (
        ("flags", ctypes.c_uint64),
        ("mode", ctypes.c_uint64),
        ("resolve", ctypes.c_uint64),
    )


class _MountAttr(ctypes.Structure):
    _fields_ = (
        ("attr_set", ctypes.c_uint64),
        ("attr_clr", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns_fd", ctypes.c_uint64),
    )


def kernel_version() -> tuple[int, int]:
    """Return the first two numbers of the running kernel's release."""
    major, minor = os.uname().release.split(".")[:2]
    return int(major), int("".join(takewhile(str.isdigit, minor)))


def unshare(flags: int) -> None:
    _check(_libc.unshare(flags), "unshare")


def setns(descriptor: int, kind: int) -> None:
    _check(_libc.setns(descriptor, kind), "setns")


def mount(source: str, target: str, filesystem: str = "", flags: int = 0, data: str = "") -> None:
    result = _libc.mount(
        os.fsencode(source),
        os.fsencode(target),
        os.fsencode(filesystem) or None,
        ctypes.c_ulong(flags),
        os.fsencode(data) or None,
    )
    _check(result, target)


def umount(target: str, flags: int = MNT_DETACH | UMOUNT_NOFOLLOW) -> bool:
    """Unmount *target*; False when nothing is mounted there or it does not exist."""
    if _libc.umount2(os.fsencode(target), flags) == 0:
        return True
    error = ctypes.get_errno()
    if error in (22, 2):  # EINVAL: not a mount point; ENOENT
        return False
    raise OSError(error, os.strerror(error), target)


def filesystem(path: str) -> str:
    """Return the type of the filesystem that *path* is on; "" where its mount cannot be told."""
    device = os.stat(path).st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as mounts:
        for line in mounts:
            mount, _, kind = line.partition(" - ")
            if mount.split()[2] == number:
                return kind.split()[0]
    return ""


def detached_tmpfs(options: Mapping[str, str]) -> int:
    """Make a tmpfs that is mounted nowhere; return a descriptor of its root, which keeps it.

    Nothing is above that root: ``..`` stays there.
    """
    context = _syscall(_SYS_FSOPEN, b"tmpfs", _CLOEXEC, about="tmpfs")
    try:
        for name, value in options.items():
            words = (name.encode(), value.encode(), 0)
            _syscall(_SYS_FSCONFIG, context, _FSCONFIG_SET_STRING, *words, about=name)
        _syscall(_SYS_FSCONFIG, context, _FSCONFIG_CMD_CREATE, None, None, 0, about="tmpfs")
        return _syscall(_SYS_FSMOUNT, context, _CLOEXEC, 0, about="tmpfs")
    finally:
        os.close(context)


def set_mount_attributes(mounted: int, attributes: int) -> None:
    """Set *attributes* (``MOUNT_ATTR_…``) of the mount whose root *mounted* is a descriptor of."""
    wanted = _MountAttr(attributes, 0, 0, 0)
    size = ctypes.sizeof(wanted)
    pointer = ctypes.byref(wanted)
    _syscall(_SYS_MOUNT_SETATTR, mounted, b"", _AT_EMPTY_PATH, pointer, size, about="mount")


def mount_idmapped(source: str, target: str, user_namespace: str) -> None:
    """Bind-mount *source*, and what is mounted below it, at *target*, with other owners: whatever
    an ID has in *source* is had by the one that the user namespace at *user_namespace* maps it to.

    Raises OSError, with EINVAL where a file system cannot do that.
    """
    flags = _OPEN_TREE_CLONE | os.O_CLOEXEC | _AT_RECURSIVE
    tree = _syscall(_SYS_OPEN_TREE, _AT_FDCWD, os.fsencode(source), flags, about=source)
    try:
        namespace = os.open(user_namespace, os.O_RDONLY | os.O_CLOEXEC)
        try:
            wanted = _MountAttr(_MOUNT_ATTR_IDMAP, 0, 0, namespace)
            how = _AT_EMPTY_PATH | _AT_RECURSIVE
            pointer, size = ctypes.byref(wanted), ctypes.sizeof(wanted)
            _syscall(_SYS_MOUNT_SETATTR, tree, b"", how, pointer, size, about=source)
        finally:
            os.close(namespace)
        to = os.fsencode(target)
        words = (tree, b"", _AT_FDCWD, to, _MOVE_MOUNT_FROM_DESCRIPTOR)
        _syscall(_SYS_MOVE_MOUNT, *words, about=target)
    finally:
        os.close(tree)


def make_read_only(mount_point: str, *, recursive: bool) -> None:
    """Make a mount read-only, and with *recursive* what is mounted below it too."""
    wanted = _MountAttr(MOUNT_ATTR_RDONLY, 0, 0, 0)
    path, how = os.fsencode(mount_point), _AT_RECURSIVE if recursive else 0
    pointer, size = ctypes.byref(wanted), ctypes.sizeof(wanted)
    _syscall(_SYS_MOUNT_SETATTR, _AT_FDCWD, path, how, pointer, size, about=mount_point)


def open_in_root(root: int, path: str, flags: int = os.O_RDONLY) -> int:
    """Open *path* as a process would whose root directory is the descriptor *root*.

    No symbolic link leads out of it (openat2 with RESOLVE_IN_ROOT).
    """
    how = _OpenHow(flags | os.O_CLOEXEC, 0, _RESOLVE_IN_ROOT)
    descriptor = _libc.syscall(
        ctypes.c_long(_SYS_OPENAT2),
        ctypes.c_int(root),
        ctypes.c_char_p(os.fsencode(path)),
        ctypes.byref(how),
        ctypes.c_size_t(ctypes.sizeof(how)),
    )
    _check(descriptor, path)
    return int(descriptor)


def in_network_namespace(path: str, work: Callable[[], T]) -> T:
    """Call *work* in a thread of its own that has entered the network namespace at *path*."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def enter() -> T:
        setns(descriptor, CLONE_NEWNET)
        return work()

    try:
        return in_own_thread(enter)
    finally:
        os.close(descriptor)


def in_own_thread(work: Callable[[], T]) -> T:
    """Call *work* in a thread that ends with it, and takes along what it did to itself."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(work).result()


def _syscall(number: int, *arguments: object, about: str) -> int:
    words = [ctypes.c_long(word) if isinstance(word, int) else word for word in arguments]
    result = _libc.syscall(ctypes.c_long(number), *words)
    _check(result, about)
    return int(result)


def _check(result: int, about: str) -> None:
    if result == -1:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), about)
