"""Selectors, from the text of flags to what stands in objects, and back. Pure."""

from __future__ import annotations

from podium.kubectl.errors import CommandError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

_OPERATORS = {"in": "In", "notin": "NotIn", "exists": "Exists", "!": "DoesNotExist"}


def matching(text: str) -> Callable[[Mapping[str, str]], bool]:
    """Return the test for labels that a selector stands for. Raises CommandError."""
    from podium.api.selectors import parse_labels

    try:
        return parse_labels(text).matches
    except ValueError as exc:
        raise CommandError(f'the provided selector "{text}" is not valid: {exc}') from exc


def as_label_selector(text: str) -> dict[str, Any]:
    """Return ``a=b,c in (d)`` as a LabelSelector. Raises CommandError."""
    from podium.api import selectors

    try:
        requirements = selectors.parse_labels(text).requirements
    except ValueError as exc:
        raise CommandError(f'couldn\'t parse the selector string "{text}": {exc}') from exc
    labels: dict[str, str] = {}
    expressions: list[dict[str, Any]] = []
    for one in requirements:
        if one.operator in ("=", "=="):
            labels[one.key] = one.values[0]
            continue
        if one.operator not in _OPERATORS:
            raise CommandError(f'"{one.operator}" is not a valid label selector operator')
        expression: dict[str, Any] = {"key": one.key, "operator": _OPERATORS[one.operator]}
        expressions.append(expression | ({"values": sorted(one.values)} if one.values else {}))
    found = {"matchLabels": labels, "matchExpressions": expressions}
    return {name: value for name, value in found.items() if value}


def labels_of(text: str) -> dict[str, str]:
    """Return ``a=b,c=`` as labels. Raises CommandError."""
    labels = {}
    for part in text.split(","):
        key, equals, value = part.partition("=")
        if not equals or "=" in value:
            raise CommandError(f"unexpected label spec: {part}")
        if not key:
            raise CommandError("unexpected empty label key")
        labels[key] = value
    return labels


def as_text(selector: Mapping[str, Any] | None) -> str:
    """Return a LabelSelector as queries and people have it, "" for one that asks for nothing."""
    selector = selector or {}
    parts = [(key, f"{key}={value}") for key, value in (selector.get("matchLabels") or {}).items()]
    for one in selector.get("matchExpressions") or ():
        key, values = one["key"], ",".join(sorted(one.get("values") or ()))
        text = {
            "In": f"{key} in ({values})",
            "NotIn": f"{key} notin ({values})",
            "Exists": key,
            "DoesNotExist": f"!{key}",
        }.get(one["operator"], "<error>")
        parts.append((key, text))
    return ",".join(text for _, text in sorted(parts))
