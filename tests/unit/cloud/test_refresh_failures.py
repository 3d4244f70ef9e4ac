"""What makes a refresh fail, pause or stall."""

from __future__ import annotations

import pytest

from tests.unit.cloud.town import Town, refused

FIRST = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 100}


def _watching(*names: str) -> dict[str, list[str]]:
    return {"Alarms": list(names)}


@pytest.mark.parametrize("state", ["ALARM", "INSUFFICIENT_DATA"])
def test_it_does_not_start_while_an_alarm_is_not_ok(state: str) -> None:
    town = Town()
    town.make_group(1)
    town.make_alarm("errors", state)
    with refused("ValidationError", f"errors is in the {state} state"):
        town.refresh_to(2, AlarmSpecification=_watching("errors"))


def test_it_does_not_start_with_an_alarm_that_does_not_exist() -> None:
    town = Town()
    town.make_group(1)
    with refused("ValidationError", "does not exist"):
        town.refresh_to(2, AlarmSpecification=_watching("errors"))


def test_an_alarm_fails_the_refresh_and_leaves_the_fleet_mixed() -> None:
    town = Town()
    town.make_group(4)
    town.make_alarm("errors")
    town.refresh_to(2, AlarmSpecification=_watching("errors"), **FIRST)
    town.until(lambda: town.refresh["PercentageComplete"] == 50)
    town.set_alarm("errors", "ALARM")
    assert town.until_ended() == "Failed"
    assert "errors" in town.refresh["StatusReason"]
    assert len(town.events("Instance Refresh Failed")) == 1
    town.pass_minutes(5)
    assert sum(town.versions.values()) == 4
    assert town.versions.keys() == {"1", "2"}
    assert town.group.saved.base["Version"] == "1"


def test_after_a_failure_a_scale_out_launches_the_old_version() -> None:
    town = Town()
    town.make_group(2)
    town.make_alarm("errors")
    town.refresh_to(2, AlarmSpecification=_watching("errors"), **FIRST)
    town.until(lambda: town.refresh["PercentageComplete"] == 50)
    town.set_alarm("errors", "ALARM")
    town.until_ended()
    town.pass_minutes(5)
    before = town.versions.get("1", 0)
    town.asg("SetDesiredCapacity", DesiredCapacity=4)
    town.until(lambda: len(town.serving) == 4)
    assert town.versions["1"] == before + 2


def test_an_alarm_without_data_pauses_the_replacements() -> None:
    town = Town()
    town.make_group(4)
    town.make_alarm("errors")
    town.refresh_to(2, AlarmSpecification=_watching("errors"), **FIRST)
    town.until(lambda: town.refresh["PercentageComplete"] == 25)
    town.set_alarm("errors", "INSUFFICIENT_DATA")
    town.pass_minutes(2)
    there = town.versions.get("2")
    town.pass_minutes(20)
    assert (town.status, town.versions.get("2")) == ("InProgress", there)
    assert "insufficient data" in town.refresh["StatusReason"]
    town.set_alarm("errors", "OK")
    assert town.until_ended() == "Successful"


def test_launches_that_fail_stall_it_for_an_hour() -> None:
    town = Town()
    town.make_group(2)
    town.call("ec2", "DeregisterImage", ImageId=town.images[1])
    town.refresh_to(2, **FIRST)
    began = town.now
    assert town.until_ended() == "Failed"
    assert 60 <= (town.now - began).total_seconds() / 60 <= 65
    assert town.images[1] in town.refresh["StatusReason"]
    assert town.versions == {"1": 2}
    assert town.least_serving == 2


def test_instances_that_fail_their_health_checks_stall_it_for_an_hour() -> None:
    town = Town()
    arn = town.make_balancer()
    town.make_group(2, TargetGroupARNs=[arn], HealthCheckType="ELB", HealthCheckGracePeriod=120)
    town.until(lambda: len(town.cloud.elbv2.healthy_targets(arn)) == 2)
    town.sicken(2)
    town.refresh_to(2, AutoRollback=True, **FIRST)
    began = town.now
    town.until_status("RollbackInProgress")
    assert (town.now - began).total_seconds() >= 3600
    tried = town.events("EC2 Instance Launch Successful")
    assert len(tried) > 6, "new instances were terminated and replaced again and again"
    assert town.until_ended() == "RollbackSuccessful"
    assert town.versions == {"1": 2}
    assert town.least_serving == 2


def test_a_long_warm_up_is_no_stall() -> None:
    town = Town()
    town.make_group(1)
    town.refresh_to(2, InstanceWarmup=7200, **FIRST)
    assert town.until_ended() == "Successful"


def test_a_suspended_refresh_process_pauses_it_without_an_end() -> None:
    town = Town()
    town.make_group(2)
    town.refresh_to(2, **FIRST)
    town.asg("SuspendProcesses", ScalingProcesses=["InstanceRefresh"])
    town.pass_minutes(100)
    assert town.status == "InProgress"
    assert town.versions == {"1": 2}
    town.asg("ResumeProcesses", ScalingProcesses=["InstanceRefresh"])
    assert town.until_ended() == "Successful"


@pytest.mark.parametrize("process", ["Launch", "Terminate"])
def test_a_suspended_launch_or_terminate_process_ends_in_the_stall(process: str) -> None:
    town = Town()
    town.make_group(2)
    town.asg("SuspendProcesses", ScalingProcesses=[process])
    town.refresh_to(2, **FIRST)
    assert town.until_ended() == "Failed"
    assert town.least_serving == 2


def test_replacements_may_take_14_days_in_all() -> None:
    town = Town()
    town.make_group(15)
    town.refresh_to(2, InstanceWarmup=86_400, **FIRST)
    assert town.until_ended(minutes=15 * 24 * 60) == "Failed"
    assert "14 days" in town.refresh["StatusReason"]


def test_an_alarm_without_data_for_an_hour_is_a_stall() -> None:
    town = Town()
    town.make_group(2)
    town.make_alarm("errors")
    town.refresh_to(2, AlarmSpecification=_watching("errors"), **FIRST)
    town.set_alarm("errors", "INSUFFICIENT_DATA")
    assert town.until_ended() == "Failed"


def test_a_long_drain_is_no_stall() -> None:
    town = Town()
    arn = town.make_balancer(drain=3600)
    town.make_group(1, TargetGroupARNs=[arn])
    town.until(lambda: len(town.cloud.elbv2.healthy_targets(arn)) == 1)
    town.refresh_to(2, **FIRST)
    assert town.until_ended() == "Successful"


def test_when_a_refresh_is_cancelled_the_sick_new_instance_is_the_one_that_goes() -> None:
    town = Town()
    arn = town.make_balancer()
    town.make_group(2, TargetGroupARNs=[arn], HealthCheckType="ELB", HealthCheckGracePeriod=3600)
    town.until(lambda: len(town.cloud.elbv2.healthy_targets(arn)) == 2)
    town.sicken(2)
    town.refresh_to(2, **FIRST)
    town.pass_minutes(5)
    assert town.versions == {"1": 2, "2": 1}
    town.asg("CancelInstanceRefresh")
    town.pass_minutes(5)
    assert (town.status, town.versions) == ("Cancelled", {"1": 2})
