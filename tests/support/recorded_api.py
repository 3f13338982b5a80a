"""Plays recorded requests and kubectl command lines against a whole cluster, and compares.

A case's steps are requests, watches that stay open and are collected later, and command lines; see
``tests/golden/api/README.md``. What differs from run to run is given a name in angle brackets on
our side, as it was on the recorded one.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse, ClientSession

from support.cluster import PATIENCE
from support.recorded_text import Normal, pointer, shape, without_newer

_HEADERS = ("Content-Type", "Warning", "Retry-After", "Allow", "WWW-Authenticate", "Location")
_NAMESPACES = "/api/v1/namespaces"
_COLLECTION = re.compile(r"(/api/v1|/apis/[^/]+/[^/]+)(/namespaces/[^/]+)?/[^/]+")
_GONE = {"gracePeriodSeconds": 0, "propagationPolicy": "Background"}
#: Seconds after the events that are wanted in which another one would be one too many.
_SETTLED = 0.4


@dataclass
class Player:
    """Plays cases; *session* and *kubeconfig* are those of somebody who may do everything."""

    session: ClientSession
    kubectl: Path
    kubeconfig: Path
    _shared: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def differences(self, case: Mapping[str, Any]) -> list[str]:
        """Return a text for each step that went otherwise than it was recorded."""
        found = []
        async with AsyncExitStack() as stack:
            for namespace in case.get("namespaces", []):
                await stack.enter_async_context(self._namespace(namespace))
            run = await stack.enter_async_context(_Run(self, case["steps"]).playing(case))
            for number, step in enumerate(case["steps"], start=1):
                seen, wanted = await run.step(step), step.get("expect")
                if wanted is not None and (seen := without_newer(seen, wanted)) != wanted:
                    found.append(f"step {number}: recorded {wanted}, here {seen}")
        return found

    @asynccontextmanager
    async def _namespace(self, wanted: Mapping[str, Any]) -> AsyncIterator[None]:
        """A namespace, with what controllers put there; cases that share one come in turn."""
        name = wanted["name"]
        async with self._shared.setdefault(name, asyncio.Lock()):
            metadata = {"name": name, "labels": wanted.get("labels", {})}
            made = {"metadata": metadata}
            await self._until(lambda: self._status("POST", _NAMESPACES, made), 201)
            for there in ("serviceaccounts/default", "configmaps/kube-root-ca.crt"):
                path = f"{_NAMESPACES}/{name}/{there}"
                await self._until(lambda path=path: self._status("GET", path), 200)
            try:
                yield
            finally:
                await self._status("DELETE", f"{_NAMESPACES}/{name}")

    async def remove(self, path: str) -> None:
        """Delete an object, whoever wants to see to its end first."""

        async def code() -> int:
            found = await self._status("DELETE", path, _GONE)
            if found == 200:
                await self._status("PATCH", path, {"metadata": {"finalizers": None}})
            return found

        if not re.fullmatch(f"{_NAMESPACES}/[^/]+", path):
            await self._until(code, 404, 405)
        else:
            await self._status("DELETE", path)

    async def _status(self, method: str, path: str, body: Any = None) -> int:
        headers = {}
        if body is not None:
            kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
            headers["Content-Type"] = kind
            body = json.dumps(body)
        async with self.session.request(method, path, data=body, headers=headers) as response:
            return response.status

    @staticmethod
    async def _until(ask: Any, *codes: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while await ask() not in codes:
                await asyncio.sleep(0.05)


class _Run:
    """One case under way: the variables it has saved, its watches, what it has made."""

    def __init__(self, player: Player, steps: list[dict[str, Any]]) -> None:
        self._player, self._normal = player, Normal(steps)
        self._variables: dict[str, str] = {}
        self._watches: dict[str, ClientResponse] = {}
        self._made: list[str] = []

    @asynccontextmanager
    async def playing(self, case: Mapping[str, Any]) -> AsyncIterator[_Run]:
        try:
            yield self
        finally:
            for watch in self._watches.values():
                watch.close()
            for path in (*reversed(self._made), *case.get("cleanup", ())):
                await self._player.remove(path)

    async def step(self, step: Mapping[str, Any]) -> Any:
        """Return what came of a step, in the form that was recorded."""
        if "kubectl" in step:
            return await self._command(step)
        if "collect" in step:
            events = await self._collect(step["collect"], step["events"])
            return {"body": self._view(step, self._normal.value(events))}
        if "open" in step:
            watch = await self._send(step)
            self._watches[step["open"]] = watch
            return {"code": watch.status, "headers": self._headers(watch)}
        return None if "sleep" in step else await self._request(step)

    # ------------------------------------------------------------------ requests

    async def _send(self, step: Mapping[str, Any]) -> ClientResponse:
        asked = self._filled({key: step.get(key) for key in ("path", "query", "headers", "body")})
        body = asked["body"]
        text = body if body is None or isinstance(body, str) else json.dumps(body)
        data = None if text is None else BytesIO(text.encode())
        headers = {"User-Agent": "golden/1.0", "Accept": "application/json"}
        if data is not None:
            headers["Content-Type"] = "application/json"
        for name, value in (asked["headers"] or {}).items():
            headers.pop(name, None)
            if value is not None:
                headers[name] = value
        skipped = ("Content-Type",) if "Content-Type" not in headers else ()
        return await self._player.session.request(
            step["method"], asked["path"], params=asked["query"], data=data, headers=headers,
            skip_auto_headers=skipped,
        )  # fmt: skip

    async def _request(self, step: Mapping[str, Any]) -> Any:
        async with asyncio.timeout(PATIENCE):
            while True:
                async with await self._send(step) as response:
                    body = _parsed(response, await response.text(), step)
                self._note(step, response.status, body)
                if _is_so(step.get("until", {}), response.status, body):
                    break
                await asyncio.sleep(0.05)
        for name, where in step.get("save", {}).items():
            self._variables[name] = str(pointer(body, where))
        seen = {"code": response.status, "headers": self._headers(response)}
        if step.get("view") != "code":
            seen["body"] = self._view(step, self._normal.value(body))
        return seen

    def _note(self, step: Mapping[str, Any], code: int, body: Any) -> None:
        """Remember what a request has made."""
        path = self._filled(step["path"])
        if step["method"] == "POST" and _COLLECTION.fullmatch(path) and code == 201:
            name = pointer(body, "/metadata/name")
            if name and "dryRun" not in (step.get("query") or {}):
                self._made.append(f"{path}/{name}")
        elif step["method"] in ("PATCH", "PUT") and code == 201:
            self._made.append(path)

    async def _collect(self, name: str, count: int) -> list[Any]:
        watch = self._watches.pop(name)
        events: list[Any] = []
        patience = PATIENCE
        try:
            while True:
                if len(events) >= count:
                    patience = _SETTLED
                line = await asyncio.wait_for(watch.content.readline(), patience)
                if not line:
                    return events
                events.append(json.loads(line))
        except TimeoutError:
            return events
        finally:
            watch.close()

    def _headers(self, response: ClientResponse) -> dict[str, Any]:
        found = {}
        for name in _HEADERS:
            values = [self._normal.text(text) for text in response.headers.getall(name, [])]
            if values:
                found[name] = values if len(values) > 1 else values[0]
        return found

    @staticmethod
    def _view(step: Mapping[str, Any], body: Any) -> Any:
        if "pick" in step:
            body = {where: pointer(body, where) for where in step["pick"]}
        if step.get("view") == "shape":
            body = shape(body)
        for where in step.get("unordered", ()):
            pointer(body, where).sort(key=lambda item: json.dumps(item, sort_keys=True))
        return body

    # ------------------------------------------------------------------ command lines

    async def _command(self, step: Mapping[str, Any]) -> Any:
        with tempfile.TemporaryDirectory(prefix="golden-") as home:
            for name, text in step.get("files", {}).items():
                Path(home, name).write_text(self._filled(text))
            process = await asyncio.create_subprocess_exec(
                self._player.kubectl,
                *shlex.split(self._filled(step["kubectl"])),
                cwd=home,
                env={
                    "PATH": os.environ["PATH"], "HOME": home, "TZ": "UTC", "LANG": "C.UTF-8",
                    "KUBECONFIG": str(self._player.kubeconfig), **step.get("env", {}),
                },
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
            asked = self._filled(step.get("stdin") or "").encode()
            out, err = await asyncio.wait_for(process.communicate(asked), PATIENCE)
            for name, where in step.get("save", {}).items():
                self._variables[name] = str(pointer(json.loads(out), where))
            if step.get("view") == "code":
                return {"code": process.returncode}
            seen = {
                "code": process.returncode,
                "stdout": self._normal.output(out.decode(), home),
                "stderr": self._normal.output(err.decode(), home),
            }
            for where in step.get("unordered", ()):
                seen[where] = "\n".join(sorted(str(seen[where]).split("\n")))
            return seen

    def _filled(self, value: Any) -> Any:
        """Return *value* with the variables in it replaced."""
        if isinstance(value, dict):
            return {self._filled(key): self._filled(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._filled(item) for item in value]
        if not isinstance(value, str) or "${" not in value:
            return value
        value = _REPEAT.sub(lambda match: match[1] * int(match[2]), value)
        for name, text in self._variables.items():
            value = value.replace(f"${{{name}}}", text)
        return value


_REPEAT = re.compile(r"\$\{repeat:([^:}]*):(\d+)\}")


def _parsed(response: ClientResponse, text: str, step: Mapping[str, Any]) -> Any:
    if "watch" in (step.get("query") or {}) and response.status == 200:
        return [json.loads(line) for line in text.splitlines()]
    return json.loads(text) if "json" in response.content_type else text


def _is_so(wanted: Mapping[str, Any], code: int, body: Any) -> bool:
    for where, value in wanted.items():
        found = code if where == "code" else pointer(body, where)
        if found is None or (value is not None and found != value):
            return False
    return True
