"""``kubectl wait``: until objects are as they should be, are there, or are gone."""

from __future__ import annotations

import contextlib
import json
import math
import select
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from podium.kubectl.choosing import Chosen, choose, read_all
from podium.kubectl.command import Command, Invocation
from podium.kubectl.conditions import GONE, THERE, Condition, parse
from podium.kubectl.errors import CommandError, Said, StatusError, Unreachable, Unread
from podium.kubectl.files import FILENAME_FLAG, given, recursive_flag
from podium.kubectl.flags import Flag, Kind
from podium.kubectl.updating import from_files
from podium.kubectl.writing import (
    MANAGED_FIELDS_FLAG,
    OUTPUT_FLAGS,
    check_output,
    each,
    printed,
)

_NO_FILES = """\
error: you must specify resources by --filename when --local is set.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'"""
#: Seconds until it is looked again whether something is there.
_PAUSE = 0.25
_WEEK = 7 * 24 * 3600.0


def run(invocation: Invocation) -> int:
    values = invocation.values
    check_output(values)
    texts = values.__getattr__("for")
    if not texts:
        raise CommandError("unrecognized condition: []")
    conditions = [parse(text) for text in texts]
    if values.local:
        return each(_local(invocation), lambda one: _check(invocation, one, conditions))
    seconds = values.timeout if values.timeout >= 0 else _WEEK
    deadline = time.monotonic() + seconds
    if THERE in conditions:
        _until_there(invocation, deadline)
    count = 0

    def wait(one: Chosen) -> None:
        nonlocal count
        count += 1
        try:
            one = one if one.listed is not None else replace(one, listed=one.read(session))
        except StatusError as error:
            if GONE in conditions and _is_missing(error):
                return
            raise
        for condition in conditions:
            obj = _wait(invocation, one, condition, deadline, look_once=seconds == 0)
            if obj is not None:
                _met(invocation, one, obj)

    session = invocation.session
    code = each(_chosen(invocation, missing=GONE in conditions), wait)
    if not count and GONE not in conditions:
        raise CommandError("no matching resources found")
    return code


def _met(invocation: Invocation, one: Chosen, obj: dict[str, Any]) -> None:
    with contextlib.suppress(CommandError):  # a template that does not fit keeps nobody waiting
        printed(invocation, one.type, obj, "condition met", parts=invocation.values.local)
    sys.stdout.flush()


def _chosen(invocation: Invocation, *, missing: bool) -> Iterable[Chosen]:
    """Yield what is waited for; objects of files that are *missing* are passed over."""
    try:
        yield from choose(invocation, invocation.words, reads=True)
    except Unread as exc:
        failures = [one for one in exc.failures if not (missing and _is_missing(one))]
        if failures:
            raise Unread(failures) from exc


def _is_missing(error: CommandError) -> bool:
    return isinstance(error, StatusError) and error.code == 404


def _until_there(invocation: Invocation, deadline: float) -> None:
    """Return once all that the command is for is there. Raises CommandError."""
    while True:
        try:
            found = list(choose(invocation, invocation.words, reads=True))
            if read_all(invocation.session, found):
                return
        except CommandError as exc:
            failures = exc.failures if isinstance(exc, Unread) else [exc]
            if len(failures) != 1 or not _is_missing(failures[0]):
                raise
        left = deadline - time.monotonic()
        if left <= 0:
            raise CommandError("timed out waiting for the condition")
        select.select([], [], [], min(left, _PAUSE))


def _local(invocation: Invocation) -> Iterator[Chosen]:
    if invocation.words or not given(invocation.values):
        raise Said(_NO_FILES)
    yield from from_files(invocation)


def _check(invocation: Invocation, one: Chosen, conditions: Iterable[Condition]) -> None:
    """Look at an object of a file, where nobody can be waited for. Raises CommandError."""
    obj = one.said or {}
    for condition in conditions:
        if not condition(obj):
            raise CommandError(_over(one, look_once=True))
        _met(invocation, one, obj)


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
    if condition is THERE:
        return one.listed
    session = invocation.session
    path = one.type.path(one.namespace)
    only = ("fieldSelector", f"metadata.name={one.name}")
    uid, last = "", None
    if not look_once and time.monotonic() >= deadline:
        if condition is GONE:
            raise CommandError("context deadline exceeded")
        raise CommandError(_over(one, look_once=False))
    while True:
        listed = session.http.request("GET", path, [only]).json()
        obj = next((_typed(one, item) for item in listed["items"]), None)
        if obj is None and condition is GONE:
            return last
        if obj is None:
            session.http.one(one.path)  # refuses in the server's words
        if obj is not None and (condition(obj) or (uid and uid != obj["metadata"]["uid"])):
            return obj
        last = obj or last
        uid = obj["metadata"]["uid"] if obj is not None else ""
        left = deadline - time.monotonic()
        if left <= 0:
            raise CommandError(_over(one, look_once=look_once))
        version = listed["metadata"]["resourceVersion"]
        met = _watch(invocation, path, [only, ("resourceVersion", version)], condition, left)
        if met is not None:
            return met


def _typed(one: Chosen, obj: dict[str, Any]) -> dict[str, Any]:
    """Items of a list do not say of which kind they are."""
    return {"apiVersion": one.type.group_version, "kind": one.type.kind, **obj}


def _over(one: Chosen, *, look_once: bool) -> str:
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
    with contextlib.suppress(Unreachable):  # who looks again finds out whether it stays so
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
        FILENAME_FLAG,
        recursive_flag(default=True),
        *OUTPUT_FLAGS,
        MANAGED_FIELDS_FLAG,
        Flag("all", False, "Select all resources in the namespace of the specified resource types",
             kind=Kind.BOOL),
        Flag("all-namespaces", False, "If present, list the requested object(s) across all "
             "namespaces.", short="A", kind=Kind.BOOL),
        Flag("field-selector", usage="Selector (field query) to filter on, supports '=', '==', and "
             "'!='."),
        Flag("for", [], "The condition to wait on: [create|delete|condition=condition-name"
             "[=condition-value]|jsonpath='{JSONPath expression}'=[JSONPath value]]. Several are "
             "waited for one after the other; whatever their order, first until all is there that "
             "is to be created.", kind=Kind.ARRAY),
        Flag("local", False, "If true, the objects of files are looked at, and no server is "
             "asked.", kind=Kind.BOOL),
        Flag("selector", usage="Selector (label query) to filter on, supports '=', '==', '!=', "
             "'in', 'notin'.", short="l"),
        Flag("timeout", 30.0, "The length of time to wait before giving up.  Zero means check once "
             "and don't wait, negative means wait for a week.", kind=Kind.DURATION),
    ),
)  # fmt: skip
