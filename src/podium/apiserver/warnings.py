"""What the ``Warning`` headers of an answer say, and how much of it (pure).

Follows ``k8s.io/apiserver/pkg/endpoints/filters/warning.go``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

#: Characters of all warnings together up to which they stay whole; of each one when they do not.
_TOTAL, _ITEM = 4096, 256


def headers(texts: Iterable[str]) -> Sequence[str]:
    """Return the values of the headers, each text once."""
    return [f"299 - {_quoted(text)}" for text in _bounded(dict.fromkeys(filter(None, texts)))]


def _bounded(texts: Iterable[str]) -> Sequence[str]:
    kept: list[str] = []
    written = 0
    truncating = False
    for text in texts:
        if truncating:
            if written >= _TOTAL:
                break
            kept.append(text[:_ITEM])
            written += len(kept[-1])
            continue
        kept.append(text)
        written += len(text)
        if written > _TOTAL:
            truncating = True
            kept = [each[:_ITEM] for each in kept]
            written = sum(map(len, kept))
    return kept


def _quoted(warning: str) -> str:
    """An HTTP quoted-string; what no header may carry is left out."""
    printable = "".join(char for char in warning if char.isprintable())
    escaped = printable.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
