"""The charges of writes under way, so that a count of what is stored misses none of them.

A write is charged to its quotas before its object is stored. Who counts objects in between finds
one less than is charged; if such a count were stored, the room of that object would be given
twice. So what somebody else stores as a quota's use is corrected here by the charges that their
count has missed, and the answer tells them to count again.
"""

from __future__ import annotations

import asyncio

import msgspec

from podium.api.types.core_v1 import ResourceQuota
from podium.domain.quota.charging import masked
from podium.domain.quota.counting import COUNTED_AT
from podium.domain.quota.usage import Amounts, added, amounts, texts


class Charge(msgspec.Struct, eq=False):
    """What one write takes of one quota.

    ``usage`` is all that it takes, ``charged`` what of it has been noted in the quota's status.
    """

    quota: str
    usage: Amounts
    charged: Amounts = msgspec.field(default_factory=dict)
    #: The revision at which the object was stored; None while that is under way.
    done_at: int | None = None


class Ledger:
    """The charges of one namespace. Who changes them, or a quota's status, holds :attr:`lock`."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self._charges: dict[str, list[Charge]] = {}

    def __bool__(self) -> bool:
        return bool(self._charges)

    def note(self, charge: Charge) -> None:
        self._charges.setdefault(charge.quota, []).append(charge)

    def strike(self, charge: Charge) -> None:
        """Forget a charge whose object was not stored."""
        charges = self._charges.get(charge.quota, [])
        if charge in charges:
            charges.remove(charge)
        if not charges:
            self._charges.pop(charge.quota, None)

    def forget(self, quota: str) -> None:
        """Forget all charges of a quota that is being deleted."""
        self._charges.pop(quota, None)

    def settle(self, quota: str, revision: int) -> None:
        """Forget what a count as of *revision* has found, and so every later one."""
        open_ones = [
            charge
            for charge in self._charges.get(quota, ())
            if charge.done_at is None or charge.done_at > revision
        ]
        if open_ones:
            self._charges[quota] = open_ones
        else:
            self._charges.pop(quota, None)

    def correct(self, counted: ResourceQuota) -> None:
        """Add to the status in *counted*, in place, what is missing in it.

        The annotation COUNTED_AT, which is removed, says as of which revision objects were
        counted; without it only what is under way now is held to be missing.
        """
        name, metadata = counted.metadata.name, counted.metadata
        said = metadata.annotations.get(COUNTED_AT, "")
        metadata.annotations = {
            key: value for key, value in metadata.annotations.items() if key != COUNTED_AT
        }
        if said.isascii() and said.isdigit() and len(said) < 20:
            self.settle(name, int(said))
        used = amounts(counted.status.used)
        for charge in self._charges.get(name, ()):
            if charge.done_at is None or said:
                used = added(used, masked(charge.usage, used))
        counted.status.used = texts(used)
