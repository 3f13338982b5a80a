"""YAML of objects and patches as kustomize reads it: of its plain words only ``true``, ``false``,
``null`` and numbers are no texts. (Kustomizations themselves are read as all of kubectl's files.)
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from podium.api.yaml_json import go_message
from podium.kubectl.kustomize.objects import KustomizeError

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]
    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012 - as its base has it

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[str, Any]:
        del deep  # all of it is needed at once
        found = super().construct_mapping(node, deep=True)
        return {_key(key): value for key, value in found.items()}


def _key(key: Any) -> str:
    if isinstance(key, bool) or key is None:
        return {True: "true", False: "false", None: "null"}[key]
    return str(key)


_PREFIX = "tag:yaml.org,2002:"
for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", "~nN\0"),
    ("int", r"[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*)", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", "-+0123456789."),
    ("merge", r"<<", "<"),
):
    _Loader.add_implicit_resolver(
        f"{_PREFIX}{_tag}", re.compile(rf"(?:{_pattern})\Z"),
        [*_first.replace("\0", ""), *([""] if "\0" in _first else [])],
    )  # fmt: skip


def _number(loader: Any, node: Any) -> int:
    text = loader.construct_scalar(node).replace("_", "")
    plain = text.lstrip("+-")
    if len(plain) > 1 and plain[0] == "0" and plain[1].isdigit():
        text = text.replace(plain, f"0o{plain[1:]}")
    return int(text, 0)


def _fraction(loader: Any, node: Any) -> float | int:
    number = float(loader.construct_scalar(node))
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


_Loader.add_constructor(f"{_PREFIX}int", _number)
_Loader.add_constructor(f"{_PREFIX}float", _fraction)
_Loader.add_constructor(f"{_PREFIX}map", lambda loader, node: loader.construct_mapping(node))


def documents(text: str | bytes) -> list[Any]:
    """Return the documents of a text, JSON or YAML. Raises KustomizeError."""
    try:
        text = text if isinstance(text, str) else text.decode()
    except UnicodeDecodeError as exc:
        raise KustomizeError("yaml: invalid trailing UTF-8 octet") from exc
    try:
        found = list(yaml.load_all(text, Loader=_Loader))
    except yaml.YAMLError as exc:
        raise KustomizeError(go_message(exc)) from exc
    except (ValueError, TypeError) as exc:
        raise KustomizeError(f"yaml: {exc}") from exc
    return [one for one in found if one is not None]
