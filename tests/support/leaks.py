"""What a test left on the machine: mounts, cgroups, links, nft tables, processes, IP forwarding.

    before = snapshot()
    …
    assert leaked(before) == {}

The machine is shared: other tests make and remove things at the same time, so a test passes a
*mark* (its cluster's id, its temporary directory) that all it makes carries in its name.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

Snapshot = Mapping[str, frozenset[str]]


def snapshot(*marks: str) -> Snapshot:
    """Return what there is of each kind; with *marks*, only what has one of them in its name."""
    found = {
        "mounts": _mounts(),
        "cgroups": _cgroups(),
        "links": os.listdir("/sys/class/net"),
        "nft tables": _nft_tables(),
        "processes": _processes(),
    }
    return {
        kind: frozenset(name for name in names if not marks or any(mark in name for mark in marks))
        for kind, names in found.items()
    }


def leaked(before: Snapshot, *marks: str, patience: float = 60.0) -> dict[str, list[str]]:
    """Return what is there now and was not *before*, once it has had *patience* seconds to go."""
    deadline = time.monotonic() + patience
    while True:
        now = snapshot(*marks)
        added = {kind: now[kind] - before.get(kind, frozenset()) for kind in now}
        rest = {kind: sorted(names) for kind, names in added.items() if names}
        if not rest or time.monotonic() > deadline:
            return rest
        time.sleep(0.02)


def _mounts() -> Iterable[str]:
    return [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]


def _cgroups() -> Iterable[str]:
    for directory, _, _ in os.walk("/sys/fs/cgroup"):
        yield directory


def _nft_tables() -> Iterable[str]:
    listing = subprocess.run(
        ["nft", "list", "tables"], capture_output=True, text=True, check=True
    ).stdout
    return listing.splitlines()


def _processes() -> Iterable[str]:
    """Command lines with their pid; zombies, which whoever adopted them reaps, have none."""
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            try:
                command = Path("/proc", name, "cmdline").read_bytes()
            except OSError:
                continue
            if command:
                yield f"{name} {command.replace(bytes(1), b' ').decode(errors='replace')}"
