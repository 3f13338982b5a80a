"""What ``kubectl wait --for`` may wait for. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from podium.kubectl.errors import CommandError
from podium.kubectl.printing import jsonpath

Condition = Callable[[Mapping[str, Any]], bool]

_JSONPATH = re.compile(r"jsonpath=(\{.*\})(?:=(.*))?\Z", re.DOTALL)


def THERE(_obj: Mapping[str, Any]) -> bool:
    """``create``: an object that is there is as it should be."""
    return True


def GONE(_obj: Mapping[str, Any]) -> bool:
    """``delete``: an object that is there is not as it should be."""
    return False


def parse(text: str) -> Condition:
    """Return the test that *text* stands for. Raises CommandError."""
    if text.lower() in ("create", "delete"):
        return THERE if text.lower() == "create" else GONE
    if text.startswith("condition="):
        name, equals, value = text.removeprefix("condition=").partition("=")
        return _of_status(name, value if equals else "true")
    if text.startswith("jsonpath="):
        return _of_path(text)
    raise CommandError(
        f'unrecognized condition: "{text}"' if text else "unrecognized condition: []"
    )


def _of_status(name: str, value: str) -> Condition:
    def met(obj: Mapping[str, Any]) -> bool:
        for condition in (obj.get("status") or {}).get("conditions") or ():
            if str(condition.get("type", "")).lower() == name.lower():
                seen = condition.get("observedGeneration")
                if seen is not None and seen < (obj["metadata"].get("generation") or 0):
                    return False
                return str(condition.get("status", "")).lower() == value.lower()
        return False

    return met


def _of_path(text: str) -> Condition:
    found = _JSONPATH.match(text)
    if found is None:
        raise CommandError(
            "jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3 or "
            "--for=jsonpath='{.status.readyReplicas}'"
        )
    try:
        path = jsonpath.parse(found[1])
    except jsonpath.JsonPathError as exc:
        raise CommandError(f"error parsing jsonpath {found[1]}, {exc}") from exc

    def met(obj: Mapping[str, Any]) -> bool:
        try:
            values = [value for part in jsonpath.find(path, obj) for value in part]
        except jsonpath.JsonPathError:
            return False
        if found[2] is None:
            return bool(values)
        return len(values) == 1 and jsonpath.render(path, obj) == found[2].strip()

    return met
