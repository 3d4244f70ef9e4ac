"""Whether new instances get traffic in time, and whether the group is served in the end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ovenbird.core import arrivals, census
from ovenbird.core.arrivals import Arrivals, Complete, Early, Limits, Missing, Unwanted, Wanted
from ovenbird.core.groups import Group
from ovenbird.core.traffic import Opinion, State
from tests.unit.fleets import NOON, TEMPLATE, group, member

ARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/0123456789abcdef"
HEALTHY = State("healthy")
SICK = State("unhealthy", "Target.FailedHealthChecks")
UNREGISTERED = State("unused", "Target.NotRegistered")
OWN = Limits(timedelta(seconds=120), held=False)
HELD = Limits(timedelta(seconds=120), held=True)


def says(*states: State) -> list[Opinion]:
    """What the one target group says of ``i-1``, ``i-2`` …."""
    return [Opinion(ARN, {f"i-{number}": each for number, each in enumerate(states, start=1)})]


def judged(*states: State, seconds: int, limits: Limits = OWN) -> arrivals.Verdict:
    """The verdict on ``i-1``, ``i-2`` …, so long after they were met."""
    new = [f"i-{number}" for number in range(1, len(states) + 1)]
    _, met = arrivals.judge(new, says(*states), Arrivals(), limits, NOON)
    now = NOON + timedelta(seconds=seconds)
    return arrivals.judge(new, says(*states), met, limits, now)[0]


def test_who_gets_traffic_is_waited_for_no_longer() -> None:
    assert judged(HEALTHY, HEALTHY, seconds=0) == Wanted()


@pytest.mark.parametrize("limits", [OWN, HELD])
def test_one_that_nobody_registered_has_half_a_minute(limits: Limits) -> None:
    assert isinstance(judged(UNREGISTERED, seconds=29, limits=limits), Early)
    assert isinstance(judged(UNREGISTERED, seconds=30, limits=limits), Unwanted)


def test_one_that_fails_its_checks_has_its_time() -> None:
    assert isinstance(judged(SICK, seconds=119), Early)
    assert isinstance(judged(SICK, seconds=120), Unwanted)


def test_where_aws_replaces_a_sick_one_it_is_not_given_up_here() -> None:
    assert isinstance(judged(SICK, seconds=86400, limits=HELD), Early)


@pytest.mark.parametrize(
    ("states", "excused"),
    [
        pytest.param((UNREGISTERED,), True, id="nobody registered it"),
        pytest.param((HEALTHY, UNREGISTERED), True, id="nobody registered one of them"),
        pytest.param((SICK,), False, id="it failed its checks"),
        pytest.param((SICK, UNREGISTERED), False, id="one failed its checks"),
    ],
)
def test_the_image_is_blamed_for_what_a_check_says_only(
    states: tuple[State, ...], excused: bool
) -> None:
    verdict = judged(*states, seconds=600)
    assert isinstance(verdict, Unwanted)
    assert verdict.excused is excused


def counted(fleet: Group, *states: State, planned: int = 2, seconds: int = 0) -> Complete | Missing:
    """What is said of a group at the end, so long after it was first looked at."""
    versions = {TEMPLATE: "4"}
    return arrivals.count(
        fleet,
        census.count(fleet, versions),
        says(*states),
        Arrivals(ending=NOON),
        OWN,
        planned=planned,
        now=NOON + timedelta(seconds=seconds),
    )[0]


TWO = group(4, 4, saved=4)


def test_a_group_that_is_served_is_complete() -> None:
    ended = counted(TWO, HEALTHY, HEALTHY)
    assert isinstance(ended, Complete)
    assert ended.reason.endswith("; all are healthy at target group web.")


@pytest.mark.parametrize("desired", [1, 2])
def test_one_without_traffic_is_missing_though_there_are_enough(desired: int) -> None:
    ended = counted(replace(TWO, desired=desired), HEALTHY, SICK)
    assert isinstance(ended, Missing)
    assert "1 of them is not healthy: i-2 (target group web: " in ended.reason
    assert not ended.over
    late = counted(replace(TWO, desired=desired), HEALTHY, SICK, seconds=721)
    assert isinstance(late, Missing)
    assert late.over


def test_one_that_the_group_itself_calls_unhealthy_is_missing() -> None:
    sick = group(member(1, 4), replace(member(2, 4), healthy=False), saved=4, desired=1)
    ended = counted(sick, HEALTHY, HEALTHY)
    assert isinstance(ended, Missing)
    assert "the group itself calls i-2 unhealthy" in ended.reason


def test_too_few_are_missing_but_what_others_added_is_not_held_against_it() -> None:
    grown = replace(TWO, desired=3)
    early = counted(grown, HEALTHY, HEALTHY)
    assert isinstance(early, Missing)
    assert "only 2 of the 3 instances that it wants are in service" in early.reason
    assert isinstance(counted(grown, HEALTHY, HEALTHY, seconds=721), Complete)
    late = counted(grown, HEALTHY, HEALTHY, planned=3, seconds=721)
    assert isinstance(late, Missing)
    assert late.over
