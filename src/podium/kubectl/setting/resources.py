"""``kubectl set resources``."""

from __future__ import annotations

from typing import Any

from podium.kubectl.choosing import NOTHING_NAMED
from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import ResourceType
from podium.kubectl.errors import CommandError, Said
from podium.kubectl.files import given
from podium.kubectl.flags import Flag
from podium.kubectl.generators.quota import quantities
from podium.kubectl.recording import RECORD_FLAG
from podium.kubectl.updating import (
    SET_FLAGS,
    Unfit,
    check,
    chosen,
    matching,
    name_among_failures,
    pod_spec,
    update,
)


def run(invocation: Invocation) -> int:
    values = invocation.values
    check(invocation)
    if not invocation.words and not given(values):
        raise Said(NOTHING_NAMED)
    if not values.limits and not values.requests:
        raise CommandError(
            "you must specify an update to requests or limits (in the form of --requests/--limits)"
        )
    wanted = {"limits": _amounts(values.limits), "requests": _amounts(values.requests)}

    def change(type_: ResourceType, obj: dict[str, Any]) -> None:
        try:
            spec = pod_spec(type_, obj)
        except CommandError as exc:
            name = name_among_failures(type_, obj["metadata"]["name"], local=values.local)
            raise Unfit(f"error: {name} {exc}") from exc
        every = [*spec["containers"], *(spec.get("initContainers") or ())]
        containers = matching(every, values.containers)
        if not containers:
            raise CommandError(f"error: unable to find container named {values.containers}")
        for one in containers:
            resources = one.setdefault("resources", {})
            for what, amounts in wanted.items():
                for name, amount in amounts.items():
                    resources.setdefault(what, {})[name] = amount

    objects = chosen(invocation, invocation.words)
    return update(
        invocation, objects, change, "resource requirements updated",
        "failed to patch resources update to pod template", named=False,
    )  # fmt: skip


def _amounts(text: str) -> dict[str, str]:
    return quantities(text, "invalid argument syntax") if text else {}


COMMAND = Command(
    usage="kubectl set resources (-f FILENAME | TYPE NAME)  ([--limits=LIMITS & "
    "--requests=REQUESTS] [options]",
    short="Update resource requests/limits on objects with pod templates",
    examples="kubectl set resources deployment/web -c web --limits=cpu=1,memory=512Mi",
    run=run,
    flags=(
        *SET_FLAGS,
        RECORD_FLAG,
        Flag("containers", "*", "The names of containers in the selected pod templates to change, "
             "all containers are selected by default - may use wildcards", short="c"),
        Flag("limits", usage="The resource requirement requests for this container.  For example, "
             "'cpu=100m,memory=256Mi'."),
        Flag("requests", usage="The resource requirement requests for this container.  For "
             "example, 'cpu=100m,memory=256Mi'."),
    ),
)  # fmt: skip
