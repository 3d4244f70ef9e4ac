"""The calls of instance refreshes: what is refused, shown and cancelled."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.unit.cloud.town import Town, refused

FIRST = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 100}


@pytest.mark.parametrize(
    ("preferences", "text"),
    [
        pytest.param({"MaxHealthyPercentage": 120}, "needs MinHealthy", id="max without min"),
        pytest.param(
            {"MinHealthyPercentage": 50, "MaxHealthyPercentage": 200}, "above 100", id="too wide"
        ),
        pytest.param({"CheckpointPercentages": [50, 20]}, "ascending", id="not ascending"),
        pytest.param({"CheckpointPercentages": [50, 50]}, "unique", id="not unique"),
        pytest.param({"CheckpointDelay": 60}, "needs Checkpoint", id="a delay alone"),
        pytest.param(
            {"AlarmSpecification": {"Alarms": [f"a{n}" for n in range(11)]}},
            "10 alarms",
            id="too many alarms",
        ),
    ],
)
def test_preferences_that_are_refused(preferences: dict[str, Any], text: str) -> None:
    town = Town()
    town.make_group(1)
    with refused("ValidationError", text):
        town.refresh_to(2, **preferences)


def test_rolling_back_by_itself_needs_a_desired_configuration() -> None:
    town = Town()
    town.make_group(1)
    with refused(
        "ValidationError",
        "The AutoRollback parameter cannot be set to true when the DesiredConfiguration "
        "parameter is empty",
    ):
        town.refresh_to(None, AutoRollback=True)


def test_there_is_one_refresh_at_a_time() -> None:
    town = Town()
    town.make_group(1)
    town.refresh_to(2, **FIRST)
    with refused("InstanceRefreshInProgress"):
        town.refresh_to(3, **FIRST)
    town.until_ended()
    town.refresh_to(3, **FIRST)
    assert town.until_ended() == "Successful"


def test_a_template_is_named_by_id_or_by_name_but_not_by_both() -> None:
    town = Town()
    town.make_group(1)
    shown = town.asg("DescribeInstanceRefreshes")["InstanceRefreshes"]
    assert shown == []
    group = town.call("autoscaling", "DescribeAutoScalingGroups")["AutoScalingGroups"][0]
    both = group["LaunchTemplate"]
    assert both == {
        "LaunchTemplateId": town.template,
        "LaunchTemplateName": "web",
        "Version": "1",
    }
    with refused("ValidationError", "either launchTemplateId or LaunchTemplateName"):
        town.asg("StartInstanceRefresh", DesiredConfiguration={"LaunchTemplate": both})


def test_a_version_that_does_not_exist_is_refused() -> None:
    town = Town()
    town.make_group(1)
    with refused("ValidationError", "valid fully-formed launch template"):
        town.refresh_to(99)


def test_an_unknown_group_is_refused() -> None:
    town = Town()
    with refused("ValidationError", "name not found"):
        town.refresh_to(2)


def test_what_is_shown() -> None:
    town = Town()
    town.make_group(2, HealthCheckGracePeriod=45)
    refresh_id = town.refresh_to(2)
    shown = town.refresh
    assert shown["Status"] == "Pending"
    assert "StartTime" not in shown
    assert shown["InstancesToUpdate"] == 2
    town.pass_minutes(0.1)
    shown = town.refresh
    assert (shown["Status"], shown["InstanceRefreshId"]) == ("InProgress", refresh_id)
    assert shown["Preferences"] == {
        "MinHealthyPercentage": 90,
        "InstanceWarmup": 45,
        "SkipMatching": False,
        "AutoRollback": False,
        "ScaleInProtectedInstances": "Wait",
        "StandbyInstances": "Wait",
    }
    assert shown["DesiredConfiguration"]["LaunchTemplate"]["Version"] == "2"
    assert town.until_ended() == "Successful"
    assert town.refresh["PercentageComplete"] == 100
    assert town.refresh["InstancesToUpdate"] == 0
    assert town.refresh["EndTime"] > town.refresh["StartTime"]


def test_the_default_warm_up_of_the_group_comes_before_its_grace_period() -> None:
    town = Town()
    town.make_group(1, HealthCheckGracePeriod=45, DefaultInstanceWarmup=0)
    town.refresh_to(2)
    assert town.refresh["Preferences"]["InstanceWarmup"] == 0


def test_refreshes_are_shown_newest_first_in_pages_and_by_id() -> None:
    town = Town()
    town.make_group(0)
    ids: list[str] = []
    for version in (2, 3, 1):
        ids.insert(0, town.refresh_to(version))
        town.until_ended()
    first = town.asg("DescribeInstanceRefreshes", MaxRecords=2)
    second = town.asg("DescribeInstanceRefreshes", MaxRecords=2, NextToken=first["NextToken"])
    seen = [r["InstanceRefreshId"] for r in first["InstanceRefreshes"]]
    seen += [r["InstanceRefreshId"] for r in second["InstanceRefreshes"]]
    assert seen == ids
    assert "NextToken" not in second
    one = town.asg("DescribeInstanceRefreshes", InstanceRefreshIds=[ids[1]])
    assert [r["InstanceRefreshId"] for r in one["InstanceRefreshes"]] == [ids[1]]


def test_a_new_refresh_may_not_be_visible_yet() -> None:
    town = Town()
    town.make_group(1)
    town.cloud.kernel.visible_after = timedelta(seconds=10)
    town.refresh_to(2, **FIRST)
    assert town.asg("DescribeInstanceRefreshes")["InstanceRefreshes"] == []
    with refused("InstanceRefreshInProgress"):
        town.refresh_to(2)
    town.pass_minutes(0.2)
    assert town.status == "InProgress"


def test_a_cancel_waits_for_what_is_under_way_and_leaves_the_fleet_mixed() -> None:
    town = Town()
    town.make_group(4)
    town.refresh_to(2, MinHealthyPercentage=50, MaxHealthyPercentage=100)
    town.until(lambda: any(m.lifecycle == "Pending" for m in town.group.active))
    town.asg("CancelInstanceRefresh")
    assert town.status == "Cancelling"
    assert town.until_ended() == "Cancelled"
    assert all(m.lifecycle == "InService" for m in town.group.members.values())
    town.pass_minutes(5)
    assert town.versions == {"1": 2, "2": 2}
    assert town.group.saved.base["Version"] == "1"
    assert len(town.events("Instance Refresh Cancelled")) == 1
    with refused("ActiveInstanceRefreshNotFound"):
        town.asg("CancelInstanceRefresh")


def test_a_cancel_need_not_wait() -> None:
    town = Town()
    town.make_group(4)
    town.refresh_to(2, MinHealthyPercentage=50, MaxHealthyPercentage=100)
    town.until(lambda: any(m.lifecycle == "Pending" for m in town.group.active))
    town.asg("CancelInstanceRefresh", WaitForTransitioningInstances=False)
    assert town.status == "Cancelled"
    town.pass_minutes(5)
    assert town.versions == {"1": 2, "2": 2}, "what was under way went on"


def test_a_rollback_can_be_cancelled_too() -> None:
    town = Town()
    town.make_group(4)
    town.refresh_to(2, **FIRST)
    town.until(lambda: town.refresh["PercentageComplete"] == 50)
    town.asg("RollbackInstanceRefresh")
    town.pass_minutes(0.2)
    town.asg("CancelInstanceRefresh")
    assert town.until_ended() == "Cancelled"


def test_the_events_say_nothing_but_the_names() -> None:
    town = Town()
    group = town.make_group(1)
    refresh_id = town.refresh_to(2, **FIRST)
    town.until_ended()
    for what in ("Instance Refresh Started", "Instance Refresh Succeeded"):
        (event,) = town.events(what)
        assert event["detail-type"] == f"EC2 Auto Scaling {what}"
        assert event["resources"] == [group.arn]
        assert event["detail"] == {
            "InstanceRefreshId": refresh_id,
            "AutoScalingGroupName": "web",
        }


def test_a_quiet_group_costs_nothing() -> None:
    town = Town()
    town.make_group(3)
    town.refresh_to(2, **FIRST)
    town.until_ended()
    town.pass_minutes(1)
    assert town.cloud.kernel.timeline.next_due is None or (
        town.cloud.kernel.timeline.next_due > town.now + timedelta(minutes=30)
    )
