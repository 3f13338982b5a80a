"""Which IDs of the node belong to which Pod with users of its own.

Follows ``pkg/kubelet/userns``: every Pod has a range of the same length, no two the same; the
node's own first range is nobody's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec

from podium.domain.pods.security import SecurityProblem

UNIT = 65536
_END = 1 << 32


class NoRange(SecurityProblem):
    """No range can be given; the text says why."""


class IdRanges(msgspec.Struct, frozen=True):
    """Ranges of *length* IDs, from *first* on, *count* of them."""

    first: int = UNIT
    length: int = UNIT
    count: int = _END // UNIT - 1

    @classmethod
    def within(cls, first: int, total: int, length: int = UNIT, *, pods: int = 0) -> IdRanges:
        """Return the ranges in *total* IDs from *first* on. Raises NoRange."""
        for what, value in (("length", length), ("total", total), ("first ID", first)):
            if value <= 0 or value % (UNIT if what == "length" else length):
                unit = UNIT if what == "length" else length
                raise NoRange(f"user namespaces: {what} {value} is not a multiple of {unit}")
        if total // length < pods:
            raise NoRange(f"user namespaces: {total} IDs are not enough for {pods} Pods")
        return cls(first, length, total // length)

    @classmethod
    def default(cls, length: int = UNIT) -> IdRanges:
        """All IDs but the first *length*, which are the node's."""
        return cls.within(length, (_END - length) // length * length, length)

    def choose(self, used: Collection[int], pick: Callable[[int], int]) -> int:
        """Return the first ID of a range that is not among *used*.

        *pick* says where to begin to look: it returns a number below its argument. Ranges are
        not handed out in order, as other kubelets on the machine hand out theirs. Raises NoRange.
        """
        start = pick(self.count)
        for step in range(min(self.count, len(used) + 1)):
            first = self.first + (start + step) % self.count * self.length
            if first not in used:
                return first
        raise NoRange("could not find an empty slot to allocate a user namespace")


def parse_subids(text: str) -> tuple[int, int]:
    """Read the one range that ``getsubids`` prints: ``0: kubelet 65536 2147483648``.

    Raises NoRange.
    """
    lines = text.strip().splitlines()
    words = lines[0].split() if len(lines) == 1 else []
    if len(words) != 4 or not (words[2].isdigit() and words[3].isdigit()):
        raise NoRange(f"getsubids must name one range for the kubelet: {text.strip()!r}")
    return int(words[2]), int(words[3])
