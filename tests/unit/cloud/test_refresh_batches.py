"""How many instances a refresh replaces at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.cloud.autoscaling.batches import Bounds, Seat, bounds, replace
from tests.unit.cloud.town import Town


@pytest.mark.parametrize(
    ("desired", "minimum", "maximum", "expected"),
    [
        pytest.param(10, 90, 100, Bounds(9, 10), id="a tenth at a time"),
        pytest.param(10, 100, 120, Bounds(10, 12), id="two launched first"),
        pytest.param(4, 100, 100, Bounds(4, 5), id="one at a time, launched first"),
        pytest.param(1, 100, 100, Bounds(1, 2), id="a group of one, launched first"),
        pytest.param(4, 90, 100, Bounds(4, 5), id="no whole instance fits between the bounds"),
        pytest.param(4, 90, None, Bounds(3, 4), id="max omitted: terminated and launched at once"),
        pytest.param(1, 100, None, Bounds(0, 1), id="max omitted: a group of one has an outage"),
        pytest.param(3, 50, 150, Bounds(2, 4), id="the least is rounded up, the most down"),
        pytest.param(5, 0, 100, Bounds(0, 5), id="all at once"),
        pytest.param(0, 100, 200, Bounds(0, 0), id="an empty group"),
    ],
)
def test_bounds(desired: int, minimum: int, maximum: int | None, expected: Bounds) -> None:
    assert bounds(desired, minimum, maximum) == expected


@given(
    ready=st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), max_size=12),
    desired=st.integers(0, 10),
    minimum=st.integers(0, 100),
    extra=st.integers(0, 100),
    allowed=st.integers(0, 10),
)
def test_a_step_keeps_the_bounds(
    ready: list[tuple[bool, bool, bool]], desired: int, minimum: int, extra: int, allowed: int
) -> None:
    maximum = min(200, max(100, minimum + extra))
    within = bounds(desired, minimum, maximum)
    seats = [
        Seat(f"i-{n}", ready=is_ready, outdated=not updated, updated=updated, held=held)
        for n, (is_ready, updated, held) in enumerate(ready)
    ]
    step = replace(seats, desired, within, allowed)
    gone = set(step.terminate)
    left = [seat for seat in seats if seat.instance_id not in gone]
    before = sum(seat.ready for seat in seats)
    assert len(left) + step.launch <= max(within.most, len(seats))
    assert not any(seat.held for seat in seats if seat.instance_id in gone)
    if any(seat.outdated and not seat.held for seat in left):  # else it may be a scale-in
        assert sum(seat.ready for seat in left) >= min(before, within.least)


@pytest.mark.parametrize(
    ("minimum", "maximum", "least", "most"),
    [
        pytest.param(90, 100, 9, 10, id="min 90, max 100: one is away at a time"),
        pytest.param(100, 100, 10, 11, id="min and max 100: one is launched first"),
        pytest.param(100, 130, 10, 13, id="min 100, max 130: three are launched first"),
        pytest.param(50, 100, 5, 10, id="min 50: half is away at a time"),
        pytest.param(90, 110, 9, 11, id="both at once"),
        pytest.param(0, 100, 0, 10, id="min 0: all at once"),
    ],
)
def test_a_refresh_keeps_the_percentages(minimum: int, maximum: int, least: int, most: int) -> None:
    town = Town()
    town.make_group(10)
    town.refresh_to(2, MinHealthyPercentage=minimum, MaxHealthyPercentage=maximum)
    assert town.until_ended() == "Successful"
    assert (town.least_serving, town.most_active) == (least, most)
    assert town.versions == {"2": 10}


def test_a_group_of_one_with_min_and_max_100_never_has_an_outage() -> None:
    town = Town()
    town.make_group(1)
    town.refresh_to(2, MinHealthyPercentage=100, MaxHealthyPercentage=100)
    assert town.until_ended() == "Successful"
    assert (town.least_serving, town.most_active) == (1, 2)


def test_a_group_of_one_without_a_maximum_has_an_outage() -> None:
    town = Town()
    town.make_group(1)
    town.refresh_to(2, MinHealthyPercentage=100)
    assert town.until_ended() == "Successful"
    assert (town.least_serving, town.most_active) == (0, 1)


def test_the_warm_up_is_waited_for_after_each_batch() -> None:
    town = Town()
    town.make_group(2)
    began = town.now
    town.refresh_to(2, MinHealthyPercentage=100, MaxHealthyPercentage=100, InstanceWarmup=600)
    town.pass_minutes(9)
    assert town.refresh["PercentageComplete"] == 0
    assert "is warming up" in town.refresh["StatusReason"]
    town.until(lambda: town.refresh["PercentageComplete"] == 50)
    assert (town.now - began).total_seconds() >= 600
    assert town.until_ended() == "Successful"
    assert (town.now - began).total_seconds() >= 1200


def test_an_instance_counts_only_when_its_target_is_healthy() -> None:
    town = Town()
    arn = town.make_balancer()
    town.make_group(2, TargetGroupARNs=[arn], HealthCheckType="ELB", HealthCheckGracePeriod=1800)
    town.until(lambda: len(town.cloud.elbv2.healthy_targets(arn)) == 2)
    town.sicken(2)
    town.refresh_to(2, MinHealthyPercentage=100, MaxHealthyPercentage=100, InstanceWarmup=0)
    town.pass_minutes(20)
    assert town.refresh["PercentageComplete"] == 0
    assert town.versions == {"1": 2, "2": 1}


def test_a_replaced_instance_drains_before_it_is_terminated() -> None:
    town = Town()
    arn = town.make_balancer(drain=120)
    town.make_group(1, TargetGroupARNs=[arn])
    old = town.serving[0]
    town.until(lambda: len(town.cloud.elbv2.healthy_targets(arn)) == 1)
    town.refresh_to(2, MinHealthyPercentage=100, MaxHealthyPercentage=100)
    town.until(lambda: town.group.members[old].lifecycle == "Terminating")
    began = town.now
    town.pass_minutes(1)
    assert town.cloud.ec2.state(old) == "running"
    activity = town.asg("DescribeScalingActivities")["Activities"][0]
    assert activity["StatusCode"] == "WaitingForELBConnectionDraining"
    town.until(lambda: town.cloud.ec2.state(old) == "terminated")
    assert (town.now - began).total_seconds() >= 120
    assert town.until_ended() == "Successful"
