"""Whether balancers send traffic to instances, and what a plan says of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ovenbird.core import traffic, traffic_refusals, unchecked
from ovenbird.core.traffic import Opinion, State, TargetGroup
from tests.unit.fleets import group, member
from tests.unit.surveys import GOOD

ARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/{}/0123456789abcdef".format
HEALTHY = State("healthy")
TIMEOUT = State("unhealthy", "Target.Timeout")
NOT_IN_USE = State("unused", "Target.NotInUse")
THREE = replace(
    group(3, 3, 3), target_groups=(ARN("web"),), zones=("us-east-1a", "us-east-1b", "us-east-1c")
)


def says(name: str, **states: State) -> Opinion:
    """An opinion of ``i-1``, written as ``i1``."""
    return Opinion(ARN(name), {each.replace("i", "i-"): said for each, said in states.items()})


@pytest.mark.parametrize(
    ("said", "wanted", "hopeless"),
    [
        pytest.param(HEALTHY, True, False, id="healthy"),
        pytest.param(State("initial", "Elb.InitialHealthChecking"), False, False, id="checking"),
        pytest.param(TIMEOUT, False, False, id="sick"),
        pytest.param(State("unused", "Target.NotRegistered"), False, True, id="not registered"),
        pytest.param(NOT_IN_USE, False, True, id="not in use"),
        pytest.param(State("unused", "Target.InvalidState"), False, False, id="stopped"),
        pytest.param(
            State("draining", "Target.DeregistrationInProgress"), False, True, id="taken out"
        ),
        pytest.param(
            State("unavailable", "Target.HealthCheckDisabled"), True, False, id="not checked"
        ),
        pytest.param(State("unavailable", "Elb.InternalError"), False, False, id="AWS's own fault"),
    ],
)
def test_states(said: State, wanted: bool, hopeless: bool) -> None:
    assert (said.wanted, said.hopeless) == (wanted, hopeless)


def test_one_that_is_not_listed_is_not_registered() -> None:
    assert str(says("web", i1=HEALTHY).of("i-2")) == "Target.NotRegistered"


def test_who_is_healthy_is_so_for_all_of_them() -> None:
    """As in github.com/ansible/ansible/issues/30401, where one of several was enough."""
    one = says("web", i1=HEALTHY, i2=HEALTHY)
    other = says("api", i1=HEALTHY, i2=TIMEOUT)
    assert traffic.healthy([one, other]) == frozenset({"i-1"})
    assert traffic.healthy([]) is None


def test_a_target_group_that_nothing_uses_is_no_voice() -> None:
    one = says("web", i1=HEALTHY, i2=TIMEOUT)
    idle = says("green", i1=NOT_IN_USE, i2=NOT_IN_USE)
    assert idle.idle
    assert traffic.healthy([one, idle]) == frozenset({"i-1"})
    assert traffic.healthy([idle]) is None
    assert not says("green", i1=NOT_IN_USE, i2=HEALTHY).idle
    assert not says("empty").idle


def test_the_worst_is_told_of_each() -> None:
    one = says("web", i1=TIMEOUT, i2=HEALTHY)
    other = says("api", i2=HEALTHY)
    found = traffic.unwanted([one, other], ["i-1", "i-2"])
    assert traffic.told(found) == "i-1 (target group api: Target.NotRegistered)"


def test_a_classic_balancer_has_a_name() -> None:
    found = traffic.unwanted([Opinion("old", {"i-1": State("unhealthy", "OutOfService")})], ["i-1"])
    assert traffic.told(found) == "i-1 (Classic Load Balancer old: OutOfService)"


@pytest.mark.parametrize(
    ("target", "because"),
    [
        pytest.param(TargetGroup(ARN("web")), "", id="in use"),
        pytest.param(TargetGroup(ARN("web"), used=False), "no load balancer sends", id="idle"),
        pytest.param(TargetGroup(ARN("web"), kind="ip"), "of the type ip", id="addresses"),
        pytest.param(TargetGroup(ARN("web"), kind="lambda"), "of the type lambda", id="a function"),
    ],
)
def test_what_is_left_out(target: TargetGroup, because: str) -> None:
    assert because in target.left_out
    assert bool(target.left_out) == bool(because)
    seen = replace(GOOD, group=THREE, target_groups=(target,))
    told = unchecked.sentences(seen)
    assert bool(because) == any("Target group web is not asked" in each for each in told)
    assert seen.left_out == ((ARN("web"),) if because else ())


def test_all_that_is_fed_is_asked_but_what_is_left_out() -> None:
    seen = replace(THREE, target_groups=(ARN("web"), ARN("green")), classic_balancers=("old",))
    assert traffic.asked(seen, [ARN("green")]) == (ARN("web"), "old")


def refused(**changes: Any) -> str:
    return " ".join(traffic_refusals.refusals(replace(GOOD, **{"group": THREE, **changes})))


@pytest.mark.parametrize("feeds", ["target_groups", "classic_balancers", "lattice_groups"])
def test_a_group_that_registers_nothing_is_refused_whatever_it_feeds(feeds: str) -> None:
    fed = {"target_groups": (), feeds: ("somewhere",)}
    suspended = replace(THREE, suspended=("AddToLoadBalancer",), **fed)  # type: ignore[arg-type]
    assert "has suspended AddToLoadBalancer" in refused(group=suspended)
    assert refused(group=replace(suspended, **{feeds: ()})) == ""  # type: ignore[arg-type]


def test_a_zone_that_is_not_enabled_is_named() -> None:
    seen = replace(
        THREE,
        members=tuple(
            replace(each, zone=zone) for each, zone in zip(THREE.members, THREE.zones, strict=True)
        ),
    )
    opinion = says("web", i1=HEALTHY, i2=HEALTHY, i3=NOT_IN_USE)
    known = {"group": seen, "target_groups": (TargetGroup(ARN("web")),), "opinions": (opinion,)}
    assert "to i-3 in us-east-1c, because that zone is not enabled" in refused(**known)
    assert refused(**(known | {"target_groups": (TargetGroup(ARN("web"), used=False),)})) == ""


def test_what_must_be_healthy_is_in_the_plan_and_what_is_not_now() -> None:
    one = says("web", i1=HEALTHY, i2=TIMEOUT, i3=HEALTHY)
    first, second = traffic.sentences(THREE, [one], warmup_seconds=90)
    assert first == (
        "Give each new instance 90 seconds until target group web must call it healthy, and at the "
        "end as many as the group wants."
    )
    assert second.startswith(
        "1 of the 3 instances do not get traffic now: i-2 (target group web: Target.Timeout)."
    )
    assert traffic.sentences(THREE, [], warmup_seconds=90) == []


def test_what_the_plan_cannot_know_is_said() -> None:
    seen = replace(
        GOOD,
        group=replace(
            THREE,
            lattice_groups=("tg-1",),
            suspended=("HealthCheck", "ReplaceUnhealthy"),
            warm_pool=True,
        ),
        address_count=1,
    )
    told = " ".join(unchecked.sentences(seen))
    for part in (
        "VPC Lattice",
        "HealthCheck and ReplaceUnhealthy",
        "warm pool",
        "hooks",
        "Elastic",
    ):
        assert part in told
    assert len(unchecked.sentences(GOOD)) == 1


def test_leaving_instances_are_nobodys_business() -> None:
    seen = replace(THREE, members=(*THREE.members, member(4, 3, "Terminating:Wait")))
    one = says("web", i1=HEALTHY, i2=HEALTHY, i3=HEALTHY)
    assert len(traffic.sentences(seen, [one], warmup_seconds=90)) == 1
