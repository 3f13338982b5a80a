"""``kubectl set selector``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from podium.kubectl.choosing import NOTHING_NAMED, Chosen, choose
from podium.kubectl.command import Command, Invocation
from podium.kubectl.discovery import ResourceType
from podium.kubectl.errors import CommandError, Said
from podium.kubectl.files import given
from podium.kubectl.flags import Flag
from podium.kubectl.recording import RECORD_FLAG
from podium.kubectl.selectors import as_label_selector
from podium.kubectl.updating import SET_FILED_FLAGS, check, chosen, update


def run(invocation: Invocation) -> int:
    values, words = invocation.values, invocation.words
    check(invocation)
    if not words:
        raise CommandError("one selector is required")
    selector = as_label_selector(words[-1]) if _selects(words[-1]) else None
    words = words[:-1]
    if not words and not given(values):
        raise Said(NOTHING_NAMED)
    if selector is None:
        raise CommandError("one selector is required")

    def change(type_: ResourceType, obj: dict[str, Any]) -> None:
        if type_.kind != "Service":
            raise CommandError("setting a selector is only supported for Services")
        if selector.get("matchExpressions"):
            shown = " ".join(
                f"{{{one['key']} {one['operator']} [{' '.join(one.get('values', ()))}]}}"
                for one in selector["matchExpressions"]
            )
            raise CommandError(f"match expression [{shown}] not supported on this object")
        if values.resource_version:
            obj["metadata"]["resourceVersion"] = values.resource_version
        obj["spec"]["selector"] = dict(selector.get("matchLabels") or {})

    objects: Iterable[Chosen] = (
        chosen(invocation, words)
        if values.local else choose(invocation, words, reads=True, typed=True)
    )  # fmt: skip
    return update(
        invocation, objects, change, "selector updated", "", named=False,
        always=True,
    )  # fmt: skip


def _selects(word: str) -> bool:
    return "/" not in word or "=" in word


COMMAND = Command(
    usage="kubectl set selector (-f FILENAME | TYPE NAME) EXPRESSIONS [--resource-version=version] "
    "[options]",
    short="Set the selector on a resource",
    examples="kubectl set selector service web app=web,tier=front",
    run=run,
    flags=(
        *SET_FILED_FLAGS,
        RECORD_FLAG,
        Flag("resource-version", usage="If non-empty, the selectors update will only succeed if "
             "this is the current resource-version for the object."),
    ),
)  # fmt: skip
