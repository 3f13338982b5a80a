"""Our kubectl beside the real one, where a node is needed."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from support.cluster import KUBECTL, Cluster, pod

OURS = (Path(KUBECTL["1.37"]).parent / "podium", "kubectl")


def test_commands_are_executed_as_the_real_one_does(shared: Cluster, namespace: str):
    spec = pod("two", "sleep", "1000", container={"name": "c"}, terminationGracePeriodSeconds=1)
    spec["spec"]["containers"].append({"name": "quiet", "image": "localhost/kuard:demo"})
    spec["metadata"]["namespace"] = namespace
    shared.apply(spec)
    ready = "--for=condition=Ready"
    shared.kubectl("-n", namespace, "wait", ready, "pod/two", "--timeout=60s")

    def both(*words: str, stdin: bytes = b"") -> None:
        found = [
            subprocess.run(
                [*program, "--kubeconfig", shared.kubeconfig, "-n", namespace, "exec",
                 *words],
                input=stdin, capture_output=True, timeout=60, check=False,
            )
            for program in ((KUBECTL["1.37"],), OURS)
        ]  # fmt: skip
        theirs, ours = [
            (one.returncode, one.stdout, re.sub(rb"[0-9a-f]{64}", b"ID", one.stderr))
            for one in found
        ]
        assert ours == theirs

    both("two", "-c", "c", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    both("two", "--", "true")
    both("two", "-c", "c", "--", "nosuch")
    both("two", "-c", "nosuch", "--", "true")
    both("nosuch", "--", "true")
    both("two", "-c", "c", "-i", "--", "cat", stdin=os.urandom(500_000))
    both("two")
