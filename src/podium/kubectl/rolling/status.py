"""``kubectl rollout status``: until it is done."""

from __future__ import annotations

import json
import math
import time
from typing import Any

from podium.kubectl.choosing import Chosen
from podium.kubectl.command import Command, Invocation
from podium.kubectl.errors import CommandError
from podium.kubectl.files import given
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.rolling.common import FLAGS, check_revision, chosen
from podium.kubectl.rolling.progress import progress
from podium.kubectl.session import Session
from podium.kubectl.writing import each

Map = dict[str, Any]


def run(invocation: Invocation) -> int:
    values = invocation.values
    if invocation.words or given(values):
        check_revision(values.revision)
    until = time.monotonic() + values.timeout if values.timeout else None

    def show(found: tuple[Chosen, Map]) -> None:
        one, obj = found
        while True:
            text, done = progress(one.type.kind, obj, values.revision)
            print(text, flush=True)
            if done or not values.watch:
                return
            obj = _next(invocation.session, one, obj, until)

    return each(chosen(invocation), show)


def _next(session: Session, one: Chosen, obj: Map, until: float | None) -> Map:
    """Return the object when it has changed. Raises CommandError when it is gone, or time is up."""
    query = [
        ("watch", "true"),
        ("fieldSelector", f"metadata.name={one.name}"),
        ("resourceVersion", obj["metadata"]["resourceVersion"]),
    ]
    while True:
        left = None if until is None else until - time.monotonic()
        if left is not None and left <= 0:
            raise CommandError("timed out waiting for the condition")
        limit = [("timeoutSeconds", str(math.ceil(left)))] if left is not None else []
        for line in session.http.stream(one.type.path(one.namespace), [*query, *limit]):
            event = json.loads(line)
            if event["type"] == "DELETED":
                raise CommandError("object has been deleted")
            if event["type"] == "ERROR":
                return one.read(session)
            if event["type"] == "MODIFIED":
                changed: Map = event["object"]
                return changed


COMMAND = Command(
    usage="kubectl rollout status (TYPE NAME | TYPE/NAME) [flags] [options]",
    short="Show the status of the rollout",
    long="Follow a rollout until it is done.",
    examples="kubectl rollout status deployment/web",
    run=run,
    flags=(
        *FLAGS,
        Flag("revision", 0, "Pin to a specific revision for showing its status. Defaults to 0 "
             "(last revision).", kind=Kind.INT),
        Flag("timeout", 0.0, "The length of time to wait before ending watch, zero means never. "
             "Any other values should contain a corresponding time unit (e.g. 1s, 2m, 3h).",
             kind=Kind.DURATION),
        Flag("watch", True, "Watch the status of the rollout until it's done.", short="w",
             kind=Kind.BOOL),
    ),
)  # fmt: skip
