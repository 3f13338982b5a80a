"""Which numeric user and groups a container runs as. Pure.

The rules are containerd's for CRI: a number need not be known to the image, a name must be; the
group is the user's own unless one is given; the supplementary groups are those the Pod asks for and
those the image's /etc/group lists the user in.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from podium.kit.numbers import number
from podium.runtime.port import (
    LinuxContainerSecurityContext,
    LinuxContainerUser,
    RuntimeFailure,
    SupplementalGroupsPolicy,
)

#: As runc has it, and the API.
LARGEST_ID = 2**31 - 1


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
        member_of
        for fields in _lines(group, 4)
        if account.name and account.name in fields[3].split(",")
        if (member_of := _number(fields[2])) is not None
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
    uid = _number(text)
    if uid is not None:
        return _Account("", uid, 0)
    raise RuntimeFailure(f"failed to create containerd container: {_why(text, 'users')}")


def _group_id(text: str, group: str) -> int:
    gid = _number(text)
    for fields in _lines(group, 3) if gid is None else ():
        if fields[0] == text:
            gid = _number(fields[2])
        if gid is not None:
            break
    if gid is None:
        raise RuntimeFailure(f"failed to create containerd container: {_why(text, 'groups')}")
    return gid


def _accounts(passwd: str) -> list[_Account]:
    ids = ((fields[0], _number(fields[2]), _number(fields[3])) for fields in _lines(passwd, 4))
    return [_Account(name, u, g) for name, u, g in ids if u is not None and g is not None]


def _number(text: str) -> int | None:
    """Read a user's or group's number; None for what is none, and for those that none can have."""
    return number(text, LARGEST_ID)


def _why(text: str, kind: str) -> str:
    if text.isascii() and text.isdigit():
        return f"uids and gids must be in range 0-{LARGEST_ID}"
    return f"no {kind} found"


def _lines(text: str, fields: int) -> list[list[str]]:
    """Split each line into its fields, of which there are *fields* at least."""
    lines = (line.strip().split(":") for line in text.splitlines() if not line.startswith("#"))
    return [line for line in lines if len(line) >= fields]
