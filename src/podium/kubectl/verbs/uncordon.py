"""``kubectl uncordon``."""

from __future__ import annotations

from podium.kubectl.choosing import SELECTOR_FLAG
from podium.kubectl.command import Command, Invocation
from podium.kubectl.draining.nodes import cordon, nodes
from podium.kubectl.writing import DRY_RUN_FLAG


def run(invocation: Invocation) -> int:
    cordon(invocation, nodes(invocation, "uncordon"), on=False)
    return 0


COMMAND = Command(
    usage="kubectl uncordon NODE [options]",
    short="Mark node as schedulable",
    long="Let new Pods come to a node again.",
    examples="kubectl uncordon worker",
    run=run,
    flags=(DRY_RUN_FLAG, SELECTOR_FLAG),
)
