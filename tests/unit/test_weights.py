"""Groups whose sizes are units: what is counted in units, and what in instances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ovenbird.core import estimates, plans
from ovenbird.core.groups import Group
from ovenbird.core.preferences import Preferences, fits, for_group, one_more, surge
from ovenbird.core.refusals import refusals
from ovenbird.fleet import RollSettings
from tests.unit.fleets import group, member
from tests.unit.surveys import GOOD, TAGGED


def weighted(
    desired: int, *weights: int, maximum: int = 99, types: Sequence[int] | None = None
) -> Group:
    """A group with these instances, of types of these weights (of its instances' otherwise)."""
    members = [replace(member(n, 3), weight=weight) for n, weight in enumerate(weights, 1)]
    overrides = [{"WeightedCapacity": str(weight)} for weight in types or weights]
    return replace(
        group(*members, desired=desired),
        max_size=maximum,
        mixed={"LaunchTemplate": {"Overrides": overrides}},
        tags=TAGGED,
    )


def judged(seen: Group, roll: RollSettings | None = None) -> str:
    wishes = roll or RollSettings()
    preferences = for_group(seen, wishes, addresses=False)
    survey = replace(GOOD, group=seen, roll=wishes, preferences=preferences)
    return " ".join(refusals(survey))


@pytest.mark.parametrize(
    ("seen", "instances", "largest", "overage"),
    [
        pytest.param(group(3, 3, 3), 3, 1, 0, id="no weights"),
        pytest.param(weighted(8, 4, 4), 2, 4, 0, id="exactly"),
        pytest.param(weighted(8, 3, 3, 3), 3, 3, 1, id="more than is wanted"),
        pytest.param(weighted(8, 4, 2, 2), 3, 4, 0, id="of several sizes"),
        pytest.param(weighted(9, types=[2, 4]), 3, 4, 0, id="none there yet"),
        pytest.param(weighted(8, 4, 4, types=[2]), 2, 4, 0, id="a type that is gone"),
        pytest.param(weighted(0, types=[4]), 0, 4, 0, id="scaled to zero"),
    ],
)
def test_what_a_group_counts(seen: Group, instances: int, largest: int, overage: int) -> None:
    assert (seen.instances, seen.largest_weight, seen.overage) == (instances, largest, overage)


def test_an_instance_on_its_way_out_is_not_counted() -> None:
    seen = weighted(8, 4, 4, 4)
    leaving = replace(seen.members[0], lifecycle="Terminating:Wait")
    assert replace(seen, members=(leaving, *seen.members[1:])).instances == 2


@pytest.mark.parametrize(
    ("seen", "most", "ahead"),
    [
        pytest.param(weighted(8, 4, 4), 150, 4, id="one of two"),
        pytest.param(weighted(100, *[2] * 50), 110, 10, id="a tenth, which is five"),
        pytest.param(weighted(12, 5, 5, 5), 167, 8, id="three beyond, and five more"),
    ],
)
def test_the_largest_instance_fits_by_default(seen: Group, most: int, ahead: int) -> None:
    wishes = for_group(seen, RollSettings(), addresses=False)
    assert (wishes.min_healthy_percent, wishes.max_healthy_percent) == (100, most)
    assert surge(wishes, seen.desired, one_more(seen)) == ahead


def test_a_batch_is_whole_instances() -> None:
    seen = weighted(40, *[4] * 10)
    told = estimates.estimate(Preferences(100, 120, 60), seen, bakes=False)
    assert "5 batches of 2" in told.basis
    assert estimates.waits(Preferences(100, 120, 60), seen) == 5


def test_a_sentence_for_people_counts_instances() -> None:
    assert plans.sized(weighted(8, 4, 4)) == "2 instances (8 units)"
    assert plans.sized(group(3)) == "1 instance"


@pytest.mark.parametrize(
    ("seen", "roll", "said"),
    [
        pytest.param(weighted(8, 4, 4, maximum=12), RollSettings(), "", id="room for one"),
        pytest.param(
            weighted(8, 4, 4, maximum=9),
            RollSettings(),
            "has 8 of at most 9 units, and the roll needs room for 12 (roll.max_healthy_percent "
            "is 150; its largest instance counts for 4); raise its MaxSize to 12",
            id="room for a quarter of one",
        ),
        pytest.param(weighted(4, 4), RollSettings(), "replace all its instances", id="all at once"),
        pytest.param(
            weighted(12, 5, 5, 5),
            RollSettings(max_healthy_percent=120),
            "has 15 units and wants 12, and between 100 and 120 percent",
            id="nothing whole fits",
        ),
        pytest.param(
            weighted(12, 5, 5, 5), RollSettings(min_healthy_percent=80), "", id="one fits below"
        ),
        pytest.param(weighted(0, types=[4]), RollSettings(), "", id="scaled to zero"),
        pytest.param(weighted(8, 4, 4), RollSettings(max_healthy_percent=100), "", id="first one"),
    ],
)
def test_what_is_refused(seen: Group, roll: RollSettings, said: str) -> None:
    told = judged(seen, roll)
    assert said in told if said else told == ""


@example(weights=[1, 2, 2], missing=2)
@given(weights=st.lists(st.integers(1, 20), min_size=1, max_size=10), missing=st.integers(0, 5))
def test_what_is_not_refused_leaves_room_for_a_whole_instance(
    weights: list[int], missing: int
) -> None:
    """Or has a whole one to spare, where its instances are that much more than it wants."""
    desired = max(sum(weights) - missing, 1)
    seen = weighted(desired, *weights)
    wishes = for_group(seen, RollSettings(), addresses=False)
    if not judged(seen):
        assert fits(wishes, seen)
        ceiling = desired * wishes.max_healthy_percent // 100
        spare = sum(weights) - seen.largest_weight >= desired
        assert spare or desired + one_more(seen) <= ceiling
