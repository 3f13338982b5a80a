"""When a node is short of something, who goes, and who is not taken on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from podium.api.types.core_v1 import Pod
from podium.domain.pods.eviction import (
    IMAGE_INODES,
    MEMORY,
    NODE_DISK,
    PIDS,
    PODS_MEMORY,
    ContainerUse,
    Observation,
    PodUse,
    Share,
    State,
    Threshold,
    eviction_annotations,
    eviction_message,
    is_critical,
    look,
    parse_thresholds,
    ranked,
    refused_under,
    satisfied,
    with_pods_memory,
)
from podium.domain.pods.local_storage import StorageUse, is_limited, too_much
from support.objects import container, pod

START = datetime(2026, 1, 1, tzinfo=UTC)
MIB = 1 << 20


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


HARD = Threshold(MEMORY, Share(100))
SOFT = Threshold(MEMORY, Share(200), grace=30)
DISK = Threshold(NODE_DISK, Share(percent=10), reclaim=Share(5))


def played(thresholds: list[Threshold], *steps: tuple[float, int, int]) -> list[tuple[str, str]]:
    """(seconds, memory, disk) of 1000 → the conditions and what is to be reclaimed for."""
    state, seen = State(), []
    for seconds, memory, disk in steps:
        observed = {MEMORY: Observation(memory, 1000), NODE_DISK: Observation(disk, 1000)}
        found = look(thresholds, observed, state, at(seconds), transition=60)
        state = found.state
        due = " ".join(f"{t.signal}{'' if t.hard else '~'}" for t in found.due)
        seen.append((" ".join(sorted(found.conditions)), due))
    return seen


@pytest.mark.parametrize(
    ("thresholds", "steps", "seen"),
    [
        pytest.param([HARD], [(0, 100, 999)], [("", "")], id="just-enough"),
        pytest.param(
            [HARD], [(0, 99, 999), (10, 500, 999), (59, 500, 999), (60, 500, 999)],
            [("MemoryPressure", "memory.available"), ("MemoryPressure", ""),
             ("MemoryPressure", ""), ("", "")],
            id="the-condition-stays-for-a-while",
        ),
        pytest.param(
            [SOFT], [(0, 150, 999), (29, 150, 999), (30, 150, 999)],
            [("MemoryPressure", ""), ("MemoryPressure", ""),
             ("MemoryPressure", "memory.available~")],
            id="a-soft-one-waits",
        ),
        pytest.param(
            [SOFT], [(0, 150, 999), (20, 250, 999), (30, 150, 999)],
            [("MemoryPressure", "")] * 3, id="and-begins-anew",
        ),
        pytest.param(
            [DISK], [(0, 999, 99), (10, 999, 104), (20, 999, 105)],
            [("DiskPressure", "nodefs.available")] * 2 + [("DiskPressure", "")],
            id="more-is-reclaimed-than-the-threshold",
        ),
        pytest.param(
            [DISK, HARD], [(0, 50, 50)],
            [("DiskPressure MemoryPressure", "memory.available nodefs.available")],
            id="memory-is-most-urgent",
        ),
    ],
)  # fmt: skip
def test_looks(thresholds, steps, seen):
    assert played(thresholds, *steps) == seen


def test_a_signal_that_nobody_sees_is_not_met():
    assert look([HARD], {}, State(), START, 60).due == []


def test_satisfied_only_with_what_was_to_be_reclaimed():
    assert not satisfied([DISK], {NODE_DISK: Observation(104, 1000)})
    assert satisfied([DISK], {NODE_DISK: Observation(105, 1000)})


def named(name: str, memory: str = "", priority: int = 0, disk: str = "") -> Pod:
    requests = {"memory": memory, "ephemeral-storage": disk}
    resources = {"requests": {key: value for key, value in requests.items() if value}}
    made = pod({"containers": [container(resources=resources)], "priority": priority}, name=name)
    made.metadata.uid = name
    return made


@pytest.mark.parametrize(
    ("signal", "pods", "uses", "order"),
    [
        pytest.param(
            MEMORY,
            [named("within", "100Mi"), named("over", "10Mi"), named("none")],
            {"within": PodUse(memory=50 * MIB), "over": PodUse(memory=30 * MIB),
             "none": PodUse(memory=25 * MIB)},
            "none over within", id="who-takes-most-beyond-the-request",
        ),
        pytest.param(
            MEMORY,
            [named("dear", "1Mi", 10), named("cheap", "1Mi", -1), named("within", "99Mi", -5)],
            {"dear": PodUse(memory=90 * MIB), "cheap": PodUse(memory=2 * MIB),
             "within": PodUse(memory=9 * MIB)},
            "cheap dear within", id="priority-among-those-that-take-more",
        ),
        pytest.param(
            MEMORY, [named("known"), named("unknown", priority=9)],
            {"known": PodUse(memory=90 * MIB)}, "unknown known", id="unknown-first",
        ),
        pytest.param(
            PIDS, [named("many"), named("few"), named("dear", priority=1)],
            {"many": PodUse(processes=9), "few": PodUse(processes=1), "dear": PodUse(processes=99)},
            "many few dear", id="processes",
        ),
        pytest.param(
            NODE_DISK, [named("asked", disk="1Gi"), named("not")],
            {"asked": PodUse(disk=900 * MIB), "not": PodUse(disk=MIB)}, "not asked", id="disk",
        ),
        pytest.param(
            IMAGE_INODES, [named("a"), named("b")],
            {"a": PodUse(inodes=5), "b": PodUse(inodes=50)}, "b a", id="inodes",
        ),
    ],
)  # fmt: skip
def test_ranking(signal: str, pods: list[Pod], uses: dict[str, PodUse], order: str):
    assert [found.metadata.name for found in ranked(signal, pods, uses)] == order.split()


def test_the_message_says_what_was_short_and_who_took_it():
    made = named("p", "100Mi")
    use = PodUse(containers=[ContainerUse("c", 150 * MIB), ContainerUse("other", 1)])
    observed = {MEMORY: Observation(52428800, 1 << 30)}
    due = [Threshold(MEMORY, Share(100 * MIB))]
    assert eviction_message(made, use, "memory", due, observed) == (
        "The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. "
        "Container c was using 150Mi, request is 100Mi, has larger consumption of memory. "
    )
    assert eviction_annotations(made, use, "memory") == {
        "offending_containers": "c",
        "offending_containers_usage": "150Mi",
        "starved_resource": "memory",
    }
    due = [Threshold(PIDS, Share(percent=10))]
    observed = {PIDS: Observation(77, 1000)}
    assert eviction_message(made, use, "pids", due, observed) == (
        "The node was low on resource: pids. Threshold quantity: 100, available: 77. "
    )


TOLERATION = {"key": "node.kubernetes.io/memory-pressure", "operator": "Exists"}


@pytest.mark.parametrize(
    ("spec", "conditions", "refused"),
    [
        pytest.param({}, "", "", id="no-pressure"),
        pytest.param({}, "MemoryPressure", "[MemoryPressure]", id="best-effort"),
        pytest.param({"memory": "1Mi"}, "MemoryPressure", "", id="burstable"),
        pytest.param({"tolerations": [TOLERATION]}, "MemoryPressure", "", id="tolerated"),
        pytest.param({"memory": "1Mi"}, "DiskPressure", "[DiskPressure]", id="disk"),
        pytest.param(
            {"memory": "1Mi"}, "MemoryPressure PIDPressure", "[MemoryPressure PIDPressure]",
            id="two",
        ),
        pytest.param({"priority": 2_000_000_000}, "DiskPressure", "", id="critical"),
    ],
)  # fmt: skip
def test_who_is_not_taken_on(spec: dict[str, Any], conditions: str, refused: str):
    spec = dict(spec)
    resources = {"requests": {"memory": spec.pop("memory")}} if "memory" in spec else {}
    made = pod({"containers": [container(resources=resources)], **spec})
    text = refused_under(made, frozenset(conditions.split()))
    assert text == (f"The node had condition: {refused}. " if refused else "")


def test_critical_pods():
    static = pod({"containers": [container()]}, annotations={"kubernetes.io/config.source": "file"})
    assert is_critical(static)
    assert not is_critical(pod({"containers": [container()]}))


def test_what_pods_may_have_counts_as_the_nodes_memory_does():
    """Soft thresholds are of the node alone."""
    thresholds = with_pods_memory([DISK, SOFT, HARD])
    assert thresholds == (DISK, SOFT, HARD, Threshold(PODS_MEMORY, Share(100)))
    observed = {
        MEMORY: Observation(900, 1000),
        PODS_MEMORY: Observation(99, 500),
        NODE_DISK: Observation(1, 1000),
    }
    found = look(thresholds, observed, State(), START, transition=60)
    assert found.conditions == {"MemoryPressure", "DiskPressure"}
    assert [t.signal for t in found.due] == [PODS_MEMORY, NODE_DISK]
    text = eviction_message(pod(), None, "memory", found.due, observed)
    assert text == "The node was low on resource: memory. Threshold quantity: 100, available: 99. "


def test_thresholds_are_read():
    found = parse_thresholds(
        {"memory.available": "100Mi", "nodefs.available": "10%", "imagefs.available": "0%"},
        {"memory.available": "1Gi"},
        {"memory.available": 90.0},
        {"nodefs.available": "500Mi"},
    )
    assert found == (
        Threshold(MEMORY, Share(100 * MIB)),
        Threshold(NODE_DISK, Share(percent=10), reclaim=Share(500 * MIB)),
        Threshold(MEMORY, Share(1 << 30), 90.0),
    )


@pytest.mark.parametrize(
    ("hard", "text"),
    [
        ({"disk": "1"}, "unsupported eviction signal disk"),
        ({"memory.available": "-1"}, "eviction threshold memory.available must be positive: -1"),
        ({"memory.available": "101%"}, "must be 0% to 100%: 101%"),
    ],
)
def test_bad_thresholds(hard: dict[str, str], text: str):
    with pytest.raises(ValueError, match=text):
        parse_thresholds(hard, {}, {}, {})


def limited(limit: str = "", size: str = "") -> Pod:
    resources = {"limits": {"ephemeral-storage": limit}} if limit else {}
    volumes = [{"name": "v", "emptyDir": {"sizeLimit": size} if size else {}}]
    return pod({"containers": [container(resources=resources)], "volumes": volumes})


@pytest.mark.parametrize(
    ("made", "use", "text"),
    [
        pytest.param(limited("2Mi"), StorageUse(total=2 * MIB), "", id="within"),
        pytest.param(
            limited("2Mi"), StorageUse(total=2 * MIB + 1),
            "Pod ephemeral local storage usage exceeds the total limit of containers 2Mi. ",
            id="the-pod",
        ),
        pytest.param(
            limited("2Mi", "1Mi"), StorageUse({"v": MIB + 1}, total=9 * MIB),
            'Usage of EmptyDir volume "v" exceeds the limit "1Mi". ', id="a-volume-first",
        ),
        pytest.param(
            limited("2Mi"), StorageUse(containers={"c": 3 * MIB}),
            'Container c exceeded its local ephemeral storage limit "2Mi". ', id="a-container",
        ),
        pytest.param(limited(), StorageUse(total=1 << 40), "", id="no-limits"),
    ],
)  # fmt: skip
def test_local_storage(made: Pod, use: StorageUse, text: str):
    assert too_much(made, use) == text
    assert is_limited(made) or not text
