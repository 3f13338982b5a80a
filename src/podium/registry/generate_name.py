"""Names from ``metadata.generateName``, and uids.

Follows ``k8s.io/apiserver/pkg/storage/names``.
"""

from __future__ import annotations

from podium.kit.chance import random_bytes

#: Without vowels and characters that look alike, so that no words come about.
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_SUFFIX_LENGTH = 5
_MAX_BASE_LENGTH = 63 - _SUFFIX_LENGTH

#: How often a create with a generated name is tried before the name is reported as taken.
ATTEMPTS = 8


def random_suffix() -> str:
    number = int.from_bytes(random_bytes())
    letters = []
    for _ in range(_SUFFIX_LENGTH):
        number, place = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[place])
    return "".join(letters)


def generate_name(base: str) -> str:
    """Return *base*, cut so that the result is no longer than a label, and a random suffix."""
    return base[:_MAX_BASE_LENGTH] + random_suffix()


def new_uid() -> str:
    """Return a random UUID (version 4 of RFC 9562)."""
    digits = random_bytes().hex()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
