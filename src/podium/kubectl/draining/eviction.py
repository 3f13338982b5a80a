"""Pods are asked to go, by eviction or by deletion, and waited for."""

from __future__ import annotations

import json
import select
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from podium.kubectl.command import Invocation
from podium.kubectl.discovery import ResourceType
from podium.kubectl.errors import CommandError, StatusError
from podium.kubectl.writing import dry_run, suffix

Map = dict[str, Any]
_PODS = ResourceType("", "v1", "pods", "Pod", True)
#: Seconds after which an eviction that a disruption budget does not allow is tried again.
_AGAIN = 5.0
_POLL = 0.2


def remove(invocation: Invocation, pods: Sequence[Map]) -> list[str]:
    """Evict Pods, or delete them, and wait until they are gone; return what went wrong."""
    return _Removal(invocation).run(pods)


class _Removal:
    def __init__(self, invocation: Invocation) -> None:
        self._values, self._http = invocation.values, invocation.session.http
        seconds = self._values.timeout
        self._until = time.monotonic() + seconds if seconds else None
        self._evicts = not self._values.disable_eviction
        self._errors: list[str] = []

    def run(self, pods: Sequence[Map]) -> list[str]:
        waiting: list[Map] = []
        #: Pods whose turn comes again, with when.
        later = [(0.0, pod) for pod in pods]
        while later or waiting:
            due = [pod for at, pod in later if at <= time.monotonic()]
            later = [(at, pod) for at, pod in later if at > time.monotonic()]
            for pod in due:
                outcome = self._ask(pod)
                if outcome is None:
                    later.append((time.monotonic() + _AGAIN, pod))
                elif outcome:
                    waiting.append(pod)
            if dry_run(self._values) == "server":
                waiting.clear()
            waiting = [pod for pod in waiting if not self._is_gone(pod)]
            if self._over():
                self._give_up([pod for _, pod in later], waiting)
                break
            if later or waiting:
                select.select([], [], [], _POLL)
        return self._errors

    def _ask(self, pod: Map) -> bool | None:
        """Return whether the Pod is going; None: not yet."""
        metadata = pod["metadata"]
        namespace, name = metadata["namespace"], metadata["name"]
        if self._evicts:
            print(f"evicting pod {namespace}/{name}{suffix(self._values)}", flush=True)
        try:
            self._send(namespace, name)
        except StatusError as error:
            if error.code == 404:
                return False
            if error.code == 429 and self._evicts:
                print(f'error when evicting pods/"{name}" -n "{namespace}" (will retry after 5s): '
                      f"{error}", file=sys.stderr)  # fmt: skip
                return None
            verb = "evicting" if self._evicts else "deleting"
            self._errors.append(f'error when {verb} pods/"{name}" -n "{namespace}": {error}')
            return False
        return True

    def _send(self, namespace: str, name: str) -> None:
        options: Map = {}
        if self._values.grace_period >= 0:
            options["gracePeriodSeconds"] = self._values.grace_period
        if dry_run(self._values) == "server":
            options["dryRun"] = ["All"]
        if not self._evicts:
            body = {"kind": "DeleteOptions", "apiVersion": "v1", **options}
            self._http.request("DELETE", _PODS.path(namespace, name), body=_json(body))
            return
        eviction = {
            "kind": "Eviction",
            "apiVersion": "policy/v1",
            "metadata": {"name": name, "namespace": namespace},
            "deleteOptions": options,
        }
        path = _PODS.path(namespace, name, "eviction")
        self._http.request("POST", path, body=_json(eviction))

    def _is_gone(self, pod: Map) -> bool:
        metadata = pod["metadata"]
        path = _PODS.path(metadata["namespace"], metadata["name"])
        done = "evicted" if self._evicts else "deleted"
        try:
            there = self._http.request("GET", path).json()
        except StatusError as error:
            if error.code != 404:
                raise
            there = None
        if there is None or there["metadata"]["uid"] != metadata["uid"]:
            print(f"pod/{metadata['name']} {done}", flush=True)
            return True
        return _is_old(there, self._values.skip_wait_for_delete_timeout)

    def _over(self) -> bool:
        return self._until is not None and time.monotonic() > self._until

    def _give_up(self, later: Sequence[Map], waiting: Sequence[Map]) -> None:
        reached = f"global timeout reached: {self._values.timeout:g}s"
        for pod in later:
            metadata = pod["metadata"]
            self._errors.append(
                f'error when evicting pods/"{metadata["name"]}" -n "{metadata["namespace"]}": '
                f"{reached}"
            )
        for pod in waiting:
            metadata = pod["metadata"]
            self._errors.append(
                f'error when waiting for pod "{metadata["name"]}" in namespace '
                f'"{metadata["namespace"]}" to terminate: {reached}'
            )


def _json(body: Map) -> bytes:
    return json.dumps(body).encode()


def _is_old(pod: Map, seconds: int) -> bool:
    """Whether a Pod has been going for so long that it is not waited for."""
    text = pod["metadata"].get("deletionTimestamp")
    if seconds <= 0 or not text:
        return False
    since = datetime.fromisoformat(text.replace("Z", "+00:00"))
    old = (datetime.now(UTC) - since).total_seconds() > seconds
    if old:
        name = pod["metadata"]["name"]
        print(f'pod "{name}" has DeletionTimestamp older than {seconds} seconds, skipping')
    return old


def pods_on(invocation: Invocation, node: str) -> list[Map]:
    """Return the Pods of a node that the command's selector takes. Raises CommandError."""
    query = [("fieldSelector", f"spec.nodeName={node}")]
    if invocation.values.pod_selector:
        query.append(("labelSelector", invocation.values.pod_selector))
    try:
        items = invocation.session.http.request("GET", _PODS.path(), query).json()["items"]
    except StatusError as error:
        raise CommandError(str(error)) from error
    return list(items or ())
