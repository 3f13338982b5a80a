"""A connection that became something else than HTTP, and never blocks who uses it."""

from __future__ import annotations

import ssl
from collections import deque

from podium.kubectl.errors import CommandError, Unreachable
from podium.kubectl.http import told_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from podium.kubectl.http import Http, Query
    from podium.kubectl.wire import Response

#: As much as one record of TLS carries: more never comes at once, and none of it is left behind.
_PIECE = 1 << 14
#: How many pieces are taken before who uses them may do something else.
_AT_ONCE = 8


class Refused(CommandError):
    """The server does not change the protocol."""


class NotTaken(Unreachable):
    """The other end takes nothing any more; what it has said before can still be read."""


class Unblocked:
    """Bytes in and out. Who waits asks :meth:`fileno` and :attr:`unsent`."""

    def __init__(
        self,
        http: Http,
        method: str,
        path: str,
        query: Query,
        headers: Sequence[tuple[str, str]],
    ) -> None:
        """Ask for another protocol by *headers*. Raises Refused, Unreachable."""
        upgraded = http.upgrade(method, path, query, [("Connection", "Upgrade"), *headers])
        if upgraded.socket is None:
            text = told_in(upgraded.said) or upgraded.said.decode(errors="replace").strip()
            raise Refused(f"unable to upgrade connection: {text}")
        self.response: Response = upgraded.response
        self._socket = upgraded.socket
        self._server = http.server
        self._ahead = upgraded.said
        self._out: deque[memoryview] = deque()
        self._unsent = 0
        self._ended = False

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    @property
    def unsent(self) -> int:
        """How many bytes wait until the connection takes them."""
        return self._unsent

    @property
    def ended(self) -> bool:
        """Whether nothing more comes."""
        return self._ended

    def put(self, data: bytes) -> None:
        """Take bytes on; they go with :meth:`flush`."""
        self._out.append(memoryview(data))
        self._unsent += len(data)

    def flush(self) -> None:
        """Write as much as the connection takes. Raises NotTaken, Unreachable."""
        try:
            while self._out:
                sent = self._socket.send(self._out[0])
                self._unsent -= sent
                self._out[0] = self._out[0][sent:]
                if not self._out[0]:
                    self._out.popleft()
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return
        except OSError as exc:
            gone = isinstance(exc, BrokenPipeError | ConnectionResetError | ssl.SSLEOFError)
            raise (NotTaken if gone else Unreachable)(self._server, exc) from exc

    def take(self) -> Iterator[bytes]:
        """Yield what has come. Raises Unreachable.

        Not all of it, where more comes than is dealt with: what the user types has its turn, too.
        """
        if self._ahead:
            ahead, self._ahead = self._ahead, b""
            yield ahead
        for _ in range(_AT_ONCE):
            if self._ended:
                return
            try:
                data = self._socket.recv(_PIECE)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            except OSError as exc:
                if isinstance(exc, ssl.SSLEOFError | ConnectionResetError):
                    data = b""
                else:
                    raise Unreachable(self._server, exc) from exc
            self._ended = not data
            if data:
                yield data
