"""``kubectl set subject``."""

from __future__ import annotations

from typing import Any

from podium.kubectl.choosing import NOTHING_NAMED
from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import ResourceType
from podium.kubectl.errors import CommandError, Said
from podium.kubectl.files import given
from podium.kubectl.generators.binding import SUBJECT_FLAGS, subjects
from podium.kubectl.updating import SET_FLAGS, check, chosen, update


def run(invocation: Invocation) -> int:
    values = invocation.values
    check(invocation)
    if not invocation.words and not given(values):
        raise Said(NOTHING_NAMED)
    objects = chosen(invocation, invocation.words)
    if not (values.user or values.group or values.serviceaccount):
        raise CommandError("you must specify at least one value of user, group or serviceaccount")
    added = subjects(values)

    def change(type_: ResourceType, obj: dict[str, Any]) -> None:
        if type_.kind not in ("RoleBinding", "ClusterRoleBinding"):
            raise CommandError(
                "setting subjects is only supported for RoleBinding/ClusterRoleBinding"
            )
        there = obj.get("subjects") or []
        obj["subjects"] = there + [one for one in added if one not in there]

    return update(
        invocation, objects, change, "subjects updated",
        "failed to patch subjects to rolebinding:",
    )  # fmt: skip


COMMAND = Command(
    usage="kubectl set subject (-f FILENAME | TYPE NAME) [--user=username] [--group=groupname] "
    "[--serviceaccount=namespace:serviceaccountname] [--dry-run=server|client|none] [options]",
    short="Update the user, group, or service account in a role binding or cluster role binding",
    examples="kubectl set subject rolebinding admins --user=ann --group=operators",
    run=run,
    flags=(*SET_FLAGS, *SUBJECT_FLAGS),
)
