from __future__ import annotations

import pytest

from podium.domain.pods.seccomp import seccomp_profile
from support.pods import make_pod


@pytest.mark.parametrize(
    ("of_pod", "of_container", "expected"),
    [
        (None, None, "RuntimeDefault"),
        ("Unconfined", None, "Unconfined"),
        (None, "Unconfined", "Unconfined"),
        ("Unconfined", "RuntimeDefault", "RuntimeDefault"),
        ("RuntimeDefault", "Unconfined", "Unconfined"),
    ],
)
def test_the_container_decides_then_the_pod_then_the_node(of_pod, of_container, expected):
    def context(kind):
        return {"seccompProfile": {"type": kind}} if kind else {}

    pod = make_pod(
        {"name": "a", "image": "kuard:1", "securityContext": context(of_container)},
        securityContext=context(of_pod),
    )
    assert seccomp_profile(pod, pod.spec.containers[0]).type == expected
