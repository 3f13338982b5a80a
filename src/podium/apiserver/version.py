"""``/version``: the release of Kubernetes whose API this is."""

from __future__ import annotations

from podium.kit.build import RELEASE, build_info

GIT_VERSION = f"{RELEASE}+podium"


def version_info() -> dict[str, str]:
    return build_info(GIT_VERSION)
