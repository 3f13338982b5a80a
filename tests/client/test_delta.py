"""What a list says has changed."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from podium.api.types.core_v1 import ConfigMap
from podium.client.cache import Cache
from podium.client.delta import Change, changes, key_of


def make(name: str, uid: str = "1", version: str = "1") -> ConfigMap:
    metadata = {"name": name, "namespace": "ns", "uid": uid, "resourceVersion": version}
    return msgspec.convert({"metadata": metadata}, ConfigMap)


def cached(*objects: ConfigMap) -> dict:
    return {key_of(obj): obj for obj in objects}


def test_new_changed_same_and_gone():
    old = cached(make("same"), make("changed"), make("gone"))
    new = [make("same"), make("changed", version="2"), make("new")]
    steps = [
        (c.old and c.old.metadata.name, c.new and c.new.metadata.name) for c in changes(old, new)
    ]
    assert steps == [("gone", None), ("changed", "changed"), (None, "new")]


def test_a_name_taken_over_is_one_gone_and_one_new():
    before, after = make("a", uid="1"), make("a", uid="2")
    assert changes(cached(before), [after]) == [Change(before, None), Change(None, after)]


objects = st.builds(make, st.sampled_from("abcde"), st.sampled_from("12"), st.sampled_from("123"))
states = st.lists(objects, unique_by=lambda obj: obj.metadata.name)


@given(before=states, after=states)
def test_the_steps_lead_from_the_cache_to_the_list(before, after):
    """And each step starts from what was there, so that handlers can trust ``old``."""
    cache: Cache[ConfigMap] = Cache()
    cache.add_index("uid", lambda obj: (obj.metadata.uid,))
    for obj in before:
        cache.apply(Change(None, obj))
    for step in changes(dict(cache.objects), after):
        if step.old is not None:
            assert cache.get("ns", step.old.metadata.name) is step.old
        else:
            assert cache.get("ns", step.new.metadata.name) is None
        cache.apply(step)
    assert dict(cache.objects) == cached(*after)
    for uid in "12":
        assert {key_of(obj) for obj in cache.find("uid", uid)} == {
            key_of(obj) for obj in after if obj.metadata.uid == uid
        }
    assert len(cache.find("namespace", "ns")) == len(after)
