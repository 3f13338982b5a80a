"""What a command's flags lead to: the kubeconfig, the server, the namespace; made when needed."""

from __future__ import annotations

import json
import sys
from functools import cached_property

from podium.kubectl import kubeconfig
from podium.kubectl.errors import CommandError, StatusError
from podium.kubectl.flags import duration
from podium.kubectl.http import JSON, Http

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from podium.kubectl.flags import Values
    from podium.kubectl.http import Answer, Query
    from podium.kubectl.kubeconfig import Connection, Kubeconfig

_WARNING = r'\d{3} \S+ "((?:[^"\\]|\\.)*)"'


class Session:
    """One command's way to the server."""

    def __init__(self, values: Values, preferred: Mapping[str, Any] | None = None) -> None:
        self._values, self._preferred = values, preferred or {}
        self._warned: set[str] = set()
        #: How many documents have been printed.
        self.documents = 0

    @cached_property
    def config(self) -> Kubeconfig:
        return kubeconfig.load(self._values)

    @cached_property
    def connection(self) -> Connection:
        made = kubeconfig.connection(self.config, self._values)
        made.plugin_policy = self._preferred.get("credentialPluginPolicy") or ""
        made.plugins_allowed = [
            entry.get("command") or entry["name"]
            for entry in self._preferred.get("credentialPluginAllowlist") or ()
        ]
        return made

    @cached_property
    def http(self) -> Http:
        http = Http(self.connection, self._timeout())
        if self._values.match_server_version:
            from podium.kubectl.versions import check_server

            check_server(http)
        return http

    def close(self) -> None:
        if "http" in self.__dict__:
            self.http.close()

    @property
    def namespace(self) -> str:
        return self.connection.namespace

    @property
    def enforces_namespace(self) -> bool:
        """Whether the namespace was asked for by flag: files may then not name another."""
        return bool(self._values.namespace)

    def existing(self, path: str) -> dict[str, Any] | None:
        """Return the object at *path*, None where there is none. Raises as :meth:`Http.request`."""
        try:
            found: dict[str, Any] = self.http.request("GET", path).json()
        except StatusError as error:
            if error.code == 404:
                return None
            raise
        return found

    def send(
        self, method: str, path: str, query: Query, document: Any, content_type: str = JSON
    ) -> dict[str, Any]:
        """Send a document as JSON; return what the server answers, its warnings printed.

        Raises as :meth:`Http.request` and :meth:`warn` do.
        """
        body = json.dumps(document).encode()
        answer = self.requested(method, path, query, body, content_type)
        found: dict[str, Any] = answer.json()
        return found

    def requested(
        self, method: str, path: str, query: Query, body: bytes, content_type: str
    ) -> Answer:
        """Send a body; return the answer, its warnings printed, as are those of a refusal.

        Raises as :meth:`Http.request` and :meth:`warn` do.
        """
        try:
            answer = self.http.request(method, path, query, body=body, content_type=content_type)
        except StatusError as refusal:
            self._show(refusal.warnings)
            raise
        self.warn(answer)
        return answer

    def warn(self, answer: Answer) -> None:
        """Print the warnings of an answer, each once. Raises Failed where they count as errors."""
        if answer.warnings:
            self._show(answer.warnings)
        if self._warned and self._values.warnings_as_errors:
            count = len(self._warned)
            raise CommandError(f"{count} warning{'s' * (count > 1)} received")

    def _show(self, headers: list[str]) -> None:
        if not headers:
            return
        import re

        for header in headers:
            for found in re.finditer(_WARNING, header):
                text = re.sub(r"\\(.)", r"\1", found[1])
                if text not in self._warned:
                    self._warned.add(text)
                    print(f"Warning: {text}", file=sys.stderr)

    def _timeout(self) -> float | None:
        text = self._values.request_timeout or "0"
        try:
            seconds = float(text) if text.isdigit() else duration(text)
        except ValueError:
            raise CommandError(
                "Invalid timeout value. Timeout must be a single integer in seconds, or an integer "
                "followed by a corresponding time unit (e.g. 1s | 2m | 3h)"
            ) from None
        return seconds if seconds > 0 else None
