"""Reading the values of a ``KubeletConfiguration``, one function for each form that a value has.

All take the name of the field, for the error, and the value as YAML or JSON gives it; a flag's
value comes through :func:`scalar`. They raise ConfigError.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec


class ConfigError(ValueError):
    """The configuration cannot be used; the text names the field."""


class NodeTaint(msgspec.Struct, frozen=True):
    key: str
    effect: str
    value: str = ""


def taints(name: str, value: Any) -> tuple[NodeTaint, ...]:
    """Read a list of taints; a flag says them as ``key=value:Effect,…``."""
    if isinstance(value, str):
        value = [_taint(name, part) for part in value.split(",")]
    if not isinstance(value, list):
        raise ConfigError(f"{name}: must be a list of taints")
    found = []
    for number_, entry in enumerate(value):
        at = f"{name}[{number_}]"
        if not isinstance(entry, dict) or set(entry) - {"key", "value", "effect"}:
            raise ConfigError(f"{at}: must have key, effect and perhaps value, no more")
        words = {key: text(f"{at}.{key}", word) for key, word in entry.items()}
        if words.get("effect") not in ("NoSchedule", "PreferNoSchedule", "NoExecute"):
            raise ConfigError(f"{at}.effect: must be NoSchedule, PreferNoSchedule or NoExecute")
        if not words.get("key"):
            raise ConfigError(f"{at}.key: must not be empty")
        found.append(NodeTaint(**words))
    return tuple(found)


def _taint(name: str, said: str) -> dict[str, str]:
    said, separator, effect = said.rpartition(":")
    if not separator:
        raise ConfigError(f"{name}: a taint has the form key=value:Effect")
    key, _, value = said.partition("=")
    return {"key": key, "value": value, "effect": effect}


def scalar(text: str) -> Any:
    """Return what YAML would make of a flag's value: a number, a truth value or the text."""
    if text in ("true", "false"):
        return text == "true"
    return int(text) if re.fullmatch(r"-?\d+", text) else text


def number(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ConfigError(f"{name}: must be a whole number")
    return value


def not_negative(name: str, value: Any) -> int:
    if number(name, value) < 0:
        raise ConfigError(f"{name}: must not be negative")
    return int(value)


def count(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigError(f"{name}: must be a whole number of at least 1")
    return value


def port(name: str, value: Any) -> int:
    if not 1 <= number(name, value) <= 65535:
        raise ConfigError(f"{name}: must be between 1 and 65535, inclusive")
    return int(value)


def address(name: str, value: Any) -> str:
    import ipaddress

    try:
        return str(ipaddress.ip_address(text(name, value)))
    except ValueError as exc:
        if isinstance(exc, ConfigError):
            raise
        raise ConfigError(f"{name}: must be an IP address") from exc


def percent(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 100:
        raise ConfigError(f"{name}: must be between 0 and 100, inclusive")
    return value


def truth(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"{name}: must be true or false")
    return value


def duration(name: str, value: Any) -> float:
    seconds = duration_or_none(name, value)
    if not seconds:
        raise ConfigError(f"{name}: must be a duration such as 10s or 5m")
    return seconds


def duration_or_none(name: str, value: Any) -> float:
    """Like :func:`duration`, with ``0s`` (or ``0``) for none."""
    if value in ("0", 0) and not isinstance(value, bool):
        return 0.0
    from podium.domain.pods.durations import seconds_of

    try:
        return seconds_of(value if isinstance(value, str) else "")
    except ValueError:
        raise ConfigError(f"{name}: must be a duration such as 10s or 5m") from None


def text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ConfigError(f"{name}: must be a string")
    return value


def texts(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise ConfigError(f"{name}: must be a list of strings")
    return tuple(value)


def texts_by_name(name: str, value: Any) -> dict[str, str]:
    """Read a map; a flag says it as ``a=1,b=2``, and thresholds as ``a<1,b<2``."""
    if isinstance(value, str):
        value = _pairs(name, value)
    if not isinstance(value, dict):
        raise ConfigError(f"{name}: must be a map")
    return {str(key): text(f"{name}[{key}]", entry) for key, entry in value.items()}


def durations_by_name(name: str, value: Any) -> dict[str, float]:
    found = texts_by_name(name, value)
    return {key: duration(f"{name}[{key}]", entry) for key, entry in found.items()}


def _pairs(name: str, value: str) -> dict[str, str]:
    found = {}
    for part in filter(None, value.split(",")):
        key, separator, entry = re.match(r"([^<=]*)([<=]?)(.*)", part).groups()  # type: ignore[union-attr]
        if not separator:
            raise ConfigError(f"{name}: {part!r} is not of the form name<value")
        found[key.strip()] = entry.strip()
    return found


def sysctls(name: str, value: Any) -> tuple[str, ...]:
    from podium.domain.pods.sysctls import SysctlAllowlist

    patterns = texts(name, value)
    try:
        SysctlAllowlist.of(patterns)
    except ValueError as exc:
        raise ConfigError(f"{name}: {exc}") from exc
    return patterns


def user_namespaces(name: str, value: Any) -> int:
    if not isinstance(value, dict) or set(value) - {"idsPerPod"}:
        raise ConfigError(f"{name}: the one field that is served is idsPerPod")
    ids = value.get("idsPerPod", 65536)
    if isinstance(ids, bool) or not isinstance(ids, int) or ids < 1 or ids % 65536:
        raise ConfigError(f"{name}.idsPerPod: must be a multiple of 65536")
    return ids


def quantities(name: str, value: Any) -> dict[str, str]:
    from podium.api import quantity

    if not isinstance(value, dict):
        raise ConfigError(f"{name}: must be a map of resources to quantities")
    amounts: dict[str, str] = {}
    for resource, amount in value.items():
        if resource not in ("cpu", "memory", "ephemeral-storage"):
            raise ConfigError(f"{name}[{resource}]: this resource is not served")
        try:
            amounts[resource] = quantity.canonical(str(amount))
        except ValueError as exc:
            raise ConfigError(f"{name}[{resource}]: {exc}") from exc
    return amounts


def size(name: str, value: Any) -> int:
    from podium.api import quantity

    try:
        amount = int(quantity.parse(str(value)))
    except ValueError as exc:
        raise ConfigError(f"{name}: {exc}") from exc
    if amount < 1:
        raise ConfigError(f"{name}: must be a positive size such as 10Mi")
    return amount


def files(name: str, value: Any) -> int:
    if count(name, value) < 2:
        raise ConfigError(f"{name}: must be greater than 1")
    return int(value)
