"""runtime.oci.apparmor: which profile a container gets. No kernel with AppArmor is needed."""

from __future__ import annotations

import subprocess

import pytest

from podium.runtime.oci.apparmor import default_profile, parse_profiles, profile_for
from podium.runtime.port import (
    LinuxContainerSecurityContext,
    ProfileType,
    RuntimeFailure,
    SecurityProfile,
)

DEFAULT = SecurityProfile(ProfileType.RUNTIME_DEFAULT)


@pytest.mark.parametrize(
    "context",
    [
        pytest.param({}, id="nothing-asked-for"),
        pytest.param({"apparmor": SecurityProfile(ProfileType.UNCONFINED)}, id="unconfined"),
        pytest.param({"apparmor": DEFAULT, "privileged": True}, id="privileged"),
    ],
)
async def test_no_profile(context):
    wish = LinuxContainerSecurityContext(**context)
    assert await profile_for(wish, "podium-x", available=True) == ""


@pytest.mark.parametrize(
    ("wish", "available", "text"),
    [
        (DEFAULT, False, "apparmor is not supported"),
        (
            SecurityProfile(ProfileType.LOCALHOST, "no-such-profile"),
            True,
            "apparmor profile not found no-such-profile",
        ),
    ],
)
async def test_what_cannot_be_enforced_is_refused(wish, available, text):
    context = LinuxContainerSecurityContext(apparmor=wish)
    with pytest.raises(RuntimeFailure) as caught:
        await profile_for(context, "podium-x", available=available)
    assert str(caught.value) == f"failed to create containerd container: {text}"


def test_the_kernels_list():
    text = "podium-x (enforce)\n/usr/bin/man (complain)\n:ns://a profile (enforce)\n"
    assert parse_profiles(text) == {"podium-x", "/usr/bin/man", ":ns://a profile"}


def test_our_profile_compiles():
    text = default_profile("podium-x").encode()
    subprocess.run(["apparmor_parser", "-QK"], input=text, check=True, capture_output=True)
