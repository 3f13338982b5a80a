"""The way of every request: what is it about, who asks, may they, and then the verb.

One handler and no route table: a Kubernetes path is parsed, not matched.
"""

from __future__ import annotations

import asyncio

import msgspec
from aiohttp import HttpVersion10
from aiohttp.web import BaseRequest, Response, StreamResponse

from podium.api.errors import ApiError
from podium.api.user import UserInfo
from podium.apiserver import (
    access,
    errors,
    identify,
    large,
    negotiation,
    paths,
    responses,
    routes,
)
from podium.apiserver.auth import impersonation
from podium.apiserver.call import Call, Services
from podium.apiserver.inflight import InFlight, Place, TooManyRequests
from podium.apiserver.metrics import Metrics
from podium.apiserver.paths import Query, RequestInfo
from podium.apiserver.prompt import PromptResponse
from podium.apiserver.protocol import Protocol
from podium.apiserver.share import Rooms, Share
from podium.apiserver.site import Site
from podium.kit.room import Room

#: What a client that goes away is counted as.
_GONE = 499


class Handler(msgspec.Struct, frozen=True):
    """Answers requests; one for the whole server."""

    services: Services
    site: Site
    metrics: Metrics
    inflight: InFlight = msgspec.field(default_factory=InFlight)
    bodies: Rooms = msgspec.field(default_factory=Rooms)
    rewriting: Room = msgspec.field(default_factory=lambda: Room(large.ROOM))

    async def handle(self, request: BaseRequest) -> StreamResponse:
        if isinstance(request.protocol, Protocol) and request.protocol.has_more:
            await asyncio.sleep(0)  # other connections have their turn
        try:
            info, query = paths.read(request.method, request.raw_path)
        except paths.BadTarget:
            return responses.bad_request()
        if request.version < HttpVersion10:
            return responses.bad_request()
        clock = self.services.clock
        started = clock.monotonic()
        self.metrics.started(info)
        code, served = 500, False  # what a bug is counted as
        entry = access.Entry(info)
        held: list[Place] = []
        try:
            with self._share(request) as share:
                served, response = await self._answer(request, query, entry, held, share)
            if not isinstance(response, PromptResponse):
                response = await large.send(request, response, self.rewriting, entry.user.name)
            code = response.status
        except asyncio.CancelledError:
            code = _GONE
            raise
        except ConnectionResetError:
            if request.transport is not None and not request.transport.is_closing():
                raise
            code = _GONE
            response = Response(status=code)  # aiohttp finds nobody to give it to
        finally:
            for place in held:
                place.release()
            seconds = clock.monotonic() - started
            dry_run = bool(query.get("dryRun"))
            self.metrics.finished(info, served, code, seconds, dry_run=dry_run)
            entry.write(code, seconds)
        return response

    async def _answer(
        self,
        request: BaseRequest,
        query: Query,
        entry: access.Entry,
        held: list[Place],
        share: Share,
    ) -> tuple[bool, StreamResponse]:
        """Return whether there is something at the path that may be asked for, and the answer.

        The places that are taken up until that is sent are put on *held*.
        """
        info = entry.info
        warnings: list[str] = []
        found = False
        try:
            entry.user = user = await identify.caller(request, info, query, self.services)
            request = identify.without_token(request)
            held.append(self.inflight.admitted(user, info))
            share.owner = user.name
            self._authorize(user, info, query)
            if isinstance(request.protocol, Protocol):
                request.protocol.wait_for_readers(info.is_passed_on)
            if not info.is_resource:
                return True, await self.site.answer(request, info, query)
            verb, resource, subresource = routes.find(info)
            found = True
            call = Call(request, info, query, user, self.services, resource, subresource, warnings)
            return True, await verb(call)
        except ApiError as error:
            entry.error = str(error)
            media = negotiation.for_errors(request.headers, query.get("pretty"))
            return found, responses.failed(error, media, warnings)
        except TooManyRequests as error:
            self.metrics.turned_away(info)
            response = responses.text(error.TEXT, 429)
            response.headers["Retry-After"] = str(error.RETRY_AFTER)
            return False, response
        except errors.PathNotFound:
            return False, responses.not_found()
        except impersonation.NoUserToImpersonate as error:
            return False, _internal_text(info.path, str(error))

    def _share(self, request: BaseRequest) -> Share:
        """Return what the body of *request* is counted by, until the answer has been made: one
        that waits for its reader is but bytes."""
        share = Share(self.bodies)
        if isinstance(request.protocol, Protocol):
            request.protocol.share = share
        return share

    def _authorize(self, user: UserInfo, info: RequestInfo, query: Query) -> None:
        if info.path in identify.ANONYMOUS_PATHS and not info.is_resource:
            return  # health and version answer every method alike, to everybody
        self.services.authorizer.authorize(user, info, query)


def _internal_text(path: str, why: str) -> Response:
    return responses.text(f'Internal Server Error: "{path}": {why}\n', 500)
