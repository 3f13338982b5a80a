"""The header ``Audit-Id``: a name for each request, which its answer carries.

Follows ``k8s.io/apiserver/pkg/endpoints/filters`` (``WithAuditInit``): a client may bring one.
"""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp.web import BaseRequest, StreamResponse

from podium.registry.generate_name import new_uid

HEADER = "Audit-Id"


def of(headers: Mapping[str, str]) -> str:
    """Return the client's own name for its request, a new one where it gives none or none that can
    be written back."""
    given = headers.get(HEADER)
    return given if given and given.isascii() and given.isprintable() else new_uid()


class Request(BaseRequest):
    """A request whose answers carry it, unless they bring one from where they come from."""

    async def _prepare_hook(self, response: StreamResponse) -> None:
        if HEADER not in response.headers:
            response.headers[HEADER] = of(self.headers)
