from __future__ import annotations

import pytest

from podium.domain.pods.apparmor import (
    ANNOTATION,
    SecurityModules,
    apparmor_problem,
    apparmor_profile,
)
from support.pods import make_pod

OFF = "Cannot enforce AppArmor: AppArmor is not enabled on the host"


def asking(own=None, common=None, annotation=""):
    pod = make_pod(
        {"name": "a", "image": "i", "securityContext": {"appArmorProfile": own} if own else {}},
        securityContext={"appArmorProfile": common} if common else {},
    )
    if annotation:
        pod.metadata.annotations = {ANNOTATION + "a": annotation}
    return pod


@pytest.mark.parametrize(
    ("wish", "kind", "name", "problem"),
    [
        pytest.param({}, None, None, "", id="nothing"),
        pytest.param({"own": {"type": "Unconfined"}}, "Unconfined", None, "", id="unconfined"),
        pytest.param(
            {"own": {"type": "RuntimeDefault"}}, "RuntimeDefault", None, OFF, id="the-default"
        ),
        pytest.param(
            {"common": {"type": "Localhost", "localhostProfile": "n"}}, "Localhost", "n", OFF,
            id="the-pods",
        ),
        pytest.param(
            {"own": {"type": "Unconfined"}, "common": {"type": "RuntimeDefault"}},
            "Unconfined", None, "", id="the-containers-own-wins",
        ),
        pytest.param(
            {"annotation": "localhost/n"}, "Localhost", "n", OFF, id="by-annotation"
        ),
        pytest.param(
            {"annotation": "runtime/default"}, "RuntimeDefault", None, OFF,
            id="the-default-by-annotation",
        ),
        pytest.param(
            {"annotation": "unconfined"}, "Unconfined", None, "", id="unconfined-by-annotation"
        ),
    ],
)  # fmt: skip
def test_profiles(wish, kind, name, problem):
    pod = asking(**wish)
    profile = apparmor_profile(pod, pod.spec.containers[0])
    assert (profile and profile.type, profile and profile.localhost_profile) == (kind, name)
    assert apparmor_problem(pod, SecurityModules()) == problem
    assert apparmor_problem(pod, SecurityModules(apparmor=True)) == ""
