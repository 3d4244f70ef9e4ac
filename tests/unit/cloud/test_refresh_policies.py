"""Instances that a refresh may not replace: matching, protected, in standby."""

from __future__ import annotations

import pytest

from tests.unit.cloud.town import Town, refused

FIRST = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 100}


def test_skip_matching_replaces_only_what_differs() -> None:
    town = Town()
    town.make_group(4)
    town.refresh_to(2, **FIRST)
    town.until(lambda: town.versions.get("2") == 2)
    town.asg("CancelInstanceRefresh")
    town.until_ended()
    kept = [m.instance_id for m in town.group.active if m.template["Version"] == "2"]
    town.refresh_to(2, SkipMatching=True, **FIRST)
    assert town.until_ended() == "Successful"
    assert town.versions == {"2": 4}
    assert set(kept) <= set(town.group.members)


def test_skip_matching_with_nothing_to_replace_succeeds_at_once() -> None:
    town = Town()
    town.make_group(3)
    before = set(town.group.members)
    town.refresh_to(1, SkipMatching=True, InstanceWarmup=600, **FIRST)
    assert town.until_ended(minutes=1) == "Successful"
    assert set(town.group.members) == before
    assert town.refresh["PercentageComplete"] == 100


def test_skip_matching_without_a_desired_configuration_compares_with_the_group() -> None:
    town = Town()
    town.make_group(2)
    town.asg("UpdateAutoScalingGroup", LaunchTemplate=town.version(3))
    town.refresh_to(None, SkipMatching=True, **FIRST)
    assert town.until_ended() == "Successful"
    assert town.versions == {"3": 2}


def test_without_skip_matching_even_equal_instances_are_replaced() -> None:
    town = Town()
    town.make_group(2)
    before = set(town.group.members)
    town.refresh_to(1, **FIRST)
    assert town.until_ended() == "Successful"
    assert before.isdisjoint(town.group.members)


def test_a_version_made_during_a_refresh_to_latest_replaces_again() -> None:
    town = Town()
    town.make_group(2)
    town.refresh_to("$Latest", SkipMatching=True, **FIRST)
    town.until(lambda: town.versions.get("3") == 1)
    town.publish(town.images[1])
    assert town.until_ended() == "Successful"
    assert town.versions == {"4": 2}


def test_an_override_with_another_type_does_not_match() -> None:
    town = Town()
    policy = {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": town.version(1),
            "Overrides": [{"InstanceType": "m6a.large"}],
        }
    }
    town.make_group(1, MixedInstancesPolicy=policy)
    assert town.group.active[0].instance_type == "m6a.large"
    policy["LaunchTemplate"]["Overrides"] = [{"InstanceType": "m7a.large"}]
    town.asg(
        "StartInstanceRefresh",
        DesiredConfiguration={"MixedInstancesPolicy": policy},
        Preferences={"SkipMatching": True, **FIRST},
    )
    assert town.until_ended() == "Successful"
    assert [member.instance_type for member in town.group.active] == ["m7a.large"]


def _protect(town: Town, protected: bool = True) -> str:
    instance = town.serving[0]
    town.asg("SetInstanceProtection", InstanceIds=[instance], ProtectedFromScaleIn=protected)
    return instance


def test_protected_instances_wait_by_default_and_fail_the_refresh_after_an_hour() -> None:
    town = Town()
    town.make_group(2)
    protected = _protect(town)
    town.refresh_to(2, **FIRST)
    began = town.now
    assert town.until_ended() == "Failed"
    assert 60 <= (town.now - began).total_seconds() / 60 <= 65
    assert "protection" in town.refresh["StatusReason"]
    assert town.versions == {"1": 1, "2": 1}
    assert protected in town.group.members
    assert town.group.saved.base["Version"] == "1"


def test_protection_that_is_removed_in_time_lets_the_refresh_go_on() -> None:
    town = Town()
    town.make_group(2)
    protected = _protect(town)
    town.refresh_to(2, **FIRST)
    town.pass_minutes(50)
    assert town.status == "InProgress"
    town.asg("SetInstanceProtection", InstanceIds=[protected], ProtectedFromScaleIn=False)
    assert town.until_ended() == "Successful"
    assert town.versions == {"2": 2}


@pytest.mark.parametrize(("policy", "left"), [("Refresh", {"2": 2}), ("Ignore", {"1": 1, "2": 1})])
def test_protected_instances_are_replaced_or_left_out(policy: str, left: dict[str, int]) -> None:
    town = Town()
    town.make_group(2)
    _protect(town)
    town.refresh_to(2, ScaleInProtectedInstances=policy, **FIRST)
    assert town.until_ended() == "Successful"
    assert town.versions == left


def _stand_by(town: Town) -> str:
    instance = town.serving[0]
    town.asg("EnterStandby", InstanceIds=[instance], ShouldDecrementDesiredCapacity=True)
    town.until(lambda: town.group.members[instance].lifecycle == "Standby")
    return instance


def test_standby_waits_by_default() -> None:
    town = Town()
    town.make_group(3)
    _stand_by(town)
    town.refresh_to(2, **FIRST)
    assert town.until_ended() == "Failed"
    assert "standby" in town.refresh["StatusReason"]


def test_standby_that_is_ended_in_time_is_replaced() -> None:
    town = Town()
    town.make_group(3)
    instance = _stand_by(town)
    town.refresh_to(2, **FIRST)
    town.pass_minutes(30)
    town.asg("ExitStandby", InstanceIds=[instance])
    assert town.until_ended() == "Successful"
    assert town.versions == {"2": 3}


@pytest.mark.parametrize(("policy", "stays"), [("Terminate", False), ("Ignore", True)])
def test_standby_is_terminated_or_left_alone(policy: str, stays: bool) -> None:
    town = Town()
    town.make_group(3)
    instance = _stand_by(town)
    town.refresh_to(2, StandbyInstances=policy, **FIRST)
    assert town.until_ended() == "Successful"
    assert town.versions == {"2": 2}
    assert (instance in town.group.members) == stays


def test_a_template_with_a_parameter_as_image_needs_a_plain_refresh() -> None:
    town = Town()
    town.call("ssm", "PutParameter", Name="/image", Value=town.images[0], Type="String")
    town.publish("resolve:ssm:/image")
    town.make_group(1, LaunchTemplate=town.version(4))
    with refused("ValidationError", "Systems Manager parameter"):
        town.refresh_to(4)
    with refused("ValidationError", "Systems Manager parameter"):
        town.refresh_to(None, SkipMatching=True)
    town.refresh_to(None, **FIRST)
    assert town.until_ended() == "Successful"
