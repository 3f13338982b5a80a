"""Two versions of objects as files in two directories, and a program that compares them."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from podium.kubectl.discovery import ResourceType
from podium.kubectl.errors import CommandError

Map = dict[str, Any]
_ARGUMENT = re.compile(r"[a-zA-Z0-9\-=]+\Z")


class Versions:
    """The files; nobody else may read them, and they go with the block."""

    def __init__(self, *, managed_fields: bool, secrets: bool) -> None:
        self._managed_fields, self._secrets = managed_fields, secrets

    def __enter__(self) -> Versions:
        self._live, self._merged = _directory("LIVE"), _directory("MERGED")
        return self

    def __exit__(self, *_: object) -> None:
        for directory in (self._live, self._merged):
            shutil.rmtree(directory, ignore_errors=True)

    def add(self, type_: ResourceType, live: Map | None, merged: Map | None) -> None:
        from podium.kubectl.printing.yaml_text import dump

        there = merged or live or {}
        metadata = there["metadata"]
        parts = [type_.version, type_.kind, metadata.get("namespace", ""), metadata["name"]]
        name = ".".join([type_.group, *parts] if type_.group else parts)
        if type_.kind == "Secret" and not type_.group and not self._secrets:
            live, merged = _masked(live, merged)
        name = name.replace("/", "_")
        (self._live / name).write_text(dump(self._shown(live)) if live is not None else "")
        if merged is not None:  # nothing is left of what would be pruned
            (self._merged / name).write_text(dump(self._shown(merged)))

    def _shown(self, obj: Map) -> Map:
        if self._managed_fields:
            return obj
        metadata = {k: v for k, v in obj["metadata"].items() if k != "managedFields"}
        return {**obj, "metadata": metadata}

    def compare(self) -> int:
        """Run the program; return whether there are differences (1). Raises CommandError."""
        program, *arguments = _program()
        words = [program, *arguments, str(self._live), str(self._merged)]
        try:
            done = subprocess.run(words, check=False, capture_output=True)
        except OSError as exc:
            raise CommandError(
                f'failed to run "{program}": executable file not found in $PATH'
            ) from exc
        sys.stdout.write(done.stdout.decode(errors="replace"))
        sys.stderr.write(done.stderr.decode(errors="replace"))
        if done.returncode > 1:
            raise CommandError(f'failed to run "{program}": exit status {done.returncode}')
        return done.returncode


def _program() -> list[str]:
    words = os.environ.get("KUBECTL_EXTERNAL_DIFF", "").split(" ")
    if not words[0]:
        return ["diff", "-u", "-N"]
    return [words[0], *(word for word in words[1:] if _ARGUMENT.match(word))]


def _directory(name: str) -> Path:
    root = os.environ.get("TMPDIR") or "/tmp"
    while True:
        path = Path(root, f"{name}-{random.randrange(10**9, 10**10)}")
        try:
            path.mkdir(mode=0o700)
        except FileExistsError:
            continue
        return path


def _masked(live: Map | None, merged: Map | None) -> tuple[Map | None, Map | None]:
    """Return two versions of a Secret with nothing to be seen but what differs."""
    before, after = dict((live or {}).get("data") or {}), dict((merged or {}).get("data") or {})
    for key in {*before, *after}:
        differs = key in before and key in after and before[key] != after[key]
        if key in before:
            before[key] = "*** (before)" if differs else "***"
        if key in after:
            after[key] = "*** (after)" if differs else "***"
    return (
        {**live, "data": before} if live is not None and before else live,
        {**merged, "data": after} if merged is not None and after else merged,
    )
