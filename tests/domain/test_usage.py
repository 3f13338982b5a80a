"""Rates between two samples of what a kubelet tells."""

from __future__ import annotations

import pytest

from podium.domain.usage import NODE, Sample, Usage, read_sample, usages

C = ("default", "p", "c")


def told(cpu: float, at: float, start: float = 100.0) -> Sample:
    labels = '{container="c",namespace="default",pod="p"}'
    return read_sample(
        "# HELP container_cpu_usage_seconds_total words\n"
        f"container_cpu_usage_seconds_total{labels} {cpu} {int(at * 1000)}\n"
        f"container_memory_working_set_bytes{labels} 1.048576e+06 {int(at * 1000)}\n"
        f"container_start_time_seconds{labels} {start}\n"
        f"node_cpu_usage_seconds_total {cpu * 2} {int(at * 1000)}\n"
        "node_memory_working_set_bytes 4096\n"
        "some_other_metric 1\n",
        now=at,
    )


@pytest.mark.parametrize(
    ("before", "now", "usage"),
    [
        pytest.param(
            told(10, 200), told(15, 210), Usage(210, 10, 500_000_000, 1 << 20), id="two-samples"
        ),
        pytest.param(
            Sample(), told(15, 200, 170), Usage(200, 30, 500_000_000, 1 << 20), id="a-new-one"
        ),
        pytest.param(
            told(10, 200), told(1, 210, 208), Usage(210, 2, 500_000_000, 1 << 20),
            id="started-again",
        ),
        pytest.param(told(10, 200), told(10, 200), None, id="the-same-sample"),
    ],
)  # fmt: skip
def test_containers(before: Sample, now: Sample, usage: Usage | None):
    assert dict(usages(before, now)).get(C) == usage


def test_the_node_needs_two():
    assert NODE not in dict(usages(Sample(), told(1, 200)))
    found = dict(usages(told(10, 200), told(15, 210)))[NODE]
    assert found == Usage(210, 10, 1_000_000_000, 4096)
