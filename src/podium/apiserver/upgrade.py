"""Requests for another protocol than HTTP, passed on to a kubelet or to what is proxied to."""

from __future__ import annotations

from aiohttp.web import BaseRequest, StreamResponse
from multidict import CIMultiDict

from podium.api.errors import failure
from podium.kit import passing
from podium.kit.passing import NotReached, Target, wanted

#: Headers that are about the client's connection to us, or who it is, and not for others.
_OURS = frozenset({"host", "authorization", "content-length", "transfer-encoding", "cookie"})


async def pass_on(
    request: BaseRequest, target: Target, headers: CIMultiDict[str] | None = None
) -> StreamResponse:
    """Send *request* to *target* and carry what follows; a refusal comes back as it is.

    *headers* are all to send instead of the request's own. Raises ApiError (500) when nobody can
    be reached there.
    """
    try:
        sent = _passed(request, target) if headers is None else headers
        return await passing.pass_on(request, target, sent)
    except NotReached as exc:
        raise failure(500, "InternalError", str(exc)) from exc


def _passed(request: BaseRequest, target: Target) -> CIMultiDict[str]:
    """Return the headers that a kubelet gets of *request*."""
    found = CIMultiDict({"Host": target.authority})
    for name, value in request.headers.items():
        lowered = name.lower()
        if lowered not in _OURS and not lowered.startswith("impersonate-"):
            found.add(name, value)
    found["Content-Length"] = "0"
    return found


__all__ = ["Target", "pass_on", "wanted"]
