"""User namespaces of sandboxes, and the namespaces that belong to them.

A process of many threads cannot make or enter one. util-linux' unshare(1) does, and waits as cat(1)
on a pipe of ours until its namespaces are pinned; it ends with us, whatever happens.
"""

from __future__ import annotations

import contextlib
import errno
import shutil
import subprocess
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from podium.runtime import linux
from podium.runtime.oci import namespaces
from podium.runtime.oci.layout import SandboxPaths
from podium.runtime.port import IDMapping, RuntimeFailure, UserNamespace

_OPTIONS = {"network": "--net", "ipc": "--ipc", "uts": "--uts"}
_FILES = {"network": "net", "ipc": "ipc", "uts": "uts", "user": "user"}
#: Since then a tmpfs may be shown with mapped owners, and before that layers of an overlay.
_FIRST_KERNEL = (6, 3)


def available() -> bool:
    """Whether the kernel and the machine's settings let sandboxes have one."""
    if shutil.which("unshare") is None or linux.kernel_version() < _FIRST_KERNEL:
        return False
    try:
        return int(Path("/proc/sys/user/max_user_namespaces").read_text()) > 0
    except (FileNotFoundError, ValueError):
        return False


def check_passage(directory: Path) -> None:
    """Raise RuntimeFailure if others than root cannot pass *directory* on the way to their own."""
    for above in (directory, *directory.parents):
        if not above.stat().st_mode & 0o001:
            raise RuntimeFailure(
                f"failed to create pod sandbox: {above} is closed to others (mode "
                f"{above.stat().st_mode & 0o777:o}): users of a Pod's own have to pass it"
            )


def pin(paths: SandboxPaths, kinds: Collection[str], mapping: UserNamespace) -> None:
    """Make a user namespace and namespaces *kinds* that it owns; pin all of them.

    Raises OSError.
    """
    with _waiting([_OPTIONS[kind] for kind in kinds]) as pid:
        for name, entries in (("uid_map", mapping.uids), ("gid_map", mapping.gids)):
            Path(f"/proc/{pid}/{name}").write_text(_map(entries))
        for kind in (*kinds, "user"):
            paths.namespace(kind).touch(mode=0o600)
            source = f"/proc/{pid}/ns/{_FILES[kind]}"
            linux.mount(source, str(paths.namespace(kind)), flags=linux.MS_BIND)


def write_sysctl(paths: SandboxPaths, name: str, value: str) -> None:
    """Set a sysctl of the IPC namespace, which only the user namespace's root may.

    Raises OSError.
    """
    entered = [f"--{kind}={paths.namespace(kind)}" for kind in ("user", "ipc")]
    argv = ["nsenter", *entered, "tee", str(namespaces.sysctl_file(name))]
    completed = subprocess.run(argv, input=value, capture_output=True, text=True, check=False)
    if completed.returncode:
        raise OSError(errno.EACCES, completed.stderr.strip())


def owner(mapping: UserNamespace) -> tuple[int, int]:
    """Who root of the namespace is on the node."""
    return _root(mapping.uids), _root(mapping.gids)


@contextlib.contextmanager
def _waiting(options: Sequence[str]) -> Iterator[int]:
    """Yield the process ID of something that has new namespaces."""
    argv = ["unshare", "--user", *options, "cat"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"?")
        process.stdin.flush()
        if process.stdout.read(1) != b"?":  # it answers once it is where it should be
            raise OSError(0, "no user namespace could be made", "unshare")
        yield process.pid
        process.stdin.close()


def _map(entries: Sequence[IDMapping]) -> str:
    return "".join(f"{e.container_id} {e.host_id} {e.length}\n" for e in entries)


def _root(entries: Sequence[IDMapping]) -> int:
    return next((entry.host_id for entry in entries if entry.container_id == 0), 0)
