"""Numbers in texts that others have written: images, registries, what runs in containers."""

from __future__ import annotations


def number(text: str, largest: int) -> int | None:
    """Read decimal digits; None for other texts, and for what is more than *largest*.

    ``str.isdigit`` holds for "²", too, and ``int`` refuses some thousand digits.
    """
    if not (text.isascii() and text.isdigit()):
        return None
    digits = text.lstrip("0") or "0"
    if len(digits) > len(str(largest)) or int(digits) > largest:
        return None
    return int(digits)
