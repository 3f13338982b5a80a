"""What requests to a kubelet are to RBAC, as KEP-2862 has it."""

from __future__ import annotations

import pytest

from podium.kubelet.auth.attributes import subresources, verb


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/pods", ("pods", "proxy")),
        ("/runningpods/", ("pods", "proxy")),
        ("/healthz", ("healthz", "proxy")),
        ("/healthz/syncloop", ("healthz", "proxy")),
        ("/configz", ("configz", "proxy")),
        ("/stats/summary", ("stats",)),
        ("/metrics", ("metrics",)),
        ("/metrics/resource", ("metrics",)),
        ("/logs/", ("log",)),
        ("/checkpoint/a/b/c", ("checkpoint",)),
        ("/containerLogs/a/b/c", ("proxy",)),
        ("/exec/a/b/c", ("proxy",)),
        ("/podsomething", ("proxy",)),
        ("//pods", ("proxy",)),
        ("/", ("proxy",)),
    ],
)
def test_subresources(path: str, wanted: tuple[str, ...]):
    assert subresources(path) == wanted


def test_verbs():
    methods = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
    assert [verb(method) for method in methods] == [
        "get", "create", "update", "patch", "delete", "",
    ]  # fmt: skip
