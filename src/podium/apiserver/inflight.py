"""How many requests may be under way at a time, for each class of user.

After upstream's max-in-flight filter and the classes of its priority and fairness: those who run
the cluster are never turned away by those who use it, and no user by a single other one. Who is
turned away may try again in a second.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Literal

from podium.api.user import UserInfo
from podium.apiserver.paths import RequestInfo

Level = Literal["exempt", "system", "workload", "default", "anonymous"]

#: Short requests, and watches and logs, under way at once; who is exempt has no limit.
SHORT: Mapping[Level, int] = {"system": 400, "workload": 200, "default": 200, "anonymous": 40}
LONG: Mapping[Level, int] = {"system": 10_000, "workload": 5_000, "default": 5_000, "anonymous": 40}


class TooManyRequests(Exception):
    """Answered with 429."""

    TEXT = "Too many requests, please try again later.\n"
    RETRY_AFTER = 1


class InFlight:
    """Counts what is under way in one server."""

    def __init__(
        self, short: Mapping[Level, int] = SHORT, long: Mapping[Level, int] = LONG
    ) -> None:
        self._limits = {False: short, True: long}
        self._under_way: defaultdict[tuple[Level, bool], int] = defaultdict(int)
        #: What each user has under way; only who has anything is here.
        self.users: dict[tuple[str, bool], int] = {}

    def admitted(self, user: UserInfo, info: RequestInfo) -> Place:
        """Count the request until its place is released. Raises TooManyRequests."""
        kind = level(user), info.is_long_running
        owner = user.name, kind[1]
        limit = self._limits[kind[1]].get(kind[0])
        together, alone = self._under_way[kind], self.users.get(owner, 0)
        if limit is not None:
            share = limit if kind[0] == "anonymous" else -(-limit // 2)
            if together >= limit or alone >= share:
                raise TooManyRequests
        self._under_way[kind] = together + 1
        self.users[owner] = alone + 1
        return Place(self, kind, owner)

    def release(self, kind: tuple[Level, bool], owner: tuple[str, bool]) -> None:
        self._under_way[kind] -= 1
        left = self.users[owner] - 1
        if left:
            self.users[owner] = left
        else:
            del self.users[owner]


class Place:
    """What a request takes up while it is under way."""

    __slots__ = ("_counts", "_kind", "_owner")

    def __init__(self, counts: InFlight, kind: tuple[Level, bool], owner: tuple[str, bool]) -> None:
        self._counts, self._kind, self._owner = counts, kind, owner

    def release(self) -> None:
        """To be called once."""
        self._counts.release(self._kind, self._owner)

    def __enter__(self) -> None:
        """Its body is the request."""

    def __exit__(self, *error: object) -> None:
        self.release()


def level(user: UserInfo) -> Level:
    groups = user.groups
    if "system:masters" in groups:
        return "exempt"
    if "system:serviceaccounts" in groups:
        return "workload"
    if "system:nodes" in groups or user.name.startswith("system:kube-"):
        return "system"
    return "anonymous" if "system:unauthenticated" in groups else "default"
