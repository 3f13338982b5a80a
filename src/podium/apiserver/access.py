"""The access log: who asked for what, and what the answer was. Written at level debug."""

from __future__ import annotations

import logging

import msgspec

from podium.api.user import ANONYMOUS, UserInfo
from podium.apiserver.paths import RequestInfo

logger = logging.getLogger(__name__)


class Entry(msgspec.Struct):
    """One request; *user* is the one acted as, where somebody impersonates."""

    info: RequestInfo
    user: UserInfo = ANONYMOUS
    error: str = ""  #: a text: the exception would hold the frames that hold this

    def write(self, code: int, seconds: float) -> None:
        """Write it down; queries are left out, as they may hold what nobody else should read."""
        if not logger.isEnabledFor(logging.DEBUG):
            return
        logger.debug(
            "request",
            extra={
                "user": self.user.name,
                "groups": ",".join(self.user.groups),
                "method": self.info.method,
                "path": self.info.path,
                "code": code,
                "seconds": f"{seconds:.3f}",
                **({"error": self.error} if self.error else {}),
            },
        )
