"""The words a container leaves: its termination message file, or the end of its log.

https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/
"""

from __future__ import annotations

import os
from pathlib import Path

from podium.domain.pods import identity
from podium.kit.files import read_plain
from podium.kubelet.log_lines import parse_line
from podium.runtime.port import ContainerStatus

MAX_FILE = 4096
MAX_LOG = 2048
MAX_LOG_LINES = 80


def termination_message(status: ContainerStatus) -> str:
    """Return the message of an ended container.

    A failed start has the runtime's words. The file counts as the container wrote it, up to 4 KiB;
    with ``FallbackToLogsOnError`` an empty file and a failure give the last lines of the log.
    """
    path = status.annotations.get(identity.TERMINATION_MESSAGE_PATH, "")
    host_path = next((m.host_path for m in status.mounts if m.container_path == path), "")
    text = _read_file(host_path) if path and host_path else ""
    policy = status.annotations.get(identity.TERMINATION_MESSAGE_POLICY, "")
    if not text and policy == "FallbackToLogsOnError" and status.reason != "Completed":
        text = _log_end(status.log_path)
    return f"{status.message}: {text}" if status.message and text else status.message or text


def _read_file(path: str) -> str:
    """Read the beginning of a plain file; the path may be that of a volume's, and what containers
    have put there: a pipe would keep us waiting, a link lead out."""
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        text = read_plain(os.open(path, flags), MAX_FILE)
    except OSError:
        return ""  # the container may have removed it
    return text.decode("utf-8", "replace") if text else ""


def _log_end(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - 4 * MAX_LOG - 80 * 64))
            raw = file.read()
    except OSError:
        return ""
    content = b"".join(
        line.content for line in map(parse_line, raw.splitlines(keepends=True)) if line is not None
    )
    lines = content[-MAX_LOG:].splitlines(keepends=True)
    if len(content) > MAX_LOG and len(lines) > 1 and content[-MAX_LOG - 1 : -MAX_LOG] != b"\n":
        lines = lines[1:]  # the first one is cut
    return b"".join(lines[-MAX_LOG_LINES:]).decode("utf-8", "replace")
