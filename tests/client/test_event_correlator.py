"""Which events become objects, which raise counts, which are dropped: client-go's rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from podium.api.types.core_v1 import Event
from podium.client.event_correlator import EventCorrelator

START = datetime(2025, 1, 1, tzinfo=UTC)


class Source:
    """Events as a recorder would hand them over, each a second after the last."""

    def __init__(self) -> None:
        self.correlator = EventCorrelator()
        self.now = START
        self.made = 0

    def send(self, message: str = "m", *, name: str = "p", reason: str = "R", after: float = 1):
        self.now += timedelta(seconds=after)
        self.made += 1
        event = msgspec.convert(
            {
                "metadata": {"name": f"{name}.{self.made}", "namespace": "ns"},
                "involvedObject": {"kind": "Pod", "namespace": "ns", "name": name, "uid": name},
                "type": "Normal",
                "reason": reason,
                "message": message,
                "count": 1,
                "firstTimestamp": self.now,
                "lastTimestamp": self.now,
            },
            Event,
        )
        return self.correlator.correlate(event, self.now)


@pytest.fixture
def source():
    return Source()


def test_the_same_event_again_raises_the_count_of_the_first(source):
    first, second, third = (source.send() for _ in range(3))
    assert not first.count_up
    assert second.count_up
    assert third.event.metadata.name == first.event.metadata.name
    assert [p.event.count for p in (first, second, third)] == [1, 2, 3]
    assert third.event.first_timestamp == first.event.first_timestamp
    assert third.event.last_timestamp > second.event.last_timestamp


def test_another_message_reason_or_object_is_another_event(source):
    posts = [
        source.send(),
        source.send("other"),
        source.send(reason="Other"),
        source.send(name="q"),
    ]
    assert not any(post.count_up for post in posts)
    assert len({post.event.metadata.name for post in posts}) == 4


def test_from_the_tenth_message_on_similar_events_are_combined(source):
    posts = [source.send(f"try {n}") for n in range(12)]
    assert [p.event.message for p in posts[:9]] == [f"try {n}" for n in range(9)]
    combined = posts[9:]
    assert [p.event.message for p in combined] == [
        f"(combined from similar events): try {n}" for n in (9, 10, 11)
    ]
    assert [p.count_up for p in combined] == [False, True, True]
    assert [p.event.count for p in combined] == [1, 2, 3]


def test_ten_quiet_minutes_end_combining(source):
    for n in range(11):
        source.send(f"try {n}")
    assert source.send("later", after=601).event.message == "later"


def test_an_object_has_25_events_then_one_in_five_minutes(source):
    posts = [source.send(after=0) for _ in range(30)]
    assert [post is not None for post in posts] == [True] * 25 + [False] * 5
    assert source.send(name="another", after=0) is not None
    assert source.send(after=299) is None
    later = source.send(after=2)
    assert later is not None
    assert later.event.count == 32  # those that were dropped are counted
    assert source.send(after=0) is None


def test_the_event_handed_in_is_not_changed(source):
    post = source.send()
    copy = msgspec.structs.replace(post.event)
    source.send()
    assert post.event == copy
