"""The part of a volume that a container mounts: ``subPath`` and ``subPathExpr``."""

from __future__ import annotations

from collections.abc import Mapping

from podium.api.types.core_v1 import VolumeMount
from podium.domain.pods.expansion import expand, references
from podium.domain.pods.nul_bytes import NUL
from podium.domain.pods.volume_files import VolumeProblem


def sub_path(mount: VolumeMount, envs: Mapping[str, str]) -> str:
    """Return the path below the volume, "" for all of it.

    *envs* is the container's environment. Raises VolumeProblem.
    """
    path = mount.sub_path
    if mount.sub_path_expr:
        names = references(mount.sub_path_expr)
        missing = [f"missing value for {name}" for name in names if name not in envs]
        if missing:
            raise VolumeProblem(missing[0] if len(missing) == 1 else f"[{', '.join(missing)}]")
        path = expand(mount.sub_path_expr, envs)
    if path.startswith("/"):
        raise VolumeProblem(f"error SubPath `{path}` must not be an absolute path")
    if ".." in path.split("/"):
        raise VolumeProblem(f"unable to provision SubPath `{path}`: must not contain '..'")
    if NUL in path:  # out of a variable
        raise VolumeProblem(f"unable to provision SubPath `{path}`: invalid argument")
    return path
