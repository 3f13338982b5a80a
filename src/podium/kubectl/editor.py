"""Somebody's editor on a text: KUBE_EDITOR, EDITOR, or vi."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from pathlib import Path

from podium.kubectl.errors import CommandError

_SHELL_CHARACTERS = frozenset("|&;<>()$`\\\"'*?[#~=%{}")


def edited(text: str, prefix: str, ending: str) -> tuple[str, Path]:
    """Return what becomes of *text*, and the file that it is in, which stays. Raises CommandError
    where the editor fails."""
    descriptor, name = tempfile.mkstemp(suffix=ending, prefix=prefix)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    path = Path(name)
    try:
        _launch(path)
    except CommandError:
        path.unlink(missing_ok=True)
        raise
    return path.read_text(), path


def _launch(path: Path) -> None:
    editor = os.environ.get("KUBE_EDITOR") or os.environ.get("EDITOR") or "vi"
    words = editor.split(" ")
    if any(character in _SHELL_CHARACTERS for character in editor):
        shell = os.environ.get("SHELL") or "/bin/bash"
        words = [shell, "-c", f"{editor} {shlex.quote(str(path))}"]
    else:
        words = [*(word for word in words if word), str(path)]
    try:
        code = subprocess.run(words, check=False).returncode
    except OSError as exc:
        raise CommandError(f'unable to launch the editor "{editor}"') from exc
    if code:
        raise CommandError(f'there was a problem with the editor "{editor}"')
