"""``kubectl apply view-last-applied``."""

from __future__ import annotations

import json

from podium.kubectl.choosing import ALL_FLAG, SELECTOR_FLAG, choose
from podium.kubectl.command import Command, Invocation
from podium.kubectl.files import FILE_FLAGS
from podium.kubectl.flags import Flag
from podium.kubectl.last_applied import last_applied
from podium.kubectl.writing import ESCAPED, as_text


def run(invocation: Invocation) -> int:
    values, session = invocation.values, invocation.session
    output = values.output.lower()
    found = []
    for one in choose(invocation, invocation.words):
        applied = last_applied(one.read(session))
        if applied is not None:
            found.append(applied)
    if output not in ("yaml", "json", ""):
        raise invocation.misused(
            f"Unexpected -o output mode: {values.output}, the flag 'output' must be one of "
            "yaml|json"
        )
    for applied in found:
        if output == "json":
            text = json.dumps(applied, indent=2, sort_keys=True, ensure_ascii=False)
            print(text.translate(ESCAPED))
        else:
            print(as_text(applied, "yaml"), end="")
    return 0


COMMAND = Command(
    usage="kubectl apply view-last-applied (TYPE [NAME | -l label] | TYPE/NAME | -f FILENAME) "
    "[options]",
    short="View the latest last-applied-configuration annotations of a resource/object",
    run=run,
    flags=(
        *FILE_FLAGS, ALL_FLAG, SELECTOR_FLAG,
        Flag("output", "yaml", "Output format. Must be one of (yaml, json)", short="o"),
    ),
)  # fmt: skip
