"""kubelet.security_context: what the runtime is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from podium.domain.pods.security import MASKED_PATHS, READONLY_PATHS, ImageUser
from podium.kubelet.security_context import security_context
from podium.runtime.port import (
    LinuxContainerSecurityContext,
    ProfileType,
    SecurityProfile,
    SupplementalGroupsPolicy,
    UserNamespace,
)
from support.pods import make_pod

PROFILES = Path("/kubelet/seccomp")


def wanted(own=None, image=ImageUser(), **spec) -> LinuxContainerSecurityContext:  # noqa: B008
    pod = make_pod({"name": "a", "image": "i", "securityContext": own or {}}, **spec)
    return security_context(pod, pod.spec.containers[0], image, PROFILES, UserNamespace())


def test_who_says_nothing_gets_the_defaults():
    found = wanted()
    assert (found.masked_paths, found.readonly_paths) == (MASKED_PATHS, READONLY_PATHS)
    assert [found.privileged, found.no_new_privs, found.readonly_rootfs] == [False] * 3
    assert found.seccomp == SecurityProfile(ProfileType.RUNTIME_DEFAULT)
    assert found.supplemental_groups_policy is SupplementalGroupsPolicy.MERGE


@pytest.mark.parametrize(
    ("own", "image", "user", "name"),
    [
        pytest.param({}, ImageUser(), 0, "", id="an-image-without-a-user-is-root"),
        pytest.param({}, ImageUser(7), 7, "", id="the-images-number"),
        pytest.param({}, ImageUser(None, "web"), None, "web", id="the-images-name"),
        pytest.param({"runAsUser": 5}, ImageUser(None, "web"), 5, "", id="the-pods-own"),
        pytest.param({"runAsUser": 0}, ImageUser(7), 0, "", id="root-is-a-wish-too"),
    ],
)
def test_users(own, image, user, name):
    found = wanted(own, image)
    assert (found.run_as_user, found.run_as_username) == (user, name)


@pytest.mark.parametrize(
    ("own", "attribute", "value"),
    [
        ({"privileged": True}, "privileged", True),
        ({"allowPrivilegeEscalation": False}, "no_new_privs", True),
        ({"allowPrivilegeEscalation": True}, "no_new_privs", False),
        ({"readOnlyRootFilesystem": True}, "readonly_rootfs", True),
        ({"procMount": "Unmasked"}, "masked_paths", ()),
        ({"procMount": "Unmasked"}, "readonly_paths", ()),
        ({"procMount": "Default"}, "masked_paths", MASKED_PATHS),
        ({"runAsUser": 1, "runAsGroup": 6}, "run_as_group", 6),
        (
            {"seccompProfile": {"type": "Localhost", "localhostProfile": "a/b.json"}},
            "seccomp",
            SecurityProfile(ProfileType.LOCALHOST, "/kubelet/seccomp/a/b.json"),
        ),
        (
            {"seccompProfile": {"type": "Unconfined"}},
            "seccomp",
            SecurityProfile(ProfileType.UNCONFINED),
        ),
    ],
)
def test_wishes(own, attribute, value):
    assert getattr(wanted(own), attribute) == value


def test_a_strict_policy():
    found = wanted(securityContext={"supplementalGroupsPolicy": "Strict", "fsGroup": 6})
    assert found.supplemental_groups_policy is SupplementalGroupsPolicy.STRICT
    assert found.supplemental_groups == (6,)
