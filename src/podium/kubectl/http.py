"""One HTTP/1.1 connection to the API server, with TLS and whoever asks."""

from __future__ import annotations

import http.client
import json
import os
import ssl
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, quote, urlencode, urlsplit

from podium.kubectl.errors import CommandError, StatusError, Unreachable
from podium.kubectl.kubeconfig import Connection

JSON = "application/json"
USER_AGENT = "kubectl/v1.37.0 (podium)"
Query = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes
    warnings: Sequence[str] = ()

    def json(self) -> Any:
        return json.loads(self.body)


class Http:
    """Requests to one server, one after the other. *timeout* is in seconds, None for none."""

    def __init__(self, connection: Connection, timeout: float | None = None) -> None:
        self._connection, self._timeout = connection, timeout
        self.server = urlsplit(
            connection.server if "://" in connection.server else f"http://{connection.server}"
        )
        self._open: http.client.HTTPConnection | None = None
        self._credentials: dict[str, str] | None = None

    @property
    def authority(self) -> str:
        port = self.server.port or (443 if self.server.scheme == "https" else 80)
        return f"{self.server.hostname}:{port}"

    def request(
        self,
        method: str,
        path: str,
        query: Query = (),
        *,
        body: bytes | None = None,
        content_type: str = JSON,
        accept: str = JSON,
    ) -> Answer:
        """Return a successful answer, whole. Raises StatusError, Unreachable."""
        response = self._send(method, path, query, body, content_type, accept)
        try:
            data = response.read()
        except (OSError, http.client.HTTPException) as exc:
            raise Unreachable(self.authority, exc) from exc
        if response.status >= 300:
            raise _refusal(response, data)
        warnings = response.headers.get_all("Warning") or []
        return Answer(response.status, dict(response.headers), data, warnings)

    def stream(self, path: str, query: Query = (), *, accept: str = JSON) -> Iterator[bytes]:
        """Yield the lines of an answer as they come. Raises as :meth:`request` does."""
        response = self._send("GET", path, query, None, JSON, accept)
        connection, self._open = self._open, None  # it is this answer's until its end
        try:
            with response:
                if response.status >= 300:
                    raise _refusal(response, response.read())
                try:
                    yield from response
                except (OSError, http.client.HTTPException) as exc:
                    raise Unreachable(self.authority, exc) from exc
        finally:
            if connection is not None:
                connection.close()

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def _send(
        self,
        method: str,
        path: str,
        query: Query,
        body: bytes | None,
        content_type: str,
        accept: str,
    ) -> http.client.HTTPResponse:
        target = self._target(path, query)
        headers = [("Accept", accept), ("User-Agent", USER_AGENT), *self.identity()]
        if body is not None:
            headers.append(("Content-Type", content_type))
        for attempt in (1, 2):
            fresh = self._open is None
            try:
                connection = self._open = self._open or self._connect()
                connection.putrequest(method, target, skip_accept_encoding=True)
                for name, value in headers:
                    connection.putheader(name, value)
                if body is not None:
                    connection.putheader("Content-Length", str(len(body)))
                connection.endheaders(body)
                return connection.getresponse()
            except (OSError, http.client.HTTPException) as exc:
                self._open = None
                if attempt == 2 or fresh:  # one that was kept may have been closed meanwhile
                    raise Unreachable(self.authority, exc) from exc
        raise AssertionError

    def address(self, path: str, query: Query) -> str:
        """Return the whole URL of a request."""
        return f"{self.server.scheme}://{self.authority}{self._target(path, query)}"

    def _target(self, path: str, query: Query) -> str:
        target = self.server.path.rstrip("/") + quote(path, safe="/:@!$&'()*+,;=~-._%")
        return f"{target}?{urlencode(query)}" if query else target

    def identity(self) -> list[tuple[str, str]]:
        """Return the headers that say who asks."""
        connection = self._connection
        token = connection.token
        if not token and connection.token_file:
            try:
                with open(connection.token_file) as file:
                    token = file.read().strip()
            except OSError as exc:
                raise CommandError(f"{connection.token_file}: {exc.strerror}") from exc
        if not token and connection.exec:
            token = self._from_plugin().get("token", "")
        headers = [("Authorization", f"Bearer {token}")] if token else []
        return headers + list(connection.headers)

    def _from_plugin(self) -> dict[str, str]:
        if self._credentials is None:
            from podium.kubectl.exec_credentials import credentials

            assert self._connection.exec is not None
            self._credentials = credentials(self._connection.exec, self._connection)
        return self._credentials

    def _connect(self) -> http.client.HTTPConnection:
        host, port = self.server.hostname or "localhost", self.server.port
        proxy = _proxy(self._connection, self.server)
        where, at = (proxy.hostname or "", proxy.port) if proxy else (host, port)
        made: http.client.HTTPConnection
        if self.server.scheme == "https":
            name = self._connection.tls_server_name
            made = _Named(where, at, context=self.tls(), timeout=self._timeout, server_name=name)
        else:
            made = http.client.HTTPConnection(where, at, timeout=self._timeout)
        if proxy:
            made.set_tunnel(host, port)
        return made

    def tls(self) -> ssl.SSLContext:
        """Return what the connection trusts, and shows of itself. Raises CommandError."""
        connection = self._connection
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if connection.insecure:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        elif connection.ca_data:
            context.load_verify_locations(cadata=connection.ca_data.decode())
        elif connection.ca_file:
            try:
                context.load_verify_locations(connection.ca_file)
            except OSError as exc:
                text = f"unable to read certificate-authority {connection.ca_file}: {exc}"
                raise CommandError(text) from exc
        else:
            context.load_default_certs()
        cert, key = connection.cert_data, connection.key_data
        if connection.exec and not cert:
            given = self._from_plugin()
            cert = given.get("clientCertificateData", "").encode()
            key = given.get("clientKeyData", "").encode()
        if connection.cert_file or cert:
            with _Files(cert, key) as (cert_file, key_file):
                context.load_cert_chain(
                    connection.cert_file or cert_file, connection.key_file or key_file
                )
        return context


class _Named(http.client.HTTPSConnection):
    """TLS that expects *server_name* instead of the host's, where one is given."""

    def __init__(self, host: str, port: int | None, *, server_name: str, **given: Any) -> None:
        super().__init__(host, port, **given)
        self._server_name, self._tls_context = server_name, given["context"]

    def connect(self) -> None:
        if not self._server_name:
            super().connect()
            return
        http.client.HTTPConnection.connect(self)
        self.sock = self._tls_context.wrap_socket(self.sock, server_hostname=self._server_name)


class _Files:
    """Bytes as files that are nowhere on disk: Python loads certificates from files alone."""

    def __init__(self, *contents: bytes) -> None:
        self._contents, self._open = contents, list[int]()

    def __enter__(self) -> tuple[str, ...]:
        for content in self._contents:
            descriptor = os.memfd_create("pem", os.MFD_CLOEXEC)
            os.write(descriptor, content)
            self._open.append(descriptor)
        return tuple(f"/proc/self/fd/{descriptor}" for descriptor in self._open)

    def __exit__(self, *_: object) -> None:
        for descriptor in self._open:
            os.close(descriptor)


def _proxy(connection: Connection, server: SplitResult) -> SplitResult | None:
    """The proxy for a server: the kubeconfig's, or the environment's."""
    if connection.proxy_url:
        return urlsplit(connection.proxy_url)
    names = ("HTTPS_PROXY", "https_proxy") if server.scheme == "https" else ("http_proxy",)
    found = next((os.environ[name] for name in names if os.environ.get(name)), "")
    if not found or server.hostname in ("localhost", "127.0.0.1", "::1"):
        return None
    from urllib.request import proxy_bypass

    if proxy_bypass(server.hostname or ""):
        return None
    return urlsplit(found if "://" in found else f"http://{found}")


def _refusal(response: http.client.HTTPResponse, body: bytes) -> StatusError:
    try:
        status = json.loads(body)
    except ValueError:
        status = None
    if isinstance(status, dict) and status.get("kind") == "Status":
        return StatusError(status)
    text = body.decode(errors="replace").strip()
    code = response.status
    reason = {401: "Unauthorized", 403: "Forbidden", 404: "NotFound"}.get(code, "")
    if code == 404:
        text = "the server could not find the requested resource"
    return StatusError({"code": code, "reason": reason, "message": text or response.reason})
