"""The files that the kubelet keeps for a Pod on the node, besides its volumes.

<root>/pods/<uid>/etc-hosts                            /etc/hosts of the containers
<root>/pods/<uid>/containers/<container>/<8 hex>       termination messages, one a run
<logs>/<namespace>_<name>_<uid>/<container>/<n>.log    logs; the runtime writes them
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from podium.api.types.core_v1 import Container, Pod
from podium.domain.pods.hostname import hosts_file
from podium.domain.pods.identity import log_directory_name
from podium.kit.files import read_plain
from podium.kubelet.options import KubeletOptions
from podium.kubelet.volumes.removal import remove
from podium.runtime import linux
from podium.runtime.port import Mount

#: Characters of a file of variables, at most.
LARGEST_FILE = 1 << 20


class PodFiles:
    """Calls raise OSError."""

    def __init__(self, namespace: str, name: str, uid: str, options: KubeletOptions) -> None:
        self._root = options.pod_dir(uid)
        self._secret = options.secret_dir(uid)
        self._domain = options.config.cluster_domain
        self.log_directory = options.log_dir / log_directory_name(namespace, name, uid)

    def create(self) -> None:
        """Make the Pod's directories; nobody but root looks into the Pod's own."""
        self._root.mkdir(parents=True, exist_ok=True, mode=0o750)
        self.log_directory.mkdir(parents=True, exist_ok=True)

    def hosts_mount(self, pod: Pod, ips: tuple[str, ...]) -> Mount:
        """Write ``/etc/hosts`` and say where it goes."""
        path = self._root / "etc-hosts"
        of_node = Path("/etc/hosts").read_text() if pod.spec.host_network else ""
        path.write_text(hosts_file(pod, ips, self._domain, of_node))
        path.chmod(0o644)
        return Mount("/etc/hosts", str(path))

    def termination_mount(self, container: Container, attempt: int) -> Mount:
        """Make the file that run *attempt* of *container* may leave its last words in.

        The files of the two runs before stay, as the status may still quote them.
        """
        directory = self._root / "containers" / container.name
        directory.mkdir(parents=True, exist_ok=True)
        if attempt >= 3:
            (directory / f"{attempt - 3:08x}").unlink(missing_ok=True)
        path = directory / f"{attempt:08x}"
        path.touch()
        path.chmod(0o666)
        return Mount(container.termination_message_path, str(path))

    def make_log_directory(self, container: Container) -> None:
        (self.log_directory / container.name).mkdir(parents=True, exist_ok=True)

    def remove(self) -> None:
        """Remove all of it, logs too."""
        remove(self._root, self._secret, self.log_directory)


def read_in_volume(directory: Path, path: str) -> str:
    """Read a text file that a container may have put there: no link of its leads out of
    *directory*, and nothing but a plain file is read. Raises OSError."""
    root = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        descriptor = linux.open_in_root(root, path, os.O_RDONLY | os.O_NONBLOCK)
    finally:
        os.close(root)
    data = read_plain(descriptor, 4 * LARGEST_FILE + 1)  # a character has up to four bytes
    if data is None:
        raise OSError(errno.EINVAL, "not a plain file", path)
    text = data.decode("utf-8", "surrogateescape")
    if len(text) > LARGEST_FILE:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), path)
    return text
