"""``kubectl wait``: until objects are as they should be, are there, or are gone."""

from __future__ import annotations

import contextlib
import json
import math
import sys
import time
from typing import Any

from podium.kubectl.choosing import Chosen, choose
from podium.kubectl.command import Command, Invocation
from podium.kubectl.conditions import GONE, THERE, Condition, parse
from podium.kubectl.errors import CommandError, FellSilent, StatusError
from podium.kubectl.files import FILE_FLAGS
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.writing import (
    MANAGED_FIELDS_FLAG,
    OUTPUT_FLAGS,
    check_output,
    printed,
)

_WEEK = 7 * 24 * 3600.0


def run(invocation: Invocation) -> int:
    values = invocation.values
    condition = parse(values.__getattr__("for"))
    check_output(values)
    chosen = choose(invocation, invocation.words)
    if not chosen and condition is not GONE:
        raise CommandError("no matching resources found")
    seconds = values.timeout if values.timeout >= 0 else _WEEK
    deadline = time.monotonic() + seconds
    problems: list[CommandError] = []
    for one in chosen:
        try:
            obj = _wait(invocation, one, condition, deadline, look_once=seconds == 0)
            if obj is not None:
                printed(invocation, one.type, obj, "condition met")
                sys.stdout.flush()
        except CommandError as error:
            problems.append(error)
    if len(problems) == 1:
        raise problems[0]
    sys.stdout.flush()
    for problem in problems:
        text = problem.lines() if isinstance(problem, StatusError) else str(problem)
        print(text, file=sys.stderr)
    return 1 if problems else 0


def _wait(
    invocation: Invocation,
    one: Chosen,
    condition: Condition,
    deadline: float,
    *,
    look_once: bool,
) -> dict[str, Any] | None:
    """Wait for one object and return it; None where there was nothing to wait for.

    Raises CommandError where the time is over, or the object is not there.
    """
    session = invocation.session
    path = one.type.path(one.namespace)
    only = ("fieldSelector", f"metadata.name={one.name}")
    uid, last = "", None
    if not look_once and time.monotonic() >= deadline:
        raise CommandError(_over(one, condition, look_once=False))
    while True:
        listed = session.http.request("GET", path, [only]).json()
        obj = (listed["items"] or [None])[0]
        if obj is None and condition is GONE:
            return last
        if obj is None and condition is not THERE:
            session.http.one(one.path)  # refuses in the server's words
        if obj is not None and (condition(obj) or (uid and uid != obj["metadata"]["uid"])):
            return _typed(one, obj)
        if obj is not None:
            last = _typed(one, obj)
        uid = obj["metadata"]["uid"] if obj is not None else ""
        left = deadline - time.monotonic()
        if left <= 0:
            raise CommandError(_over(one, condition, look_once=look_once))
        version = listed["metadata"]["resourceVersion"]
        met = _watch(invocation, path, [only, ("resourceVersion", version)], condition, left)
        if met is not None:
            return met


def _typed(one: Chosen, obj: dict[str, Any]) -> dict[str, Any]:
    """Items of a list do not say of which kind they are."""
    return {"apiVersion": one.type.group_version, "kind": one.type.kind, **obj}


def _over(one: Chosen, condition: Condition, *, look_once: bool) -> str:
    if condition is THERE:
        return "timed out waiting for the condition"
    what = "condition not met for" if look_once else "timed out waiting for the condition on"
    return f"{what} {one.type.plural}/{one.name}"


def _watch(
    invocation: Invocation,
    path: str,
    query: list[tuple[str, str]],
    condition: Condition,
    seconds: float,
) -> dict[str, Any] | None:
    """Return the object that came to be as it should be; None: look again."""
    query = [*query, ("watch", "true"), ("timeoutSeconds", str(math.ceil(seconds)))]
    with contextlib.suppress(FellSilent):
        for line in invocation.session.http.stream(path, query):
            event: dict[str, Any] = json.loads(line)
            if event["type"] in ("DELETED", "ERROR"):
                break
            obj: dict[str, Any] = event["object"]
            if condition(obj):
                return obj
    return None


COMMAND = Command(
    usage="kubectl wait ([-f FILENAME] | resource.group/resource.name | resource.group [(-l label "
    "| --all)]) [--for=create|--for=delete|--for condition=available|--for=jsonpath='{}'[=value]] "
    "[options]",
    short="Wait for a specific condition on one or many resources",
    long="Wait until objects have a condition or a value, are there, or are gone.",
    examples="""
# Until a Pod is ready
kubectl wait --for=condition=Ready pod/web

# Until it runs
kubectl wait --for=jsonpath='{.status.phase}'=Running pod/web

# Until it is gone, for a minute at most
kubectl wait --for=delete pod/web --timeout=60s
""",
    run=run,
    flags=(
        *FILE_FLAGS,
        *OUTPUT_FLAGS,
        MANAGED_FIELDS_FLAG,
        Flag("all", False, "Select all resources in the namespace of the specified resource types",
             kind=Kind.BOOL),
        Flag("all-namespaces", False, "If present, list the requested object(s) across all "
             "namespaces.", short="A", kind=Kind.BOOL),
        Flag("field-selector", usage="Selector (field query) to filter on, supports '=', '==', and "
             "'!='."),
        Flag("for", usage="The condition to wait on: [create|delete|condition=condition-name"
             "[=condition-value]|jsonpath='{JSONPath expression}'=[JSONPath value]]."),
        Flag("selector", usage="Selector (label query) to filter on, supports '=', '==', '!=', "
             "'in', 'notin'.", short="l"),
        Flag("timeout", 30.0, "The length of time to wait before giving up.  Zero means check once "
             "and don't wait, negative means wait for a week.", kind=Kind.DURATION),
    ),
)  # fmt: skip
