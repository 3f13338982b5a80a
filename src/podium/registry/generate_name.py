"""Names from ``metadata.generateName``, and uids.

Follows ``k8s.io/apiserver/pkg/storage/names``.
"""

from __future__ import annotations

from podium.kit.chance import random_bytes

#: Without vowels and characters that look alike, so that no words come about.
_ALPHABET = b"bcdfghjklmnpqrstvwxz2456789"
#: A letter for every byte; nine or ten bytes mean the same one.
_LETTERS = (_ALPHABET * 10)[:256]
_SUFFIX_LENGTH = 5
_MAX_BASE_LENGTH = 63 - _SUFFIX_LENGTH

#: How often a create with a generated name is tried before the name is reported as taken.
ATTEMPTS = 8


def random_suffix() -> str:
    return random_bytes()[:_SUFFIX_LENGTH].translate(_LETTERS).decode()


def generate_name(base: str) -> str:
    """Return *base*, cut so that the result is no longer than a label, and a random suffix."""
    return base[:_MAX_BASE_LENGTH] + random_suffix()


def new_uid() -> str:
    """Return a random UUID (version 4 of RFC 9562)."""
    digits = random_bytes().hex()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
