"""Requests to the API server: over TLS, as whoever asks, one after the other."""

from __future__ import annotations

import errno
import json
import os

from podium.kubectl.errors import CommandError, FellSilent, Said, StatusError, Unreachable
from podium.kubectl.urls import Url, query_string, quote, quote_path
from podium.kubectl.wire import Wire, WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Iterator, Sequence
    from typing import Any, TypeAlias

    from podium.kubectl.kubeconfig import Connection
    from podium.kubectl.wire import Response

Query: TypeAlias = "Sequence[tuple[str, str]]"
JSON = "application/json"
USER_AGENT = "kubectl/v1.37.0 (podium)"
#: Seconds of silence after which a server is asked whether it is there, nine times; as in Go.
_KEEP_ALIVE = 15


def _warnings(response: Response) -> list[str]:
    return [value for name, value in response.headers if name == "warning"]


class Answer:
    """A successful answer, whole."""

    __slots__ = ("body", "headers", "status", "warnings")

    def __init__(self, response: Response) -> None:
        self.status, self.body = response.status, response.read()
        self.headers = dict(response.headers)
        self.warnings = _warnings(response)

    def json(self) -> Any:
        return json.loads(self.body)


class Upgraded:
    """What came of asking for another protocol: with 101 the connection, and what has come on it
    already; without *socket* a refusal, whole."""

    __slots__ = ("response", "said", "socket")

    def __init__(self, response: Response, socket: socket.socket | None, said: bytes) -> None:
        self.response, self.socket, self.said = response, socket, said


class Http:
    """Requests to one server, one after the other. *timeout* is in seconds, None for none.

    Raises CommandError for a server that is no URL.
    """

    def __init__(self, connection: Connection, timeout: float | None = None) -> None:
        self._connection, self._timeout = connection, timeout
        self.server = _server(connection)
        self._open: Wire | None = None
        self._credentials: dict[str, str] | None = None
        self._streamed: Wire | None = None
        self._is_cut = False

    @property
    def authority(self) -> str:
        return self.server.authority

    @property
    def server_name(self) -> str | None:
        """The name that the server's certificate is expected to have; None for its host's."""
        return self._connection.tls_server_name or None

    @property
    def proxy(self) -> str | None:
        """The URL of the proxy on the way to the server, None where there is none."""
        found = self._proxy()
        if found is None:
            return None
        user = f"{quote(found.user)}:{quote(found.password)}@" if found.user else ""
        return f"http://{user}{found.address}"

    def another(self) -> Http:
        """Return a way to the same server that can be used at the same time."""
        return Http(self._connection, self._timeout)

    def request(
        self,
        method: str,
        path: str,
        query: Query = (),
        *,
        body: bytes | None = None,
        content_type: str = JSON,
        accept: str = JSON,
        raw: bool = False,
    ) -> Answer:
        """Return a successful answer, whole; with *raw* nothing is known of what *path* is of.

        Raises StatusError, Unreachable.
        """
        response = self._send(method, path, query, body, content_type, accept)
        try:
            if response.status >= 300:
                refusal = _refusal(response, method, "" if raw else path)
                refusal.warnings = _warnings(response)
                raise refusal
            answer = Answer(response)
        except (OSError, WireError, ValueError) as exc:
            self.close()
            raise Unreachable(self.server, exc) from exc
        finally:
            if not response.reusable:
                self.close()
        return answer

    def one(self, path: str, query: Query = (), *, accept: str = JSON) -> Answer:
        """Return the object at *path*; where its namespace is missing, too, the refusal names that.

        Raises as :meth:`request` does.
        """
        try:
            return self.request("GET", path, query, accept=accept)
        except StatusError as error:
            _, inside, rest = path.partition("/namespaces/")
            namespace, named, _ = rest.partition("/")
            if error.reason == "NotFound" and inside and named and namespace != "default":
                try:
                    self.request("GET", f"/api/v1/namespaces/{namespace}")
                except StatusError as other:
                    if other.reason == "NotFound":
                        raise other from error
            raise

    def stream(
        self, path: str, query: Query = (), *, accept: str = JSON, lines: bool = True
    ) -> Iterator[bytes]:
        """Yield the lines of an answer as they come, or pieces of any size. Raises as
        :meth:`request` does."""
        response = self._send("GET", path, query, None, JSON, accept)
        yield from self._body(response, path, lines=lines)

    def raw(self, target: str) -> Iterator[bytes]:
        """Yield the body of ``GET`` *target*, which is a path and a query as they are sent. Raises
        as :meth:`request` does."""
        path, mark, query = target.partition("?")
        response = self._send("GET", path, (), None, JSON, "*/*", f"{mark}{query}")
        yield from self._body(response, "", lines=False)

    def _body(self, response: Response, path: str, *, lines: bool) -> Iterator[bytes]:
        connection, self._open = self._open, None  # it is this answer's until its end
        self._streamed = connection
        try:
            if self._is_cut:
                return
            if response.status >= 300:
                raise _refusal(response, "GET", path)
            yield from response.lines() if lines else response.pieces()
        except (OSError, WireError) as exc:
            if isinstance(exc, TimeoutError) and exc.errno != errno.ETIMEDOUT:
                raise FellSilent(self.server, exc) from exc  # our time, not the kernel's
            raise Unreachable(self.server, exc) from exc
        finally:
            self._streamed = None
            if connection is not None:
                connection.close()

    def cut(self) -> None:
        """Let the answer end that another thread reads piece by piece."""
        self._is_cut = True
        if (streamed := self._streamed) is not None:
            streamed.cut()

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
        raw_query: str = "",
    ) -> Response:
        target = self._target(path, query) + raw_query
        headers = [("Host", self.authority), ("Accept", accept), ("User-Agent", USER_AGENT),
                   *self.identity()]  # fmt: skip
        if body is not None:
            headers.append(("Content-Type", content_type))
        return self._ask(method, target, headers, body)

    def _ask(
        self, method: str, target: str, headers: list[tuple[str, str]], body: bytes | None
    ) -> Response:
        for name, value in headers:
            if "\n" in value or "\r" in value or "\0" in value:
                why = WireError(f'net/http: invalid header field value for "{name}"')
                raise Unreachable(self.server, why)
        for attempt in (1, 2):
            fresh = self._open is None
            try:
                self._open = self._open or self._connect()
                return self._open.ask(method, target, headers, body)
            except (OSError, WireError) as exc:
                self.close()
                if attempt == 2 or fresh:  # one that was kept may have been closed meanwhile
                    raise Unreachable(self.server, exc) from exc
        raise AssertionError

    def address(self, path: str, query: Query) -> str:
        """Return the whole URL of a request."""
        return f"{self.server.scheme}://{self.authority}{self._target(path, query)}"

    def _target(self, path: str, query: Query) -> str:
        target = self.server.path + quote_path(path)
        return f"{target}?{query_string(query)}" if query else target

    def identity(self) -> list[tuple[str, str]]:
        """Return the headers that say who asks: secrets are for servers that are known to be who
        they are. Raises CommandError."""
        connection = self._connection
        if self.server.scheme != "https":
            return list(connection.headers)
        token = connection.token
        if not token and connection.token_file:
            try:
                with open(connection.token_file) as file:
                    token = file.read().strip()
            except OSError as exc:
                what = (exc.strerror or "").lower()
                raise CommandError(f"open {connection.token_file}: {what}") from exc
        if not token and connection.exec:
            token = self._from_plugin().get("token", "")
        headers = [("Authorization", f"Bearer {token}")] if token else []
        if connection.basic and not token:
            from binascii import b2a_base64

            pair = b2a_base64(connection.basic.encode(), newline=False).decode()
            headers.append(("Authorization", f"Basic {pair}"))
        return headers + list(connection.headers)

    def _from_plugin(self) -> dict[str, str]:
        if self._credentials is None:
            from podium.kubectl.exec_credentials import credentials

            assert self._connection.exec is not None
            self._credentials = credentials(self._connection.exec, self._connection)
        return self._credentials

    def upgrade(
        self, method: str, path: str, query: Query, headers: Sequence[tuple[str, str]]
    ) -> Upgraded:
        """Ask for another protocol. Raises Unreachable."""
        asked = [("Host", self.authority), ("User-Agent", USER_AGENT), *self.identity(), *headers]
        response = self._ask(method, self._target(path, query), asked, None)
        wire = self._open
        assert wire is not None
        if response.status == 101:
            self._open = None
            return Upgraded(response, *wire.taken_over())
        try:
            return Upgraded(response, None, response.read())
        except (OSError, WireError) as exc:
            raise Unreachable(self.server, exc) from exc
        finally:
            if not response.reusable:
                self.close()

    def _connect(self) -> Wire:
        return Wire(self._dial())

    def _dial(self) -> socket.socket:
        import socket

        context = self.tls() if self.server.scheme == "https" else None
        proxy = self._proxy()
        if proxy is None:
            if self.server.port >= 1 << 16:
                raise WireError(f"dial tcp: address {self.server.port}: invalid port")
            where = (_ascii(self.server.host or "localhost"), self.server.port)
            connected = socket.create_connection(where, self._timeout)  # type: ignore[arg-type]
        else:
            from podium.kubectl.proxies import tunnel

            connected = tunnel(proxy, self.server, self._timeout)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # What is followed may say nothing for hours: a server that has vanished is noticed by this.
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _KEEP_ALIVE)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _KEEP_ALIVE)
        return connected if context is None else self._secured(connected, context)

    def _proxy(self) -> Url | None:
        if self._connection.proxy_url or any(name in os.environ for name in _PROXIES):
            from podium.kubectl.proxies import proxy_for

            return proxy_for(self._connection.proxy_url, self.server)
        return None

    def _secured(self, connected: socket.socket, context: ssl.SSLContext) -> socket.socket:
        name = self._connection.tls_server_name or self.server.host
        try:
            return context.wrap_socket(connected, server_hostname=_ascii(name))
        except OSError:
            connected.close()
            raise

    def tls(self) -> ssl.SSLContext:
        """Return what the connection trusts, and shows of itself. Raises CommandError."""
        import ssl

        connection = self._connection
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if connection.insecure:
            if connection.ca_data or connection.ca_file:
                raise CommandError(
                    "specifying a root certificates file with the insecure flag is not allowed"
                )
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        elif connection.ca_data or connection.ca_file:
            _trust(context, connection)
        else:
            context.load_default_certs()
        cert, key = connection.cert_data, connection.key_data
        if connection.exec and not cert:
            given = self._from_plugin()
            cert = given.get("clientCertificateData", "").encode()
            key = given.get("clientKeyData", "").encode()
        if connection.cert_file or cert:
            with _Files(cert, key) as (cert_file, key_file):
                _show(context, connection.cert_file or cert_file, connection.key_file or key_file)
        return context


def _server(connection: Connection) -> Url:
    """Return the server's URL, in which a scheme may be missing. Raises CommandError."""
    text = connection.server
    if "://" in text and (whole := _parsed(text)) is not None and whole.authority:
        if whole.scheme not in ("http", "https"):
            why = f'unsupported protocol scheme "{whole.scheme}"'
            raise Said(f"Unable to connect to the server: {why}")
        return whole
    try:
        url = Url(f"http://{text}")
    except ValueError as exc:
        raise Said(f"Unable to connect to the server: {exc}") from exc
    if url.path or "//" in text:
        raise CommandError(f'host must be a URL or a host:port pair: "{text}"')
    return url


def _parsed(text: str) -> Url | None:
    try:
        return Url(text)
    except ValueError:
        return None


def _trust(context: ssl.SSLContext, connection: Connection) -> None:
    """Raises CommandError for what are no certificates."""
    try:
        if connection.ca_data:
            context.load_verify_locations(cadata=connection.ca_data.decode("ascii", "ignore"))
        else:
            context.load_verify_locations(connection.ca_file)
    except (OSError, ValueError) as exc:
        why = "unable to load root certificates: unable to parse bytes as PEM block"
        raise CommandError(why) from exc


_MISMATCHES = {
    "KEY_VALUES_MISMATCH": "private key does not match public key",
    "NO_CERTIFICATE_ASSIGNED": "private key type does not match public key type",
}


def _show(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """Raises CommandError for what is no certificate with its key."""
    try:
        context.load_cert_chain(certificate, key)
    except OSError as exc:
        if why := _MISMATCHES.get(getattr(exc, "reason", "")):
            raise CommandError(f"tls: {why}") from exc
        with open(certificate, "rb") as file:
            what = "key" if b"-----BEGIN" in file.read() else "certificate"
        raise CommandError(f"tls: failed to find any PEM data in {what} input") from exc


def _ascii(host: str) -> str | bytes:
    """Return a host that is ASCII as bytes: the codec for all others takes long to load."""
    return host.encode() if host.isascii() else host


_PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")


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


def told_in(body: bytes | str) -> StatusError | None:
    """Return the refusal whose ``Status`` *body* is, None where it is something else."""
    try:
        status = json.loads(body)
    except ValueError:
        return None
    is_status = isinstance(status, dict) and status.get("kind") == "Status"
    return StatusError(status) if is_status else None


def _refusal(response: Response, method: str, path: str) -> StatusError:
    body = response.read()
    if (told := told_in(body)) is not None:
        return told
    from podium.kubectl.bare_refusals import status

    is_text = response.header("content-type").startswith("text/")
    is_text = is_text or not response.header("content-type")
    said = body.decode(errors="replace").strip() if is_text else "unknown"
    return StatusError(status(response.status, method, path, said))
