"""Which Pods of a node may go, and what is told of those that may not. Pure but for asking.

Each check may keep a Pod, and the last that lets it go has the last word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from podium.api.annotations import MIRROR

Map = dict[str, Any]

_OF_DAEMON_SETS = "DaemonSet-managed Pods (use --ignore-daemonsets to ignore)"
_WITH_DATA = "Pods with local storage (use --delete-emptydir-data to override)"
_UNMANAGED = "cannot delete Pods that declare no controller (use --force to override)"


@dataclass(frozen=True, slots=True)
class Rules:
    """The flags. *daemon_set* returns what is wrong with a DaemonSet (namespace, name): "" if it
    is there."""

    force: bool
    ignore_daemon_sets: bool
    delete_empty_dirs: bool
    daemon_set: Callable[[str, str], str]


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether a Pod goes; *problem* keeps the node from being drained, *warning* is told."""

    goes: bool
    problem: str = ""
    warning: str = ""


_GOES = Judgement(True)


def judge(pod: Map, rules: Rules) -> Judgement:
    """Return what is to become of a Pod."""
    metadata = pod["metadata"]
    over = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
    owner = next((one for one in metadata.get("ownerReferences") or () if one.get("controller")),
                 None)  # fmt: skip
    if owner is not None and owner.get("kind") == "DaemonSet" and not over:
        wrong = rules.daemon_set(metadata["namespace"], owner["name"])
        if wrong and not rules.force:
            return Judgement(False, problem=wrong)
        if not wrong and not rules.ignore_daemon_sets:
            return Judgement(False, problem=_OF_DAEMON_SETS)
        if not wrong:
            return Judgement(False, warning="ignoring DaemonSet-managed Pods")
    if MIRROR in (metadata.get("annotations") or {}):
        return Judgement(False)
    if over:
        return _GOES
    if _has_empty_dir(pod) and not rules.delete_empty_dirs:
        return Judgement(False, problem=_WITH_DATA)
    if owner is None:
        if not rules.force:
            return Judgement(False, problem=_UNMANAGED)
        return Judgement(True, warning="deleting Pods that declare no controller")
    return _GOES


def _has_empty_dir(pod: Map) -> bool:
    return any("emptyDir" in volume for volume in pod["spec"].get("volumes") or ())


def problems(judged: Iterable[tuple[Map, Judgement]]) -> list[str]:
    """Return why the node cannot be drained, a text for each reason."""
    return [
        f"{text if text.startswith('cannot delete') else f'cannot delete {text}'}: {names}"
        for text, names in _gathered((pod, one.problem) for pod, one in judged)
    ]


def warnings(judged: Iterable[tuple[Map, Judgement]]) -> str:
    found = _gathered((pod, one.warning) for pod, one in judged)
    return "; ".join(f"{text}: {names}" for text, names in found)


def _gathered(said: Iterable[tuple[Map, str]]) -> Sequence[tuple[str, str]]:
    found: dict[str, list[str]] = {}
    for pod, text in said:
        if text:
            metadata = pod["metadata"]
            found.setdefault(text, []).append(f"{metadata['namespace']}/{metadata['name']}")
    return [(text, ", ".join(names)) for text, names in found.items()]
