"""Taints as ``kubectl taint`` reads them, and what becomes of those a node has. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from podium.api import names

Taint = dict[str, str]
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


class TaintError(ValueError):
    """The words are no taints."""


def parse(words: Sequence[str]) -> tuple[list[Taint], list[Taint]]:
    """Return the taints to add and those to remove. Raises TaintError."""
    added, removed = list[Taint](), list[Taint]()
    for word in words:
        if word.endswith("-"):
            taint = _one(word[:-1])
            removed.append({k: v for k, v in taint.items() if k != "value"})
            continue
        taint = _one(word)
        if not taint.get("effect"):
            raise TaintError(f"invalid taint spec: {word}")
        if any(_same(taint, other) for other in added):
            shown = f"{taint['key']} {taint.get('value', '')} {taint['effect']}"
            raise TaintError(f"duplicated taints with the same key and effect: {{{shown} <nil>}}")
        added.append(taint)
    return added, removed


def _one(text: str) -> Taint:
    parts = text.split(":")
    key, value = parts[0], ""
    if len(parts) > 2:
        raise TaintError(f"invalid taint spec: {text}")
    if len(parts) == 2:
        if parts[1] not in _EFFECTS:
            raise TaintError(f"invalid taint effect: {parts[1]}, unsupported taint effect")
        key, equals, value = parts[0].partition("=")
        if "=" in value:
            raise TaintError(f"invalid taint spec: {text}")
        if equals and (problems := names.label_value(value)):
            raise TaintError(f"invalid taint spec: {text}, {'; '.join(problems)}")
    if problems := names.qualified_name(key):
        raise TaintError(f"invalid taint spec: {text}, {'; '.join(problems)}")
    taint = {"key": key, "value": value, "effect": parts[1] if len(parts) == 2 else ""}
    return {name: text for name, text in taint.items() if text}


def _same(one: Taint, other: Taint) -> bool:
    return one["key"] == other["key"] and one.get("effect") == other.get("effect")


def _removes(removal: Taint, taint: Taint) -> bool:
    return removal["key"] == taint["key"] and removal.get("effect") in (None, taint["effect"])


def contradictions(added: Sequence[Taint], removed: Sequence[Taint]) -> list[str]:
    """Return what is added and removed at once."""
    return [
        f"{removal['key']}={removal.get('effect', '')}"
        for taint in added
        for removal in removed
        if _removes(removal, taint)
    ]


def changed(
    there: Sequence[Taint], added: Sequence[Taint], removed: Sequence[Taint], *, overwrite: bool
) -> tuple[list[Taint], str, list[str]]:
    """Return a node's new taints, how the change is called, and which removals found nothing."""
    new = [*added, *(old for old in there if not any(_same(old, one) for one in added))]
    grew = len(new) != len(there)
    missing = []
    shrank = False
    for removal in removed:
        kept = [taint for taint in new if not _removes(removal, taint)]
        if len(kept) == len(new):
            name = removal["key"] + (f":{removal['effect']}" if removal.get("effect") else "")
            missing.append(f'taint "{name}" not found')
        shrank = shrank or len(kept) != len(new)
        new = kept
    if overwrite or (grew and shrank):
        return new, "modified", missing
    return new, "tainted" if grew else "untainted", missing


def existing(there: Sequence[Taint], added: Sequence[Taint]) -> list[str]:
    """Return the keys of what is added and already there, with the same effect."""
    return [one["key"] for one in added if any(_same(one, old) for old in there)]
