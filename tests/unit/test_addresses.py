from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovenbird.core.addresses import (
    Address,
    Associate,
    Candidate,
    Keep,
    Leave,
    Move,
    Placement,
    candidates,
    decide,
    improving,
    lasting_versions,
)
from ovenbird.core.groups import Member
from ovenbird.core.refreshes import Refresh
from tests.unit.fleets import TEMPLATE, group, member, refresh

OWN = frozenset({"i-1", "i-2", "i-3", "i-4"})


def address(number: int, holder: str = "") -> Address:
    interface = f"eni-{holder}" if holder else ""
    return Address(f"eipalloc-{number}", f"203.0.113.{number}", holder, interface)


def healthy(*instances: str, old: Sequence[str] = ()) -> tuple[Candidate, ...]:
    return tuple(Candidate(each, lasting=each not in old) for each in instances)


def place(
    pool: Sequence[Address],
    instances: Sequence[Candidate],
    *,
    count: int | None = None,
    gone: frozenset[str] = frozenset(),
) -> list[tuple[str, str]]:
    """What is done with each address, and where it is then."""
    wanted = len(pool) if count is None else count
    placements = decide(pool, instances, own=OWN, gone=gone, count=wanted)
    return [(type(each).__name__, after(each).instance_id) for each in placements]


def after(placement: Placement) -> Address:
    if isinstance(placement, Associate | Move):
        instance = placement.instance_id
        return replace(placement.address, instance_id=instance, interface_id=f"eni-{instance}")
    return placement.address


@pytest.mark.parametrize(
    ("pool", "instances", "expected"),
    [
        pytest.param(
            [address(1), address(2)],
            healthy("i-2", "i-1"),
            [("Associate", "i-1"), ("Associate", "i-2")],
            id="free addresses, in the order of their ids",
        ),
        pytest.param(
            [address(1, "i-2"), address(2, "i-1")],
            healthy("i-1", "i-2", "i-3"),
            [("Keep", "i-2"), ("Keep", "i-1")],
            id="who holds one keeps it",
        ),
        pytest.param(
            [address(1, "i-4"), address(2, "i-2")],
            healthy("i-1", "i-2"),
            [("Move", "i-1"), ("Keep", "i-2")],
            id="from our own unhealthy one",
        ),
        pytest.param(
            [address(1, "i-4")],
            healthy(),
            [("Leave", "i-4")],
            id="nowhere to go: it stays on the unhealthy one",
        ),
        pytest.param(
            [address(1), address(2)],
            healthy("i-1"),
            [("Associate", "i-1"), ("Leave", "")],
            id="fewer instances than addresses",
        ),
        pytest.param(
            [address(1, "i-stranger"), address(2)],
            healthy("i-1", "i-2"),
            [("Leave", "i-stranger"), ("Associate", "i-1")],
            id="never from a stranger",
        ),
        pytest.param(
            [replace(address(1), interface_id="eni-of-a-nat-gateway"), address(2)],
            healthy("i-1"),
            [("Leave", ""), ("Associate", "i-1")],
            id="never from an interface that is no instance's",
        ),
        pytest.param(
            [address(1, "i-1"), address(2, "i-2")],
            healthy("i-1", "i-2", "i-3", old=["i-1", "i-2"]),
            [("Move", "i-3"), ("Keep", "i-2")],
            id="to the new version as far as it is healthy",
        ),
        pytest.param(
            [address(1, "i-1"), address(2)],
            healthy("i-1", "i-3", old=["i-1"]),
            [("Keep", "i-1"), ("Associate", "i-3")],
            id="an address without an instance comes first",
        ),
        pytest.param(
            [address(1), address(2, "i-1")],
            healthy("i-1", "i-2", "i-3", old=["i-1", "i-2"]),
            [("Associate", "i-3"), ("Keep", "i-1")],
            id="the lasting ones first, then the others",
        ),
        pytest.param(
            [address(1, "i-1"), address(2, "i-1")],
            healthy("i-1", "i-2"),
            [("Keep", "i-1"), ("Keep", "i-1")],
            id="two on one healthy instance stay",
        ),
    ],
)
def test_places(
    pool: list[Address], instances: tuple[Candidate, ...], expected: list[tuple[str, str]]
) -> None:
    assert place(pool, instances) == expected


def test_takes_from_a_holder_that_is_gone() -> None:
    pool = [address(1, "i-gone")]
    assert place(pool, healthy("i-1"), gone=frozenset({"i-gone"})) == [("Move", "i-1")]


def test_a_count_lower_than_the_pool_leaves_the_rest() -> None:
    pool = [address(1), address(2), address(3, "i-2")]
    assert place(pool, healthy("i-1", "i-2"), count=2) == [
        ("Associate", "i-1"),
        ("Leave", ""),
        ("Keep", "i-2"),
    ]


def test_a_strangers_slot_is_taken_by_the_next_address() -> None:
    pool = [address(1, "i-stranger"), address(2), address(3)]
    assert place(pool, healthy("i-1", "i-2"), count=1) == [
        ("Leave", "i-stranger"),
        ("Associate", "i-1"),
        ("Leave", ""),
    ]


holders = st.sampled_from(["", "i-1", "i-2", "i-3", "i-4", "i-stranger", "i-gone"])
pools = st.lists(holders, max_size=5).map(
    lambda names: [address(number, holder) for number, holder in enumerate(names, start=1)]
)
healthies = st.dictionaries(st.sampled_from(sorted(OWN)), st.booleans()).map(
    lambda lasting: tuple(Candidate(each, lasting[each]) for each in sorted(lasting))
)
GONE = frozenset({"i-gone"})


@given(pool=pools, instances=healthies, count=st.integers(0, 5))
def test_never_takes_from_a_stranger(
    pool: list[Address], instances: tuple[Candidate, ...], count: int
) -> None:
    for placement in decide(pool, instances, own=OWN, gone=GONE, count=count):
        if isinstance(placement, Associate):
            assert placement.address.free
        if isinstance(placement, Move):
            assert placement.address.instance_id in OWN | GONE


@given(pool=pools, instances=healthies, count=st.integers(0, 5))
def test_deciding_again_changes_nothing(
    pool: list[Address], instances: tuple[Candidate, ...], count: int
) -> None:
    moved = [after(each) for each in decide(pool, instances, own=OWN, gone=GONE, count=count)]
    again = decide(moved, instances, own=OWN, gone=GONE, count=count)
    assert [after(each) for each in again] == moved
    assert not any(isinstance(each, Associate | Move) for each in again)


@given(
    pool=pools, instances=healthies, count=st.integers(0, 5), seed=st.randoms(use_true_random=False)
)
def test_two_observers_of_one_world_decide_the_same(
    pool: list[Address], instances: tuple[Candidate, ...], count: int, seed: Random
) -> None:
    expected = decide(pool, instances, own=OWN, gone=GONE, count=count)
    other_pool, other_instances = list(pool), list(instances)
    seed.shuffle(other_pool)
    seed.shuffle(other_instances)
    assert decide(other_pool, other_instances, own=OWN, gone=GONE, count=count) == expected


@given(pool=pools, instances=healthies, count=st.integers(0, 5))
def test_places_as_many_as_it_can_and_no_two_new_ones_together(
    pool: list[Address], instances: tuple[Candidate, ...], count: int
) -> None:
    placements = decide(pool, instances, own=OWN, gone=GONE, count=count)
    assert [each.address for each in placements] == sorted(pool, key=lambda a: a.allocation_id)
    placed = [each for each in placements if not isinstance(each, Leave)]
    new = [each.instance_id for each in placed if isinstance(each, Associate | Move)]
    assert len(placed) <= count
    assert len(set(new)) == len(new)
    ready = {each.instance_id for each in instances}
    assert {after(each).instance_id for each in placed} <= ready
    usable = [a for a in pool if a.free or a.instance_id in OWN | GONE]
    if len(placed) < min(count, len(usable)):  # then no healthy instance is left without one
        assert ready <= {after(each).instance_id for each in placements}


@pytest.mark.parametrize(
    ("seen", "target_health", "expected"),
    [
        pytest.param(member(1, 4), None, True, id="in service, no load balancer"),
        pytest.param(member(1, 4), frozenset({"i-1"}), True, id="in service and healthy"),
        pytest.param(member(1, 4), frozenset(), False, id="in service, not healthy yet"),
        pytest.param(member(1, 4, "Pending"), frozenset({"i-1"}), False, id="not in service yet"),
        pytest.param(member(1, 4, "Terminating"), None, False, id="leaving"),
        pytest.param(member(1, 4, "Standby"), None, False, id="in standby"),
        pytest.param(
            replace(member(1, 4), healthy=False), frozenset({"i-1"}), False, id="the group says no"
        ),
    ],
)
def test_who_may_hold_an_address(
    seen: Member, target_health: frozenset[str] | None, expected: bool
) -> None:
    found = candidates(group(seen), target_health, {TEMPLATE: "4"})
    assert [each.instance_id for each in found] == (["i-1"] if expected else [])


@pytest.mark.parametrize(
    ("refreshes", "expected"),
    [
        pytest.param([], "3", id="no refresh: what is saved"),
        pytest.param([refresh("InProgress")], "4", id="refreshed: where it goes"),
        pytest.param([refresh("Baking")], "4", id="baking: where it goes"),
        pytest.param([refresh("RollbackInProgress")], "3", id="rolled back: what is saved"),
        pytest.param([refresh("Cancelling")], "3", id="cancelled: what is saved"),
        pytest.param([refresh("Failed")], "3", id="failed: what is saved"),
    ],
)
def test_which_instances_last(refreshes: list[Refresh], expected: str) -> None:
    lasting = lasting_versions(group(3, 4), refreshes)
    assert lasting == {TEMPLATE: expected}
    found = candidates(group(3, 4), None, lasting)
    assert [each.lasting for each in found] == [expected == "3", expected == "4"]


@pytest.mark.parametrize(
    ("members", "ready", "holder", "expected"),
    [
        pytest.param([member(1, 3), member(2, 4, "Pending")], {"i-1"}, "i-1", True, id="launching"),
        pytest.param([member(1, 3), member(2, 4)], {"i-1"}, "i-1", True, id="not healthy yet"),
        pytest.param([member(1, 3), member(2, 3)], {"i-1"}, "i-1", False, id="nobody new yet"),
        pytest.param([member(1, 4), member(2, 4)], {"i-1"}, "i-1", False, id="on a new one"),
        pytest.param(
            [member(1, 3), member(2, 4, "Terminating")],
            {"i-1"},
            "i-1",
            False,
            id="new, but leaving",
        ),
    ],
)
def test_whether_better_places_are_on_their_way(
    members: list[Member], ready: set[str], holder: str, expected: bool
) -> None:
    seen, lasting = group(*members), {TEMPLATE: "4"}
    found = candidates(seen, frozenset(ready), lasting)
    placements = decide([address(1, holder)], found, own=OWN, gone=frozenset(), count=1)
    assert isinstance(placements[0], Keep)
    assert improving(placements, found, seen, lasting) is expected
