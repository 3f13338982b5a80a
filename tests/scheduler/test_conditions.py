from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from podium.api.types.core_v1 import Pod
from podium.scheduler.conditions import UNSCHEDULABLE, unscheduled_patch

NOW = datetime(2025, 1, 1, 12, 0, 0, 5, tzinfo=UTC)
EARLIER = datetime(2025, 1, 1, 11, tzinfo=UTC)


def make_pod(**condition) -> Pod:
    status = {"conditions": [{"type": "PodScheduled", **condition}]} if condition else {}
    metadata = {"name": "p", "uid": "u", "generation": 3}
    return msgspec.convert({"metadata": metadata, "status": status}, Pod)


def patched(pod: Pod, message: str = "full"):
    patch = unscheduled_patch(pod, UNSCHEDULABLE, message, NOW)
    return patch and patch["status"]["conditions"][0]


def test_the_first_refusal_is_written_with_its_time():
    assert patched(make_pod()) == {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "full",
        "lastProbeTime": None,
        "lastTransitionTime": NOW.replace(microsecond=0),
        "observedGeneration": 3,
    }


def test_the_same_refusal_again_writes_nothing():
    assert patched(make_pod(status="False", reason="Unschedulable", message="full")) is None


def test_another_message_keeps_the_time_of_the_transition():
    pod = make_pod(
        status="False", reason="Unschedulable", message="old", lastTransitionTime=EARLIER
    )
    condition = patched(pod)
    assert condition["message"] == "full"
    assert condition["lastTransitionTime"] == EARLIER
