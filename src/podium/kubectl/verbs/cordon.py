"""``kubectl cordon``."""

from __future__ import annotations

from podium.kubectl.choosing import SELECTOR_FLAG
from podium.kubectl.command import Command, Invocation
from podium.kubectl.draining.nodes import cordon, nodes
from podium.kubectl.writing import DRY_RUN_FLAG


def run(invocation: Invocation) -> int:
    cordon(invocation, nodes(invocation, "cordon"), on=True)
    return 0


COMMAND = Command(
    usage="kubectl cordon NODE [options]",
    short="Mark node as unschedulable",
    long="Let no new Pods come to a node.",
    examples="kubectl cordon worker",
    run=run,
    flags=(DRY_RUN_FLAG, SELECTOR_FLAG),
)
