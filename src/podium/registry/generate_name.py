"""Names from ``metadata.generateName``, and uids.

Follows ``k8s.io/apiserver/pkg/storage/names``.
"""

from __future__ import annotations

import secrets
import uuid

#: Without vowels and characters that look alike, so that no words come about.
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_SUFFIX_LENGTH = 5
_MAX_BASE_LENGTH = 63 - _SUFFIX_LENGTH

#: How often a create with a generated name is tried before the name is reported as taken.
ATTEMPTS = 8


def random_suffix() -> str:
    number = secrets.randbelow(len(_ALPHABET) ** _SUFFIX_LENGTH)  # the system is asked once
    letters = []
    for _ in range(_SUFFIX_LENGTH):
        number, place = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[place])
    return "".join(letters)


def generate_name(base: str) -> str:
    """Return *base*, cut so that the result is no longer than a label, and a random suffix."""
    return base[:_MAX_BASE_LENGTH] + random_suffix()


def new_uid() -> str:
    return str(uuid.uuid4())
