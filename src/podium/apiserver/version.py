"""``/version``: the release of Kubernetes whose API this is."""

from __future__ import annotations

import platform

from podium import __version__

MAJOR, MINOR = "1", "37"
GIT_VERSION = f"v{MAJOR}.{MINOR}.0+podium"
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


def version_info() -> dict[str, str]:
    """Follows ``k8s.io/apimachinery/pkg/version`` Info; the Go fields tell Python's."""
    machine = platform.machine()
    return {
        "major": MAJOR,
        "minor": MINOR,
        "gitVersion": GIT_VERSION,
        "gitCommit": f"podium-{__version__}",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": f"python{platform.python_version()}",
        "compiler": platform.python_implementation(),
        "platform": f"linux/{_MACHINES.get(machine, machine)}",
    }
