"""Decoders that several threads ask for first at the same time."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import json, sys, threading
from podium.api import codec, scheme

containers = [{"name": f"c{number}", "image": "i"} for number in range(1000)]
pod = {"metadata": {"name": "p"}, "spec": {"containers": containers}}
deployment = {"metadata": {"name": "d"}, "spec": {"template": {"spec": pod["spec"]}}}
bodies = [(scheme.PODS, pod), (scheme.PODS, pod), (scheme.DEPLOYMENTS, deployment),
          (scheme.REPLICASETS, deployment)]
sys.setswitchinterval(1e-6)
together = threading.Barrier(len(bodies))
read = []

def decode(resource, body):
    data = json.dumps(body).encode()
    together.wait()
    read.append(codec.decode(resource, data)[0])

threads = [threading.Thread(target=decode, args=each) for each in bodies]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert len(read) == len(bodies)
"""


def test_they_are_made_one_at_a_time() -> None:
    """Otherwise the process crashes, nineteen times of twenty."""
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
