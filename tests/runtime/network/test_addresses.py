"""runtime.network.addresses: nobody shares an address, and none is used again at once."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.runtime.network.addresses import AddressPool
from podium.runtime.port import RuntimeFailure


def test_addresses_come_in_order_after_the_gateway(tmp_path: Path):
    pool = AddressPool("10.1.0.0/24", tmp_path)
    assert [pool.allocate(name) for name in "abc"] == ["10.1.0.2", "10.1.0.3", "10.1.0.4"]


def test_asking_again_gives_the_same(tmp_path: Path):
    pool = AddressPool("10.1.0.0/24", tmp_path)
    assert pool.allocate("a") == pool.allocate("a") == pool.address_of("a")


def test_a_released_address_waits_until_all_others_were_used(tmp_path: Path):
    pool = AddressPool("10.1.0.0/29", tmp_path)  # .2 to .6
    for name in "abc":
        pool.allocate(name)
    pool.release("b")
    pool.release("a")
    found = [pool.allocate(name) for name in "defg"]
    assert found == ["10.1.0.5", "10.1.0.6", "10.1.0.3", "10.1.0.2"]


def test_when_all_are_in_use_it_says_so(tmp_path: Path):
    pool = AddressPool("10.1.0.0/30", tmp_path)
    pool.allocate("a")
    with pytest.raises(RuntimeFailure, match="no IP addresses available in range"):
        pool.allocate("b")
    pool.release("a")
    assert pool.allocate("b") == "10.1.0.2"


def test_a_new_process_knows_what_is_in_use_and_goes_on_behind_the_last(tmp_path: Path):
    pool = AddressPool("10.1.0.0/24", tmp_path)
    for name in "abc":
        pool.allocate(name)
    pool.release("c")
    again = AddressPool("10.1.0.0/24", tmp_path)
    assert again.address_of("a") == "10.1.0.2"
    assert sorted(again.owners()) == ["a", "b"]
    assert again.allocate("d") == "10.1.0.5"


def test_another_cidr_forgets_the_old_one(tmp_path: Path):
    AddressPool("10.1.0.0/24", tmp_path).allocate("a")
    pool = AddressPool("10.2.0.0/24", tmp_path)
    assert list(pool.owners()) == []
    assert pool.allocate("b") == "10.2.0.2"


def test_releasing_is_repeatable(tmp_path: Path):
    pool = AddressPool("10.1.0.0/24", tmp_path)
    pool.allocate("a")
    assert pool.release("a") == "10.1.0.2"
    assert pool.release("a") is None


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["allocate", "release", "restart"]), st.integers(0, 7))))
def test_no_two_sandboxes_ever_share_an_address(steps):
    with tempfile.TemporaryDirectory() as directory:
        pool = AddressPool("10.1.0.0/29", Path(directory))
        held: dict[str, str] = {}
        for step, number in steps:
            sandbox = f"s{number}"
            if step == "allocate":
                if sandbox not in held and len(held) == 5:
                    with pytest.raises(RuntimeFailure):
                        pool.allocate(sandbox)
                else:
                    held[sandbox] = pool.allocate(sandbox)
            elif step == "release":
                assert pool.release(sandbox) == held.pop(sandbox, None)
            else:
                pool = AddressPool("10.1.0.0/29", Path(directory))
            assert len(set(held.values())) == len(held)
            assert {name: pool.address_of(name) for name in held} == held
            for one, other in itertools.combinations(held.values(), 2):
                assert one != other
