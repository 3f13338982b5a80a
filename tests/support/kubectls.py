"""What the tests of kubectls share: a caller for one version, in one namespace."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TextIO

import pytest

from support import cluster
from support.cluster import KUBECTL, Cluster, run

EVERY_VERSION = pytest.mark.parametrize("version", KUBECTL)
OLDEST_AND_NEWEST = pytest.mark.parametrize("version", cluster.OLDEST_AND_NEWEST)


@dataclass
class Kubectl:
    """``kubectl("get", "pods")`` → what it printed; a failure fails the test."""

    cluster: Cluster
    namespace: str
    version: str

    def __call__(self, *words: str, stdin: str = "", **environment: str) -> str:
        return self.result(*words, stdin=stdin, check=True, environment=environment).stdout

    def fails(self, *words: str, stdin: str = "", **environment: str) -> str:
        """Run what shall fail; return what it said of it."""
        completed = self.result(*words, stdin=stdin, environment=environment)
        assert completed.returncode, completed.stdout
        return completed.stderr

    def one(self, what: str, path: str) -> str:
        """One field of an object, by a JSONPath without braces."""
        return self("get", what, "-o", f"jsonpath={{{path}}}")

    @contextlib.contextmanager
    def started(self, *words: str) -> Iterator[TextIO]:
        """A kubectl that goes on by itself; yield what it prints, and end it at the end."""
        with subprocess.Popen(
            (KUBECTL[self.version], "-n", self.namespace, *words),
            stdout=subprocess.PIPE, text=True, env=os.environ | self.cluster.environment,
        ) as process:  # fmt: skip
            assert process.stdout is not None
            try:
                yield process.stdout
            finally:
                process.kill()

    def result(
        self,
        *words: str,
        stdin: str = "",
        check: bool = False,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> subprocess.CompletedProcess[str]:
        return run(
            KUBECTL[self.version], "-n", self.namespace, *words, stdin=stdin, check=check,
            env={**self.cluster.environment, **environment},
        )  # fmt: skip


def manifest(kind: str, name: str, version: str = "v1", **content: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **content}
