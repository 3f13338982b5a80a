"""A registry's client: the pull half of the OCI distribution specification.

What comes back is believed only when it has the digest it was asked for; the digest of a tag is
the one thing that the registry is trusted with.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import aiohttp
import msgspec
from msgspec.structs import replace

from podium.kit.clock import Clock, SystemClock
from podium.kit.threads import run_in_thread
from podium.runtime.image_port import AuthConfig
from podium.runtime.images.auth import Authorizer
from podium.runtime.images.reference import Reference, is_digest
from podium.runtime.images.registries import Endpoint, Registries
from podium.runtime.images.spec import MANIFEST_TYPES, MAX_DOCUMENT_BYTES, Descriptor, InvalidImage
from podium.runtime.images.store import digest_of
from podium.runtime.images.transport import (
    Transport,
    Unreachable,
    describe,
    read_limited,
    status_text,
)
from podium.runtime.port import NotFound, RuntimeFailure

_ACCEPT = ", ".join((*MANIFEST_TYPES, "*/*"))
#: Attempts in a row that may break off before a download has come this much further (bytes).
_BLOB_ATTEMPTS, _HEADWAY = 5, 256 * 1024
_WRITE_SIZE = 1024 * 1024

#: Called with the bytes that have come so far.
Progress = Callable[[int], None]


class Resolved(msgspec.Struct, frozen=True):
    """What a name means right now."""

    descriptor: Descriptor
    content: bytes | None = None  #: the manifest, where it had to be fetched to know


class Repository:
    """One repository, as its registry and that one's mirrors have it.

    *auth* is for the registry that the name says; mirrors get only what the node's configuration
    has for them.
    """

    def __init__(
        self,
        reference: Reference,
        transport: Transport,
        registries: Registries,
        auth: AuthConfig | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._reference = reference
        self._transport = transport
        self._clock = clock or SystemClock()
        self._endpoints = registries.endpoints(reference.domain, reference.path)
        self._authorizers = {
            endpoint: Authorizer(
                transport,
                (None if endpoint.mirror_of else auth) or registries.auth_for(endpoint.host),
                endpoint.repository,
            )
            for endpoint in self._endpoints
        }

    async def resolve(self) -> Resolved:
        """Return the manifest's descriptor. Raises RuntimeFailure in containerd's words."""
        first_error: RuntimeFailure | None = None
        for endpoint in list(self._endpoints):
            try:
                resolved = await self._resolve_at(endpoint)
            except RuntimeFailure as exc:
                first_error = first_error or exc
                continue
            if resolved is not None:
                self._prefer(endpoint)
                return resolved
        raise first_error or NotFound(f"{self._reference}: not found")

    async def manifest(self, descriptor: Descriptor) -> bytes:
        """Return a manifest's or an index's bytes. Raises RuntimeFailure."""
        return await self._document("manifests", descriptor)

    async def config(self, descriptor: Descriptor) -> bytes:
        """Return an image configuration's bytes. Raises RuntimeFailure."""
        return await self._document("blobs", descriptor)

    async def blob(self, descriptor: Descriptor, path: Path, progress: Progress) -> None:
        """Download a layer into the file *path*, going on where a connection broke off, however
        often it does, as long as it gets on; and where a former download did.

        Raises RuntimeFailure; the file is the caller's to remove.
        """
        with path.open("a+b", buffering=0) as file:
            sink = _Sink(file.fileno(), descriptor)
            await run_in_thread(sink.adopt)
            adopted = sink.size
            await self._receive_all(descriptor, sink, progress)
            if adopted and not sink.is_right:
                sink.restart()  # what was there has not been what it should
                await self._receive_all(descriptor, sink, progress)
            sink.verify()

    async def _receive_all(self, descriptor: Descriptor, sink: _Sink, progress: Progress) -> None:
        if sink.size and sink.size == descriptor.size:
            return
        attempt, reached = 1, sink.size
        while True:
            try:
                await self._receive(descriptor, sink, progress)
                return
            except Unreachable:
                if sink.size >= reached + _HEADWAY:
                    attempt, reached = 1, sink.size
                if attempt == _BLOB_ATTEMPTS:
                    raise
                await self._clock.sleep(0.25 * 2 ** (attempt - 1))
                attempt += 1

    async def _resolve_at(self, endpoint: Endpoint) -> Resolved | None:
        """Ask one endpoint; None when it does not have it."""
        wanted = self._reference.object
        async with await self._ask("HEAD", endpoint, "manifests", wanted) as response:
            if response.status == 404:
                return None
            if response.status != 405 and response.status > 299:
                raise self._bad_status(response, "manifests", wanted)
            digest = self._reference.digest or response.headers.get("Docker-Content-Digest", "")
            size = response.headers.get("Content-Length", "")
            if response.status != 405 and is_digest(digest) and size.isdigit():
                return Resolved(Descriptor(digest, int(size), _media_type(response)))
        async with await self._ask("GET", endpoint, "manifests", wanted) as response:
            if response.status == 404:
                return None
            if response.status > 299:
                raise self._bad_status(response, "manifests", wanted)
            content = await read_limited(response, MAX_DOCUMENT_BYTES)
            digest = digest_of(content)
            if self._reference.digest not in ("", digest):
                raise _wrong_digest(digest, self._reference.digest)
            return Resolved(Descriptor(digest, len(content), _media_type(response)), content)

    async def _document(self, kind: str, descriptor: Descriptor) -> bytes:
        if descriptor.size > MAX_DOCUMENT_BYTES:
            raise InvalidImage(f"rejecting {descriptor.size} byte document {descriptor.digest}")
        async with await self._fetch(kind, descriptor, {}) as response:
            content = await read_limited(response, MAX_DOCUMENT_BYTES)
        if digest_of(content) != descriptor.digest:
            raise _wrong_digest(digest_of(content), descriptor.digest)
        return content

    async def _receive(self, descriptor: Descriptor, sink: _Sink, progress: Progress) -> None:
        headers = {"Range": f"bytes={sink.size}-"} if sink.size else {}
        async with await self._fetch("blobs", descriptor, headers) as response:
            if sink.size and not _continues(response, sink.size):
                sink.restart()
            buffer = bytearray()
            try:
                async for chunk in response.content.iter_any():
                    buffer += chunk
                    if len(buffer) >= _WRITE_SIZE:
                        full, buffer = buffer, bytearray()
                        await run_in_thread(partial(sink.write, full))
                        progress(sink.size)
            except (aiohttp.ClientError, TimeoutError) as exc:
                raise Unreachable(f"failed to copy: {describe(exc)}") from exc
            finally:
                sink.write(buffer)  # what came before the break counts
            progress(sink.size)
            if sink.size < descriptor.size:
                raise Unreachable("failed to copy: unexpected EOF")

    async def _fetch(
        self, kind: str, descriptor: Descriptor, headers: dict[str, str]
    ) -> aiohttp.ClientResponse:
        """GET content by digest from the first endpoint that has it."""
        first_error: RuntimeFailure | None = None
        for endpoint in list(self._endpoints):
            try:
                response = await self._ask("GET", endpoint, kind, descriptor.digest, headers)
            except RuntimeFailure as exc:
                first_error = first_error or exc
                continue
            if response.status in (200, 206):
                return response
            if response.status != 404:
                error = self._bad_status(response, kind, descriptor.digest)
                first_error = first_error or error
            response.close()
        place = f"{self._endpoints[0].url}/{self._endpoints[0].repository}"
        raise first_error or NotFound(
            f"content at {place}/{kind}/{descriptor.digest} not found: not found"
        )

    async def _ask(
        self,
        method: str,
        endpoint: Endpoint,
        kind: str,
        wanted: str,
        headers: dict[str, str] | None = None,
    ) -> aiohttp.ClientResponse:
        """Send one request, with what the host asks for to let us in. Raises RuntimeFailure."""
        endpoint = self._current(endpoint)
        try:
            response = await self._ask_authorized(method, endpoint, kind, wanted, headers or {})
        except Unreachable as exc:
            if not (exc.wrong_scheme and endpoint.fallback):
                raise
        else:
            # A TLS port answers plain HTTP with a 400 that no registry has written.
            stranger = "Docker-Distribution-Api-Version" not in response.headers
            if not (response.status == 400 and endpoint.fallback and stranger):
                return response
            response.close()
        endpoint = self._fall_back(endpoint)
        return await self._ask_authorized(method, endpoint, kind, wanted, headers or {})

    async def _ask_authorized(
        self, method: str, endpoint: Endpoint, kind: str, wanted: str, headers: dict[str, str]
    ) -> aiohttp.ClientResponse:
        authorizer = self._authorizers[endpoint]
        url = f"{endpoint.url}/{endpoint.repository}/{kind}/{wanted}"
        if endpoint.mirror_of:
            url += f"?ns={endpoint.mirror_of}"
        all_headers = {"Accept": _ACCEPT if kind == "manifests" else "*/*", **headers}
        again = False
        while True:
            used = authorizer.header
            if used:
                all_headers["Authorization"] = used
            try:
                response = await self._transport.request(method, url, all_headers)
            except Unreachable as exc:
                raise Unreachable(
                    f"failed to do request: {exc}", wrong_scheme=exc.wrong_scheme
                ) from exc
            challenges = response.headers.getall("WWW-Authenticate", [])
            if response.status != 401 or not challenges:
                return response
            response.close()
            await authorizer.answer(url, challenges, used, again=again)
            again = True

    def _current(self, endpoint: Endpoint) -> Endpoint:
        """*endpoint*, or what it has become by falling back."""
        if endpoint in self._authorizers:
            return endpoint
        return replace(endpoint, url=endpoint.fallback, fallback="")

    def _fall_back(self, endpoint: Endpoint) -> Endpoint:
        """Speak TLS to *endpoint* from now on."""
        other = replace(endpoint, url=endpoint.fallback, fallback="")
        if endpoint in self._authorizers:
            self._authorizers[other] = self._authorizers.pop(endpoint)
            self._endpoints[self._endpoints.index(endpoint)] = other
        return other

    def _prefer(self, endpoint: Endpoint) -> None:
        """Ask *endpoint* first for the rest: what it resolved it has, most likely."""
        endpoint = self._current(endpoint)
        self._endpoints.remove(endpoint)
        self._endpoints.insert(0, endpoint)

    def _bad_status(
        self, response: aiohttp.ClientResponse, kind: str, wanted: str
    ) -> RuntimeFailure:
        return RuntimeFailure(
            f"pulling from host {response.url.authority} failed with status code "
            f"[{kind} {wanted}]: {status_text(response)}"
        )


class _Sink:
    """A file that is hashed while it grows, and never beyond what was announced."""

    def __init__(self, descriptor: int, expected: Descriptor) -> None:
        self._descriptor, self._expected = descriptor, expected
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes | bytearray) -> None:
        if self.size + len(data) > self._expected.size:
            raise InvalidImage(
                f"unexpected commit size {self.size + len(data)}, expected "
                f"{self._expected.size}: failed precondition"
            )
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]
        self._hash.update(data)
        self.size += len(data)

    def adopt(self) -> None:
        """Take over what is in the file already (slow)."""
        while data := os.pread(self._descriptor, _WRITE_SIZE, self.size):
            self._hash.update(data)
            self.size += len(data)
        if self.size > self._expected.size:
            self.restart()

    def restart(self) -> None:
        os.ftruncate(self._descriptor, 0)
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        self._hash = hashlib.sha256()
        self.size = 0

    @property
    def is_right(self) -> bool:
        return f"sha256:{self._hash.hexdigest()}" == self._expected.digest

    def verify(self) -> None:
        if not self.is_right:
            digest = f"sha256:{self._hash.hexdigest()}"
            raise _wrong_digest(digest, self._expected.digest)


def _wrong_digest(got: str, expected: str) -> InvalidImage:
    return InvalidImage(f"unexpected commit digest {got}, expected {expected}: failed precondition")


def _media_type(response: aiohttp.ClientResponse) -> str:
    return response.headers.get("Content-Type", "").partition(";")[0].strip()


def _continues(response: aiohttp.ClientResponse, offset: int) -> bool:
    content_range = response.headers.get("Content-Range", "")
    return response.status == 206 and content_range.startswith(f"bytes {offset}-")
