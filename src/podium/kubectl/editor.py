"""Somebody's editor on a text: KUBE_EDITOR, EDITOR, or vi."""

from __future__ import annotations

import os
import random
import shlex
import subprocess
from pathlib import Path

from podium.kubectl.errors import CommandError

_FOR_A_SHELL = frozenset("\"'\\|&;<>()$`*?[]#~=%{}")


def edited(text: str, ending: str) -> tuple[str, Path]:
    """Return what becomes of *text*, and the file that it is in, which stays; nobody else may read
    it. Raises CommandError where the editor fails."""
    path = _new_file(ending)
    path.write_text(text, encoding="utf-8")
    try:
        _launch(path)
    except CommandError:
        path.unlink(missing_ok=True)
        raise
    try:
        return path.read_bytes().decode("utf-8", "replace"), path
    except OSError as exc:
        raise CommandError(f"open {path}: {(exc.strerror or '').lower()}") from exc


def _new_file(ending: str) -> Path:
    directory = os.environ.get("TMPDIR") or "/tmp"
    while True:
        path = Path(directory, f"kubectl-edit-{random.randrange(10**9, 10**10)}{ending}")
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600))
        except FileExistsError:
            continue
        return path


def _launch(path: Path) -> None:
    editor = os.environ.get("KUBE_EDITOR") or os.environ.get("EDITOR") or "vi"
    if any(character in _FOR_A_SHELL for character in editor):
        shell = os.environ.get("SHELL") or "/bin/bash"
        words = [shell, "-c", f"{editor} {shlex.quote(str(path))}"]
    else:
        words = [*(word for word in editor.split(" ") if word), str(path)]
    try:
        code = subprocess.run(words, check=False).returncode
    except OSError as exc:
        raise CommandError(f'unable to launch the editor "{editor}"') from exc
    if code:
        raise CommandError(f'there was a problem with the editor "{editor}"')
