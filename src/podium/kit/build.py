"""What this program says of itself where Kubernetes' programs say how they were built."""

from __future__ import annotations

MAJOR, MINOR = "1", "37"
#: The release of Kubernetes whose behaviour this is.
RELEASE = f"v{MAJOR}.{MINOR}.0"
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


def build_info(git_version: str) -> dict[str, str]:
    """Follows ``k8s.io/apimachinery/pkg/version`` Info; the Go fields tell Python's."""
    import platform  # seldom asked for, and slow to load

    from podium import __version__

    machine = platform.machine()
    return {
        "major": MAJOR,
        "minor": MINOR,
        "gitVersion": git_version,
        "gitCommit": f"podium-{__version__}",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": f"python{platform.python_version()}",
        "compiler": platform.python_implementation(),
        "platform": f"linux/{_MACHINES.get(machine, machine)}",
    }
