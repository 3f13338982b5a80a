"""Which numeric user and groups a container runs as. Pure.

The rules are containerd's for CRI: a number need not be known to the image, a name must be; the
group is the user's own unless one is given; the supplementary groups are those the Pod asks for and
those the image's /etc/group lists the user in.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from podium.runtime.port import (
    LinuxContainerSecurityContext,
    LinuxContainerUser,
    RuntimeFailure,
    SupplementalGroupsPolicy,
)


class _Account(msgspec.Struct, frozen=True):
    name: str
    uid: int
    gid: int


def user_string(context: LinuxContainerSecurityContext, image_user: str) -> str:
    """Return ``user[:group]`` as Dockerfiles write it: the Pod's wish, else the image's."""
    user = context.run_as_username
    if context.run_as_user is not None:
        user = str(context.run_as_user)
    group = "" if context.run_as_group is None else str(context.run_as_group)
    if not user and not group:
        return image_user
    if not user:
        raise RuntimeFailure("user group is specified without user", "InvalidArgument")
    return f"{user}:{group}" if group else user


def resolve(
    text: str,
    passwd: str,
    group: str,
    supplemental: Sequence[int] = (),
    policy: SupplementalGroupsPolicy = SupplementalGroupsPolicy.MERGE,
) -> LinuxContainerUser:
    """Look *text* (``user[:group]``) up in the image's account files.

    Raises RuntimeFailure in containerd's words when a name is not there.
    """
    user_part, _, group_part = text.partition(":")
    accounts = _accounts(passwd)
    account = _account(user_part, accounts)
    gid = _group_id(group_part, group) if group_part else account.gid
    memberships = [
        int(fields[2])
        for fields in _lines(group, 4)
        if fields[2].isdigit() and account.name and account.name in fields[3].split(",")
    ]
    if policy is SupplementalGroupsPolicy.STRICT:
        memberships = []
    return LinuxContainerUser(account.uid, gid, tuple(sorted({gid, *supplemental, *memberships})))


def _account(text: str, accounts: Sequence[_Account]) -> _Account:
    if not text:
        text = "0"
    for account in accounts:
        if text in (account.name, str(account.uid)):
            return account
    if text.isdigit():
        return _Account("", int(text), 0)
    raise RuntimeFailure("failed to create containerd container: no users found")


def _group_id(text: str, group: str) -> int:
    if text.isdigit():
        return int(text)
    for fields in _lines(group, 3):
        if fields[0] == text and fields[2].isdigit():
            return int(fields[2])
    raise RuntimeFailure("failed to create containerd container: no groups found")


def _accounts(passwd: str) -> list[_Account]:
    return [
        _Account(fields[0], int(fields[2]), int(fields[3]))
        for fields in _lines(passwd, 4)
        if fields[2].isdigit() and fields[3].isdigit()
    ]


def _lines(text: str, fields: int) -> list[list[str]]:
    """Split each line into its fields, of which there are *fields* at least."""
    lines = (line.strip().split(":") for line in text.splitlines() if not line.startswith("#"))
    return [line for line in lines if len(line) >= fields]
