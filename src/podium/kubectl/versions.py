"""Which kubectl this is, and whether a server is of the same version."""

from __future__ import annotations

from podium.kit.build import RELEASE, build_info
from podium.kubectl.errors import CommandError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from podium.kubectl.http import Http

#: The kubectl whose behaviour this one has, and the kustomize in it.
GIT_VERSION = RELEASE
KUSTOMIZE = "v5.8.1"
#: Fields of Go's ``version.Info``, in its order.
_FIELDS = (
    "major minor emulationMajor emulationMinor minCompatibilityMajor minCompatibilityMinor "
    "gitVersion gitCommit gitTreeState buildDate goVersion compiler platform"
).split()


def own() -> dict[str, str]:
    return build_info(GIT_VERSION)


def check_server(http: Http) -> None:
    """Raise CommandError unless the server is of this very version, however it was built."""
    client, server = own(), http.request("GET", "/version").json()
    if _plain(client) != _plain(server):
        raise CommandError(
            f"server version (&{_as_go(server)}) differs from client version ({_as_go(client)})"
        )


def _plain(version: Mapping[str, str]) -> str:
    return version.get("gitVersion", "").partition("+")[0]


def _as_go(version: Mapping[str, str]) -> str:
    fields = (f'{name[0].upper()}{name[1:]}:"{version.get(name, "")}"' for name in _FIELDS)
    return f"version.Info{{{', '.join(fields)}}}"
