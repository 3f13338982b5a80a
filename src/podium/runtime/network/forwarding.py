"""The host's IPv4 forwarding switch, shared by all clusters of a machine.

A state file, guarded by a lock, says which clusters need forwarding and whether Podium switched it
on; the last one to leave puts it back then. The file counts for the boot that it was written in.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from podium.kit.files import write_atomic

_SWITCH = Path("/proc/sys/net/ipv4/ip_forward")
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class _State(msgspec.Struct):
    boot_id: str
    switched_on: bool = False
    users: list[str] = []


class IPForwarding:
    """*directory* is the same for every cluster of the machine; tests have their own *switch*."""

    def __init__(self, directory: Path, switch: Path = _SWITCH) -> None:
        self._directory, self._switch = directory, switch
        self._file = directory / "ip_forward.json"

    def need(self, user: str) -> None:
        """Switch forwarding on where it is off, and remember that *user* needs it. Repeatable."""
        with self._locked() as state:
            if self._switch.read_text().strip() == "0":
                state.switched_on = True
                self._write(state)  # before the switch: a crash in between must not lose the fact
                self._switch.write_text("1\n")
            if user not in state.users:
                state.users.append(user)
            self._write(state)

    def release(self, user: str) -> None:
        """Forget *user*; the last one puts the switch back as it was. Repeatable."""
        with self._locked() as state:
            if user in state.users:
                state.users.remove(user)
            self._write(state)
            if not state.users:
                if state.switched_on:
                    self._switch.write_text("0\n")
                with contextlib.suppress(FileNotFoundError):
                    self._file.unlink()

    @contextlib.contextmanager
    def _locked(self) -> Iterator[_State]:
        self._directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(
            self._directory / "ip_forward.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield self._read()
        finally:
            os.close(descriptor)

    def _read(self) -> _State:
        boot_id = _BOOT_ID.read_text().strip()
        try:
            state = msgspec.json.decode(self._file.read_bytes(), type=_State)
        except (FileNotFoundError, msgspec.DecodeError):
            return _State(boot_id)
        return state if state.boot_id == boot_id else _State(boot_id)

    def _write(self, state: _State) -> None:
        write_atomic(self._file, msgspec.json.encode(state), sync=False)
