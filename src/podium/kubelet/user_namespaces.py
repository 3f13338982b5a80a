"""Ranges of IDs for Pods with users of their own, kept in the Pods' directories.

    <root>/pods/<uid>/userns    {"uidMappings": [{"hostId": …, "containerId": 0, "length": …}], …}

The file is upstream's. It goes with the Pod's directory, and the range is free again.
"""

from __future__ import annotations

import pwd
import secrets
import shutil
import subprocess
from collections.abc import Iterator

import msgspec

from podium.api.types.core_v1 import Pod
from podium.domain.pods.user_namespaces import IdRanges, NoRange, parse_subids
from podium.kit.files import write_atomic
from podium.kubelet.options import KubeletOptions
from podium.runtime.port import IDMapping, NamespaceMode, UserNamespace

_FILE = "userns"
_USER = "kubelet"


class _Entry(msgspec.Struct, rename="camel"):
    host_id: int
    container_id: int
    length: int


class _Mappings(msgspec.Struct, rename="camel"):
    uid_mappings: list[_Entry]
    gid_mappings: list[_Entry]


class UserNamespaces:
    """Nothing is read before the first Pod that asks."""

    def __init__(self, options: KubeletOptions) -> None:
        self._options = options
        self._ranges: IdRanges | None = None
        self._of: dict[str, int] = {}

    def of(self, pod: Pod) -> UserNamespace:
        """Return the Pod's users: the node's, unless it wants others and has been given them.

        Raises NoRange and OSError.
        """
        if pod.spec.host_users is not False:
            return UserNamespace()
        ranges, first = self._load(), self._of.get(pod.metadata.uid)
        if first is None:
            return UserNamespace()
        mapping = [IDMapping(first, 0, ranges.length)]
        return UserNamespace(NamespaceMode.POD, mapping, mapping)

    def claim(self, pod: Pod) -> None:
        """Give the Pod a range if it has none; its directory has to be there.

        Raises NoRange and OSError.
        """
        ranges, uid = self._load(), pod.metadata.uid
        if uid in self._of:
            return
        first = ranges.choose(set(self._of.values()), secrets.randbelow)
        entry = [_Entry(first, 0, ranges.length)]
        content = msgspec.json.encode(_Mappings(entry, entry))
        write_atomic(self._options.pod_dir(uid) / _FILE, content)
        self._of[uid] = first

    def release(self, uid: str) -> None:
        """The Pod's directory is gone. Repeatable."""
        self._of.pop(uid, None)

    def _load(self) -> IdRanges:
        if self._ranges is None:
            ranges = self._find_ranges()
            self._of = dict(self._kept(ranges))
            self._ranges = ranges
        return self._ranges

    def _kept(self, ranges: IdRanges) -> Iterator[tuple[str, int]]:
        """What the Pods have that are on disk. Raises NoRange."""
        for file in self._options.pod_dir("x").parent.glob(f"*/{_FILE}"):
            try:
                found = msgspec.json.decode(file.read_bytes(), type=_Mappings)
                (entry,) = found.uid_mappings
            except (msgspec.DecodeError, ValueError) as exc:
                raise NoRange(f"invalid user namespace mappings file {file}: {exc}") from exc
            if entry.length != ranges.length:
                raise NoRange(f"{file}: wrong user namespace length {entry.length}")
            yield file.parent.name, entry.host_id

    def _find_ranges(self) -> IdRanges:
        """All IDs, or those that the machine has set aside for the user ``kubelet``."""
        length = self._options.config.user_namespace_ids_per_pod
        try:
            pwd.getpwnam(_USER)
        except KeyError:
            return IdRanges.default(length)
        program = shutil.which("getsubids")
        if program is None:
            return IdRanges.default(length)
        uids, gids = (_output(program, *options, _USER) for options in ((), ("-g",)))
        if uids != gids:
            raise NoRange(f'mismatched subuids and subgids for user "{_USER}"')
        return IdRanges.within(*parse_subids(uids), length, pods=self._options.config.max_pods)


def _output(*argv: str) -> str:
    completed = subprocess.run(argv, capture_output=True, text=True, check=False)
    if completed.returncode:
        raise NoRange(f"{' '.join(argv)}: {completed.stderr.strip()}")
    return completed.stdout
