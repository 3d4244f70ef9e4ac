"""Groups whose instances count for several units of capacity."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.cloud.autoscaling.batches import Bounds, Seat, bounds, keep, replace, units
from tests.unit.cloud.town import Town, refused


def policy(town: Town, version: int = 1, **weights: str) -> dict[str, Any]:
    """A mixed instances policy; ``t3_small="4"``."""
    overrides = [
        {"InstanceType": name.replace("_", "."), **({"WeightedCapacity": weight} if weight else {})}
        for name, weight in weights.items()
    ]
    return {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": town.version(version),
            "Overrides": overrides,
        }
    }


def make(town: Town, desired: int, weight: str = "4", **more: Any) -> None:
    town.make_group(
        desired, settle=False, MixedInstancesPolicy=policy(town, t3_small=weight), **more
    )
    town.until(lambda: town.group.is_full)
    town.pass_minutes(2)


def test_as_many_are_launched_as_cover_the_desired_units() -> None:
    town = Town()
    make(town, 8)
    assert [member.weight for member in town.group.members.values()] == [4, 4]


def test_the_last_one_may_be_more_than_is_missing() -> None:
    """The guide's example: five units are missing, an instance of twelve is launched."""
    town = Town()
    make(town, 5, "12")
    assert town.group.units == 12


def test_a_scale_in_does_not_go_below_what_is_desired() -> None:
    town = Town()
    make(town, 9, "3")
    town.asg("UpdateAutoScalingGroup", DesiredCapacity=7)
    town.pass_minutes(5)
    assert town.group.units == 9


def test_the_weight_is_shown_as_text() -> None:
    town = Town()
    make(town, 8)
    (group,) = town.call("autoscaling", "DescribeAutoScalingGroups")["AutoScalingGroups"]
    assert {each["WeightedCapacity"] for each in group["Instances"]} == {"4"}


@pytest.mark.parametrize("second", ["", "0", "1000", "many"])
def test_all_types_have_a_weight_from_1_to_999_or_none(second: str) -> None:
    town = Town()
    weights = policy(town, t3_small="2", t3_large=second)
    with refused("ValidationError", "WeightedCapacity"):
        town.make_group(4, settle=False, MixedInstancesPolicy=weights)


@pytest.mark.parametrize(
    ("minimum", "maximum", "expected"),
    [
        pytest.param(100, 150, Bounds(8, 12), id="one fits above"),
        pytest.param(100, 110, Bounds(8, 12), id="none fits: one is launched first"),
        pytest.param(50, 100, Bounds(4, 8), id="one fits below"),
    ],
)
def test_bounds_of_eight_units_in_fours(minimum: int, maximum: int, expected: Bounds) -> None:
    assert bounds(8, minimum, maximum, 4) == expected


@given(
    weights=st.lists(st.integers(1, 9), max_size=8),
    desired=st.integers(0, 40),
    new=st.integers(1, 9),
)
def test_keeping_a_size_neither_lacks_nor_wastes(
    weights: list[int], desired: int, new: int
) -> None:
    seats = [Seat(f"i-{n}", ready=True, weight=weight) for n, weight in enumerate(weights)]
    step = keep(seats, desired, desired, new)
    left = units(seat for seat in seats if seat.instance_id not in step.terminate)
    assert left + step.launch * new >= desired
    if step.launch:
        assert left + (step.launch - 1) * new < desired


@given(
    ready=st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(1, 5)), max_size=8),
    desired=st.integers(1, 20),
    minimum=st.integers(0, 100),
    extra=st.integers(0, 100),
    new=st.integers(1, 5),
)
def test_a_step_never_leaves_fewer_ready_units_than_it_may(
    ready: list[tuple[bool, bool, int]], desired: int, minimum: int, extra: int, new: int
) -> None:
    within = bounds(desired, minimum, min(200, max(100, minimum + extra)), new)
    seats = [
        Seat(f"i-{n}", ready=is_ready, outdated=not updated, updated=updated, weight=weight)
        for n, (is_ready, updated, weight) in enumerate(ready)
    ]
    step = replace(seats, desired, within, desired, new)
    left = [seat for seat in seats if seat.instance_id not in step.terminate]
    before = units(seat for seat in seats if seat.ready)
    if any(seat.outdated for seat in left):
        assert units(seat for seat in left if seat.ready) >= min(before, within.least)


def test_a_refresh_launches_a_whole_one_before_it_terminates_one() -> None:
    town = Town()
    make(town, 8)
    town.asg(
        "StartInstanceRefresh",
        DesiredConfiguration={"MixedInstancesPolicy": policy(town, 2, t3_small="4")},
        Preferences={"MinHealthyPercentage": 100, "MaxHealthyPercentage": 150},
    )
    seen: list[tuple[int, int]] = []

    def ended() -> bool:
        members = town.group.members.values()
        serving = sum(each.weight for each in members if each.lifecycle == "InService")
        seen.append((serving, town.group.units))
        return town.group.refresh is None

    town.until(ended)
    assert min(serving for serving, _ in seen) == 8
    assert max(active for _, active in seen) == 12
    assert {m.template["Version"] for m in town.group.members.values()} == {"2"}
