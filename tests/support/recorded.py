"""What a played life shows beside what was recorded of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from support.lives import Life

#: A server that was to answer, and that a busy machine had not started yet.
_EARLY = re.compile(r"probe failed: Get .*: connect: connection refused$")
#: What a directory takes in ``ls -l``: a matter of the file system that it is on.
_SIZE = re.compile(r"^(d[rwx-]{9} \d+ \d+) \d+ ", re.MULTILINE)


class Recorded:
    """A golden file, as what is expected of a life that is played."""

    def __init__(self, golden: Mapping[str, Any]) -> None:
        self._golden = golden
        self._events = {_line(event) for event in golden["events"]}

    def of_pods(self, life: Life) -> bool:
        return not any(_of_pods(self._golden, life))

    def of_all(self, life: Life) -> bool:
        return not differences(self._golden, life)

    def has(self, life: Life, event: Any) -> bool:
        return _line(life.normal(event)) in self._events


def differences(golden: Mapping[str, Any], life: Life) -> list[str]:
    """Say what was seen that was not recorded, and the other way round."""
    loose = golden.get("loose", {})
    found = list(_of_pods(golden, life))
    wanted = {_line(event) for event in golden["events"]}
    had = {_line(life.normal(event)) for event in life.events.values()}
    found += [f"missing event: {line}" for line in sorted(missing_events(golden, life))]
    unexpected = {line for line in had - wanted if not _EARLY.search(line)}
    found += [f"event not recorded: {line}" for line in sorted(unexpected)]
    for key in sorted(golden["outputs"].keys() | life.outputs.keys()):
        before, here = golden["outputs"].get(key), life.normal(life.outputs.get(key))
        before, here = (text and _SIZE.sub(r"\1 SIZE ", text) for text in (before, here))
        if before != here and " between " not in key and not _is_loose(loose, f"outputs/{key}"):
            found.append(f"{key}: recorded {before!r}, here {here!r}")
    return found


def _of_pods(golden: Mapping[str, Any], life: Life) -> Iterator[str]:
    """What of that is about the Pods themselves."""
    loose = golden.get("loose", {})
    recorded, seen = dict(_flat(golden["final"], "final")), dict(_flat(life.final(), "final"))
    for key in sorted(recorded.keys() | seen.keys()):
        here = life.normal(seen.get(key))
        if recorded.get(key) != here and not _is_loose(loose, key):
            yield f"{key}: recorded {recorded.get(key)!r}, here {here!r}"
    for track, want in golden["states"].items():
        if not _is_loose(loose, f"states/{track}"):
            yield from _misses(track, want, life.normal(life.states.get(track, [])))


def missing_events(golden: Mapping[str, Any], life: Life) -> set[str]:
    """What had to be told, and has not been so far."""
    needed = {_line(event) for event in golden["events"] if not event.get("loose")}
    return needed - {_line(life.normal(event)) for event in life.events.values()}


def _misses(track: str, want: Mapping[str, Any], have: list[str]) -> Iterator[str]:
    """States that had to come in that order and did not, and those that nobody expects."""
    rest = iter(have)
    for must in want["must"]:
        if must not in rest:
            yield f"{track}: no {must!r} at its place: {have}"
            return
    known = {*want["must"], *want.get("may", ()), "Pending"}
    short_lived = {_run(token) for token in known if token.startswith("terminated")}
    for token in have:
        if token in known or re.match(r"waiting (ContainerCreating |PodInitializing )?rest", token):
            continue
        if token.startswith("running") and _run(token) in short_lived:
            continue  # too short to be seen when it was recorded
        if token.startswith("Running") and known & {"Succeeded", "Failed"}:
            continue
        yield f"{track}: not recorded: {token!r}"


def _run(token: str) -> str:
    return token.partition(" | ")[0].rpartition(" ")[2]


def _flat(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, dict):
        yield path, value
        return
    for key, inner in value.items():
        yield from _flat(inner, f"{path}/{key}")


def _is_loose(loose: Mapping[str, str], path: str) -> bool:
    return any(path == key or path.startswith(f"{key}/") for key in loose)


def _line(event: Any) -> str:
    message = event["message"].replace("for DURATION (DURATION including waiting)", "in DURATION")
    where = f" {event['fieldPath']}" if event["fieldPath"] else ""
    return (
        f"{event['type']} {event['reason']} {event['object']}{where} "
        f"({event['component']}): {message}"
    )
