"""What ``kubectl wait --for`` may wait for. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from podium.kubectl.errors import CommandError
from podium.kubectl.printing import jsonpath
from podium.kubectl.printing.custom_columns import strict_path

Condition = Callable[[Mapping[str, Any]], bool]


def THERE(_obj: Mapping[str, Any]) -> bool:
    """``create``: an object that is there is as it should be."""
    return True


def GONE(_obj: Mapping[str, Any]) -> bool:
    """``delete``: an object that is there is not as it should be."""
    return False


def parse(text: str) -> Condition:
    """Return the test that *text* stands for. Raises CommandError, as the test does for an object
    of which it cannot be said."""
    if text.lower() in ("create", "delete"):
        return THERE if text.lower() == "create" else GONE
    if text.startswith("condition="):
        name, equals, value = text.removeprefix("condition=").partition("=")
        return _of_status(name, value if equals else "true")
    if text.startswith("jsonpath="):
        return _of_path(text)
    raise CommandError(f'unrecognized condition: "{text}"')


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
    path, *rest = _split(text.removeprefix("jsonpath="))
    if len(rest) > 1:
        raise CommandError(
            "jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3 or "
            "--for=jsonpath='{.status.readyReplicas}'"
        )
    try:
        strict = strict_path(path)
        wanted = rest[0].strip("'\"") if rest else ""
        if rest and not wanted:
            raise CommandError(
                "jsonpath wait has to have a value after equal sign, like "
                "--for=jsonpath='{.status.readyReplicas}'=3"
            )
        if not strict:
            raise CommandError("jsonpath expression cannot be empty")
        parsed = jsonpath.parse(strict)
    except jsonpath.JsonPathError as exc:
        raise CommandError(str(exc)) from exc

    def met(obj: Mapping[str, Any]) -> bool:
        try:
            values = [value for part in jsonpath.find(parsed, obj) for value in part]
        except jsonpath.JsonPathError as exc:
            raise CommandError(str(exc)) from exc
        if len(values) > 1:
            raise CommandError("given jsonpath expression matches more than one value")
        if not values or not wanted:
            return bool(values)
        if isinstance(values[0], dict | list):
            raise CommandError("jsonpath leads to a nested object or list which is not supported")
        return jsonpath.render(parsed, obj) == wanted.strip()

    return met


def _split(text: str) -> list[str]:
    """Return the parts between single equality signs; two of them are an operator's."""
    return [part.replace("\0", "==") for part in text.replace("==", "\0").split("=")]
