"""``kubectl wait``: until objects are as they should be, are there, or are gone."""

from __future__ import annotations

import contextlib
import json
import math
import sys
import time
from collections.abc import Iterator
from typing import Any

from podium.kubectl.command import Command, Invocation
from podium.kubectl.conditions import GONE, THERE, Condition, parse
from podium.kubectl.discovery import Discovery
from podium.kubectl.errors import CommandError, FellSilent, Said, StatusError
from podium.kubectl.files import FILE_FLAGS, given, manifests
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.targets import Target, resolve
from podium.kubectl.writing import (
    MANAGED_FIELDS_FLAG,
    OUTPUT_FLAGS,
    check_output,
    printed,
)

_WEEK = 7 * 24 * 3600.0
_NOTHING_NAMED = """\
error: You must provide one or more resources by argument or filename.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'
   '<resource> <name>'
   '<resource>'"""


def run(invocation: Invocation) -> int:
    values = invocation.values
    condition = parse(values.__getattr__("for"))
    check_output(values)
    if not invocation.words and not given(values):
        raise Said(_NOTHING_NAMED)
    seconds = values.timeout if values.timeout >= 0 else _WEEK
    deadline = time.monotonic() + seconds
    problems: list[CommandError] = []
    for target in _targets(invocation, condition):
        try:
            obj = _wait(invocation, target, condition, deadline, look_once=seconds == 0)
            if obj is not None:
                printed(invocation, target.type, obj, "condition met")
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


def _targets(invocation: Invocation, condition: Condition) -> Iterator[Target]:
    """Yield the objects to wait for, each with its name. Raises CommandError."""
    values, session = invocation.values, invocation.session
    discovery = Discovery(session.http)
    if given(values):
        for manifest in manifests(invocation, discovery):
            yield Target(manifest.type, manifest.name, manifest.namespace)
        return
    found = False
    for target in resolve(invocation.words, discovery):
        if target.name:
            found = True
            yield target
            continue
        if not (values.all or values.selector or values.field_selector):
            raise CommandError("resource(s) were provided, but no name was specified")
        query = [("labelSelector", values.selector)] if values.selector else []
        query += [("fieldSelector", values.field_selector)] if values.field_selector else []
        namespace = "" if values.all_namespaces else session.namespace
        path = target.type.path(namespace)
        for item in session.http.request("GET", path, query).json()["items"] or ():
            found = True
            metadata = item["metadata"]
            yield Target(target.type, metadata["name"], metadata.get("namespace", ""))
    if not found and condition is not GONE:
        raise CommandError("no matching resources found")


def _wait(
    invocation: Invocation,
    target: Target,
    condition: Condition,
    deadline: float,
    *,
    look_once: bool,
) -> dict[str, Any] | None:
    """Wait for one object and return it; None where there was nothing to wait for.

    Raises CommandError where the time is over, or the object is not there.
    """
    session = invocation.session
    path = target.type.path(target.namespace or session.namespace)
    only = ("fieldSelector", f"metadata.name={target.name}")
    uid, last = "", None
    if not look_once and time.monotonic() >= deadline:
        raise CommandError(_over(target, condition, look_once=False))
    while True:
        listed = session.http.request("GET", path, [only]).json()
        obj = (listed["items"] or [None])[0]
        if obj is None and condition is GONE:
            return last
        if obj is None and condition is not THERE:
            session.http.one(f"{path}/{target.name}")  # refuses in the server's words
        if obj is not None and (condition(obj) or (uid and uid != obj["metadata"]["uid"])):
            return _typed(target, obj)
        if obj is not None:
            last = _typed(target, obj)
        uid = obj["metadata"]["uid"] if obj is not None else ""
        left = deadline - time.monotonic()
        if left <= 0:
            raise CommandError(_over(target, condition, look_once=look_once))
        version = listed["metadata"]["resourceVersion"]
        met = _watch(invocation, path, [only, ("resourceVersion", version)], condition, left)
        if met is not None:
            return met


def _typed(target: Target, obj: dict[str, Any]) -> dict[str, Any]:
    """Items of a list do not say of which kind they are."""
    return {"apiVersion": target.type.group_version, "kind": target.type.kind, **obj}


def _over(target: Target, condition: Condition, *, look_once: bool) -> str:
    if condition is THERE:
        return "timed out waiting for the condition"
    what = "condition not met for" if look_once else "timed out waiting for the condition on"
    return f"{what} {target.type.plural}/{target.name}"


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
