"""Whether a server is of kubectl's own version, for ``--match-server-version``."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from podium.kubectl import versions
from podium.kubectl.errors import CommandError


def server(version):
    return SimpleNamespace(
        request=lambda *_: SimpleNamespace(
            json=lambda: json.loads(f'{{"gitVersion": "{version}"}}')
        )
    )


@pytest.mark.parametrize("built", ["", "+podium", "+k3s1"])
def test_how_a_server_was_built_does_not_matter(built):
    versions.check_server(server(versions.GIT_VERSION + built))


def test_another_version_is_refused():
    with pytest.raises(CommandError, match=r'GitVersion:"v1\.36\.0".* differs from client version'):
        versions.check_server(server("v1.36.0"))
