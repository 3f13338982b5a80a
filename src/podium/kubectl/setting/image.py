"""``kubectl set image``."""

from __future__ import annotations

from typing import Any

from podium.kubectl.choosing import NOTHING_NAMED
from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import ResourceType
from podium.kubectl.errors import CommandError, Said
from podium.kubectl.files import given
from podium.kubectl.recording import RECORD_FLAG
from podium.kubectl.updating import SET_FLAGS, check, chosen, pod_spec, update


def run(invocation: Invocation) -> int:
    images = dict(word.split("=", 1) for word in invocation.words if word.find("=") > 0)
    words = [word for word in invocation.words if word.find("=") <= 0]
    check(invocation)
    if not words and not given(invocation.values):
        raise Said(NOTHING_NAMED)

    def change(type_: ResourceType, obj: dict[str, Any]) -> None:
        spec = pod_spec(type_, obj)
        containers = [*(spec.get("initContainers") or ()), *spec["containers"]]
        for name, image in images.items():
            found = [one for one in containers if name in ("*", one["name"])]
            if not found:
                raise _NotThere(f'unable to find container named "{name}"')
            for one in found:
                one["image"] = image

    objects = chosen(invocation, words)
    if not images:
        raise CommandError("at least one image update is required")
    try:
        return update(
            invocation, objects, change, "image updated",
            "failed to patch image update to pod template:",
        )  # fmt: skip
    except CommandError as exc:
        if isinstance(exc.__cause__, _NotThere):
            raise exc.__cause__ from None
        raise


class _NotThere(CommandError):
    """A container that the object has not; told without the object."""


COMMAND = Command(
    usage="kubectl set image (-f FILENAME | TYPE NAME) CONTAINER_NAME_1=CONTAINER_IMAGE_1 ... "
    "CONTAINER_NAME_N=CONTAINER_IMAGE_N [options]",
    short="Update the image of a pod template",
    examples="kubectl set image deployment/web web=nginx:1.29",
    run=run,
    flags=(*SET_FLAGS, RECORD_FLAG),
)
