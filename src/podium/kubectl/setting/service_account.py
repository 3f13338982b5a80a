"""``kubectl set serviceaccount``."""

from __future__ import annotations

from typing import Any

from podium.kubectl.choosing import NOTHING_NAMED
from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import ResourceType
from podium.kubectl.errors import CommandError, Said
from podium.kubectl.files import given
from podium.kubectl.recording import RECORD_FLAG
from podium.kubectl.updating import SET_NAMED_FLAGS, check, chosen, pod_spec, update


def run(invocation: Invocation) -> int:
    words = invocation.words
    check(invocation)
    if not words:
        raise CommandError("serviceaccount is required")
    name, words = words[-1], words[:-1]
    if not words and not given(invocation.values):
        raise Said(NOTHING_NAMED)

    def change(type_: ResourceType, obj: dict[str, Any]) -> None:
        pod_spec(type_, obj)["serviceAccountName"] = name

    return update(
        invocation, chosen(invocation, words), change, "serviceaccount updated",
        "failed to patch ServiceAccountName", always=True,
    )  # fmt: skip


COMMAND = Command(
    usage="kubectl set serviceaccount (-f FILENAME | TYPE NAME) SERVICE_ACCOUNT [options]",
    short="Update the service account of a resource",
    examples="kubectl set serviceaccount deployment web robot",
    aliases=("sa",),
    run=run,
    flags=(*SET_NAMED_FLAGS, RECORD_FLAG),
)
