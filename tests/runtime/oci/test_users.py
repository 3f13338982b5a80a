"""runtime.oci.users: which numbers a container runs as."""

from __future__ import annotations

import pytest

from podium.runtime.oci.users import resolve, user_string
from podium.runtime.port import (
    LinuxContainerSecurityContext,
    RuntimeFailure,
    SupplementalGroupsPolicy,
)
from podium.runtime.port import LinuxContainerUser as User

PASSWD = "root:x:0:0:root:/root:/bin/sh\n# comment\nbroken\nweb:x:100:101::/:/bin/sh\n"
GROUP = "root:x:0:\nweb:x:101:\nextra:x:102:web,other\nmore:x:103:other\n"


@pytest.mark.parametrize(
    ("text", "supplemental", "expected"),
    [
        pytest.param("", (), User(0, 0, (0,)), id="root-by-default"),
        pytest.param("root", (), User(0, 0, (0,)), id="root-by-name"),
        pytest.param("web", (), User(100, 101, (101, 102)), id="a-name-with-its-groups"),
        pytest.param("100", (), User(100, 101, (101, 102)), id="a-known-number"),
        pytest.param("4711", (), User(4711, 0, (0,)), id="an-unknown-number"),
        pytest.param("web:extra", (), User(100, 102, (102,)), id="a-group-by-name"),
        pytest.param("web:55", (), User(100, 55, (55, 102)), id="a-group-by-number"),
        pytest.param("4711:4712", (), User(4711, 4712, (4712,)), id="numbers-unknown"),
        pytest.param("web", (7, 101), User(100, 101, (7, 101, 102)), id="supplemental"),
    ],
)
def test_resolve(text, supplemental, expected):
    assert resolve(text, PASSWD, GROUP, supplemental) == expected


def test_the_images_groups_do_not_count_where_the_policy_is_strict():
    found = resolve("web", PASSWD, GROUP, (7,), SupplementalGroupsPolicy.STRICT)
    assert found == User(100, 101, (7, 101))


def test_accounts_that_cannot_be_count_for_nothing():
    passwd = f"web:x:{2**31}:0::/:\nweb:x:5:²::/:\nweb:x:7:8::/:\n"
    group = f"a:x:{2**31}:web\nb:x:9:web\n"
    assert resolve("web", passwd, group) == User(7, 8, (8, 9))


@pytest.mark.parametrize("zeros", ["", "0" * 5000])
def test_an_image_without_account_files(zeros):
    assert resolve(f"{zeros}12:{zeros}34", "", "") == User(12, 34, (34,))
    assert resolve(zeros or "0", "", "") == User(0, 0, (0,))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("nosuch", "no users found", id="user"),
        pytest.param("web:nosuch", "no groups found", id="group"),
        pytest.param("99999999999", "must be in range 0-2147483647", id="a-user-too-large"),
        pytest.param("0:2147483648", "must be in range 0-2147483647", id="a-group-too-large"),
        pytest.param("9" * 5000, "must be in range 0-2147483647", id="no-number-at-all"),
        pytest.param("²", "no users found", id="what-only-looks-like-a-digit"),
    ],
)
def test_an_unknown_name_is_refused(text, message):
    with pytest.raises(RuntimeFailure, match=message):
        resolve(text, PASSWD, GROUP)


@pytest.mark.parametrize(
    ("context", "image_user", "expected"),
    [
        pytest.param({}, "", "", id="nobody-says"),
        pytest.param({}, "web", "web", id="the-images"),
        pytest.param({"run_as_user": 5}, "web", "5", id="the-pods"),
        pytest.param({"run_as_user": 0}, "web", "0", id="root-is-a-wish-too"),
        pytest.param({"run_as_user": 5, "run_as_group": 6}, "web", "5:6", id="with-a-group"),
        pytest.param({"run_as_username": "web"}, "x", "web", id="by-name"),
        pytest.param(
            {"run_as_username": "web", "run_as_group": 6}, "x", "web:6", id="by-name-with-a-group"
        ),
    ],
)
def test_user_string(context, image_user, expected):
    assert user_string(LinuxContainerSecurityContext(**context), image_user) == expected


def test_a_group_needs_a_user():
    with pytest.raises(RuntimeFailure, match="user group is specified without user"):
        user_string(LinuxContainerSecurityContext(run_as_group=5), "web")
