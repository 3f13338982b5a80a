"""Who owns a volume's files, and with which mode: ``fsGroup`` and its change policy.

Follows ``pkg/volume/volume_linux.go`` and ``pkg/volume/util``.
"""

from __future__ import annotations

from podium.api.types.core_v1 import Pod
from podium.domain.pods.security import effective_context, pod_context

ON_ROOT_MISMATCH = "OnRootMismatch"
#: A token's mode where a user or a group of its own is to read it.
TOKEN_MODE = 0o600
_WRITABLE, _READABLE, _ENTERED, _SETGID = 0o660, 0o440, 0o110, 0o2000


def group_mode(mode: int, *, directory: bool, readonly: bool = False) -> int:
    """Return *mode* as it has to be for the group that owns the volume to use the file.

    Files made later belong to the directory's group, hence the setgid bit.
    """
    mode |= _READABLE if readonly else _WRITABLE
    return mode | _ENTERED | _SETGID if directory else mode


def root_matches(mode: int, gid: int, fs_group: int) -> bool:
    """Whether a volume's root directory shows that all below it belongs to *fs_group* already."""
    return gid == fs_group and mode == group_mode(mode, directory=True)


def fs_group(pod: Pod) -> int | None:
    return pod_context(pod).fs_group


def changes_on_mismatch_only(pod: Pod) -> bool:
    return pod_context(pod).fs_group_change_policy == ON_ROOT_MISMATCH


def fs_user(pod: Pod) -> int | None:
    """Return the user that all containers run as, None where they differ or one does not say."""
    containers = (*pod.spec.init_containers, *pod.spec.containers)
    users = {effective_context(pod, container).run_as_user for container in containers}
    return users.pop() if len(users) == 1 else None


def token_mode(pod: Pod, default: int) -> int:
    """The mode of a ServiceAccount's token in a volume whose files have *default*."""
    own = fs_user(pod) is not None or fs_group(pod) is not None
    return TOKEN_MODE if own else default
