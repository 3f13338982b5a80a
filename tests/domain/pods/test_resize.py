"""In which order a resize goes through the cgroups, and what it asks of containers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.api.codec import from_plain
from podium.api.types.core_v1 import Container, ResourceRequirements
from podium.domain.pods.cgroups import ContainerCgroup, PodCgroup, container_cgroup, pod_cgroup
from podium.domain.pods.observed import RunCgroup
from podium.domain.pods.resize import (
    Change,
    MemoryInUse,
    ResizeContainer,
    ResizePodCgroup,
    below_usage,
    in_force,
    needs_restart,
    resize_steps,
)
from support.objects import container, pod


def resources(cpu: str = "", memory: str = "", cpu_limit: str = "", memory_limit: str = "") -> Any:
    requests = {"cpu": cpu, "memory": memory}
    limits = {"cpu": cpu_limit, "memory": memory_limit}
    return from_plain(
        ResourceRequirements,
        {
            "requests": {name: amount for name, amount in requests.items() if amount},
            "limits": {name: amount for name, amount in limits.items() if amount},
        },
    )


def whole(cpu: int, memory: int) -> Any:
    """Guaranteed: *cpu* in thousandths, *memory* in MiB."""
    return resources(f"{cpu}m", f"{memory}Mi", f"{cpu}m", f"{memory}Mi")


def change(name: str, before: ResourceRequirements, after: ResourceRequirements) -> Change:
    made = pod({"containers": [container(name=name)]})
    made.spec.containers[0].resources = after
    cgroup = container_cgroup(made, made.spec.containers[0], 1 << 34)
    return Change(f"id-{name}", name, before, after, cgroup)


def of_pod(*parts: ResourceRequirements) -> PodCgroup:
    made = pod({"containers": [container(name=f"c{n}") for n, _ in enumerate(parts)]})
    for made_of, part in zip(made.spec.containers, parts, strict=True):
        made_of.resources = part
    return pod_cgroup(made)


def played(before: list[Any], after: list[Any]) -> list[str]:
    """The steps from *before* to *after*, in short words."""
    changes = [change(f"c{n}", *parts) for n, parts in enumerate(zip(before, after, strict=True))]
    words = []
    for step in resize_steps(changes, of_pod(*before), of_pod(*after)):
        if isinstance(step, ResizeContainer):
            words.append(f"{step.id.removeprefix('id-')}.{step.resource}")
        elif step.memory_limit is not None:
            words.append("pod.memory")
        else:
            words.append("pod.quota" if step.cpu_quota is not None else "pod.shares")
    return words


@pytest.mark.parametrize(
    ("before", "after", "steps"),
    [
        pytest.param(
            [whole(100, 64)], [whole(200, 128)],
            ["pod.memory", "c0.memory", "pod.quota", "pod.shares", "c0.cpu"], id="all-grows",
        ),
        pytest.param(
            [whole(200, 128)], [whole(100, 64)],
            ["c0.memory", "pod.memory", "c0.cpu", "pod.shares", "pod.quota"], id="all-shrinks",
        ),
        pytest.param(
            [whole(100, 64), whole(300, 64)], [whole(300, 64), whole(100, 64)],
            ["c1.cpu", "c0.cpu"], id="one-gives-to-the-other",
        ),
        pytest.param(
            [resources("100m")], [resources("100m", cpu_limit="1")],
            ["c0.cpu", "pod.quota"], id="a-limit-where-there-was-none",
        ),
        pytest.param(
            [resources("100m", "64Mi")], [resources("100m", "65Mi")],
            ["c0.memory"], id="a-request-of-memory-is-no-matter-for-the-pods-cgroup",
        ),
    ],
)  # fmt: skip
def test_steps(before, after, steps):
    assert played(before, after) == steps


amounts = st.builds(whole, st.integers(10, 3000), st.integers(4, 512))
lists = st.integers(1, 3).flatmap(lambda n: st.lists(amounts, min_size=n, max_size=n))


@settings(max_examples=50)
@given(st.data())
def test_no_container_ever_has_more_than_its_pod_and_all_end_as_asked(data: Any):
    before = data.draw(lists)
    after = data.draw(st.lists(amounts, min_size=len(before), max_size=len(before)))
    changes = [change(f"c{n}", *parts) for n, parts in enumerate(zip(before, after, strict=True))]
    now, wanted = of_pod(*before), of_pod(*after)
    quota, memory = now.cpu_quota or 0, now.memory_limit or 0
    had = [change("x", part, part).cgroup for part in before]
    containers = {c.id: (g.cpu_quota, g.memory_limit) for c, g in zip(changes, had, strict=True)}
    for step in resize_steps(changes, now, wanted):
        if isinstance(step, ResizePodCgroup):
            quota, memory = step.cpu_quota or quota, step.memory_limit or memory
        else:
            cpu, bytes_ = containers[step.id]
            if step.resource == "cpu":
                containers[step.id] = (step.cgroup.cpu_quota, bytes_)
            else:
                containers[step.id] = (cpu, step.cgroup.memory_limit)
        # A quota is at least 1 ms, which sums of small ones need not reach.
        assert sum(cpu for cpu, _ in containers.values()) <= quota
        assert all(bytes_ <= memory for _, bytes_ in containers.values())
    assert (quota, memory) == (wanted.cpu_quota, wanted.memory_limit)
    assert containers == {c.id: (c.cgroup.cpu_quota, c.cgroup.memory_limit) for c in changes}


RESTART = [{"resourceName": "memory", "restartPolicy": "RestartContainer"}]


@pytest.mark.parametrize(
    ("policy", "before", "restart"),
    [
        pytest.param(RESTART, whole(100, 32), True, id="memory-changes"),
        pytest.param(RESTART, whole(200, 64), False, id="only-the-other-changes"),
        pytest.param([], whole(100, 32), False, id="no-policy"),
        pytest.param(RESTART, None, False, id="up-to-date"),
        pytest.param(RESTART, resources("0.1", "65536Ki", "0.1", "65536Ki"), False, id="same"),
    ],
)
def test_restarts(policy, before, restart):
    asked = from_plain(Container, container(name="c", resizePolicy=policy))
    asked.resources = whole(100, 64)
    assert needs_restart(pod({"containers": [container()]}), asked, before) is restart


MIB = 1 << 20


@pytest.mark.parametrize(
    ("after", "pod_used", "used", "text"),
    [
        pytest.param(32, 31 * MIB, 30 * MIB, "", id="fits"),
        pytest.param(128, 999 * MIB, 999 * MIB, "", id="grows"),
        pytest.param(
            32, 33 * MIB, 30 * MIB,
            "attempting to set pod memory limit (33554432) below current usage (34603008)",
            id="the-pod-has-more",
        ),
        pytest.param(
            32, 33 * MIB, 33 * MIB,
            "[attempting to set pod memory limit (33554432) below current usage (34603008), "
            'attempting to set container "c" memory limit (33554432) below current usage '
            "(34603008)]",
            id="both",
        ),
    ],
)  # fmt: skip
def test_memory_in_use(after, pod_used, used, text):
    before, wish = whole(100, 64), whole(100, after)
    said = below_usage(
        [change("c", before, wish)],
        of_pod(before),
        of_pod(wish),
        MemoryInUse(pod_used, {"id-c": used}),
    )
    assert said == (f"cannot decrease memory limits: {text}" if text else "")


@pytest.mark.parametrize(
    ("run", "said"),
    [
        pytest.param(None, whole(100, 64), id="unknown"),
        pytest.param(RunCgroup(102, 10_000, 100_000, 64 * MIB), whole(100, 64), id="as-before"),
        pytest.param(
            RunCgroup(204, 20_000, 100_000, 32 * MIB),
            resources("200m", "64Mi", "200m", str(32 * MIB)),
            id="on-its-way",
        ),
    ],
)
def test_what_a_run_has(run, said):
    assert in_force(whole(100, 64), run) == said


def test_cgroups_of_the_smallest():
    assert change("c", whole(1, 1), whole(1, 4)).cgroup == ContainerCgroup(
        cpu_shares=2, cpu_quota=1000, cpu_period=100_000, memory_limit=4 * MIB, oom_score_adj=-997
    )
