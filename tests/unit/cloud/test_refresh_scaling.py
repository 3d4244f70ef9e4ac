"""A group that is scaled while it is refreshed."""

from __future__ import annotations

from tests.unit.cloud.town import Town, refused

FIRST = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 100}


def test_a_scale_out_launches_the_new_version_and_all_end_on_it() -> None:
    town = Town()
    town.make_group(4)
    town.refresh_to(2, **FIRST)
    town.until(lambda: town.refresh["PercentageComplete"] == 25)
    old = town.versions["1"]
    town.asg("SetDesiredCapacity", DesiredCapacity=8)
    town.until(lambda: len(town.group.active) >= 8)
    assert town.versions["1"] <= old
    assert town.until_ended() == "Successful"
    assert town.versions == {"2": 8}


def test_a_scale_in_takes_the_old_ones_first() -> None:
    town = Town()
    town.make_group(6)
    town.refresh_to(2, **FIRST)
    town.until(lambda: town.refresh["PercentageComplete"] == 33)
    town.asg("SetDesiredCapacity", DesiredCapacity=3)
    assert town.until_ended() == "Successful"
    assert town.versions == {"2": 3}
    assert town.least_serving == 3


def test_to_zero_and_back() -> None:
    town = Town()
    town.make_group(2)
    town.refresh_to(2, **FIRST)
    town.pass_minutes(0.2)
    town.asg("SetDesiredCapacity", DesiredCapacity=0)
    assert town.until_ended() == "Successful"
    assert town.versions == {}
    town.asg("SetDesiredCapacity", DesiredCapacity=1)
    town.until(lambda: len(town.serving) == 1)
    assert town.versions == {"2": 1}


def test_an_empty_group_is_refreshed_at_once() -> None:
    town = Town()
    town.make_group(0)
    town.refresh_to(2, **FIRST)
    assert town.until_ended(minutes=1) == "Successful"
    assert town.group.saved.base["Version"] == "2"


def test_an_instance_that_dies_meanwhile_is_replaced_by_a_new_one() -> None:
    town = Town()
    town.make_group(4)
    town.refresh_to(2, **FIRST)
    town.until(lambda: town.refresh["PercentageComplete"] == 25)
    victim = next(m.instance_id for m in town.group.active if m.template["Version"] == "1")
    town.call("ec2", "TerminateInstances", InstanceIds=[victim])
    assert town.until_ended() == "Successful"
    assert town.versions == {"2": 4}


def test_sizes_may_be_updated_and_the_configuration_may_not() -> None:
    town = Town()
    town.make_group(2)
    town.refresh_to(2, **FIRST)
    with refused("ValidationError", "An active instance refresh with a desired configuration"):
        town.asg("UpdateAutoScalingGroup", LaunchTemplate=town.version(3))
    town.asg("UpdateAutoScalingGroup", MaxSize=5, DesiredCapacity=3)
    assert town.until_ended() == "Successful"
    town.asg("UpdateAutoScalingGroup", LaunchTemplate=town.version(3))
    assert town.versions == {"2": 3}


def test_without_a_desired_configuration_the_group_may_be_edited_meanwhile() -> None:
    town = Town()
    town.make_group(2)
    town.refresh_to(None, **FIRST)
    town.asg("UpdateAutoScalingGroup", LaunchTemplate=town.version(3))
    assert town.until_ended() == "Successful"
    assert town.versions == {"3": 2}
