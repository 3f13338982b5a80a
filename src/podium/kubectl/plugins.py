"""Plugins: programs on PATH whose name begins with ``kubectl-``."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence

from podium.kubectl.errors import Said


def run_plugin(name: str, arguments: Sequence[str], *, below: str = "") -> int | None:
    """Become the plugin for ``kubectl NAME ARGUMENTS``: the longest name that there is, beginning
    with *below*.

    Returns None where there is none. Raises CommandError for one that cannot be run.
    """
    words = [name]
    for word in arguments:
        if word.startswith("-"):
            break
        words.append(word)
    while words:
        program = f"kubectl-{below}" + "-".join(word.replace("-", "_") for word in words)
        found = shutil.which(program)
        if found is not None:
            try:
                os.execv(found, [found, *[name, *arguments][len(words) :]])
            except OSError as exc:
                raise Said(f"Error: {(exc.strerror or '').lower()}") from exc
        words.pop()
    return None
