"""Instances of groups: health, protection, standby, termination."""

from __future__ import annotations

import pytest

from tests.unit.cloud.town import Town, refused


def test_an_instance_that_stops_running_is_replaced_at_once_even_in_its_grace_period() -> None:
    town = Town()
    town.make_group(2, HealthCheckGracePeriod=3600)
    stopped, ended = town.serving
    town.call("ec2", "StopInstances", InstanceIds=[stopped])
    town.call("ec2", "TerminateInstances", InstanceIds=[ended])
    town.until(lambda: len(town.group.members) == 2 and len(town.serving) == 2, minutes=5)
    assert {stopped, ended}.isdisjoint(town.group.members)


def test_with_ec2_checks_a_sick_target_is_left_alone() -> None:
    town = Town()
    arn = town.make_balancer()
    town.make_group(1, TargetGroupARNs=[arn])
    before = town.serving
    town.sicken(1)
    town.pass_minutes(10)
    assert town.cloud.elbv2.healthy_targets(arn) == []
    assert town.serving == before


def test_with_elb_checks_a_sick_target_is_replaced_after_the_grace_period() -> None:
    town = Town()
    arn = town.make_balancer()
    town.sicken(1)
    town.make_group(1, TargetGroupARNs=[arn], HealthCheckType="ELB", HealthCheckGracePeriod=600)
    (first,) = town.serving
    town.pass_minutes(9)
    assert town.serving == [first]
    town.machines.healthy = lambda instance, _: instance != first
    town.until(lambda: town.serving not in ([first], []), minutes=5)
    town.until(lambda: len(town.cloud.elbv2.healthy_targets(arn)) == 1)
    assert first not in town.group.members


@pytest.mark.parametrize("process", ["HealthCheck", "ReplaceUnhealthy"])
def test_suspended_health_processes_replace_nothing(process: str) -> None:
    town = Town()
    town.make_group(1)
    (instance,) = town.serving
    town.asg("SuspendProcesses", ScalingProcesses=[process])
    town.call("ec2", "StopInstances", InstanceIds=[instance])
    town.pass_minutes(10)
    assert list(town.group.members) == [instance]
    town.asg("ResumeProcesses")
    town.until(lambda: len(town.serving) == 1)
    assert town.serving != [instance]


def test_health_that_is_set_respects_the_grace_period_unless_told_otherwise() -> None:
    town = Town()
    town.make_group(1, HealthCheckGracePeriod=600)
    (instance,) = town.serving
    town.call("autoscaling", "SetInstanceHealth", InstanceId=instance, HealthStatus="Unhealthy")
    town.pass_minutes(2)
    assert town.serving == [instance]
    town.call(
        "autoscaling",
        "SetInstanceHealth",
        InstanceId=instance,
        HealthStatus="Unhealthy",
        ShouldRespectGracePeriod=False,
    )
    town.until(lambda: len(town.serving) == 1 and town.serving != [instance])


def test_instances_are_shown_with_their_group() -> None:
    town = Town()
    town.make_group(2)
    one = town.serving[0]
    answer = town.call("autoscaling", "DescribeAutoScalingInstances", InstanceIds=[one, "i-0dead"])
    (shown,) = answer["AutoScalingInstances"]
    assert shown["InstanceId"] == one
    assert shown["AutoScalingGroupName"] == "web"
    assert (shown["LifecycleState"], shown["HealthStatus"]) == ("InService", "HEALTHY")
    assert shown["LaunchTemplate"] == {
        "LaunchTemplateId": town.template,
        "LaunchTemplateName": "web",
        "Version": "1",
    }
    everyone = town.call("autoscaling", "DescribeAutoScalingInstances")
    assert len(everyone["AutoScalingInstances"]) == 2


def test_standby_with_a_decrement_shrinks_the_group_and_back() -> None:
    town = Town()
    arn = town.make_balancer(drain=60)
    town.make_group(2, TargetGroupARNs=[arn])
    town.until(lambda: len(town.cloud.elbv2.healthy_targets(arn)) == 2)
    one = town.serving[0]
    town.asg("EnterStandby", InstanceIds=[one], ShouldDecrementDesiredCapacity=True)
    assert (town.group.desired, town.group.members[one].lifecycle) == (1, "EnteringStandby")
    town.until(lambda: town.group.members[one].lifecycle == "Standby")
    town.pass_minutes(5)
    assert len(town.group.members) == 2
    assert one not in [instance for instance, _ in town.cloud.elbv2.healthy_targets(arn)]
    town.asg("ExitStandby", InstanceIds=[one])
    town.until(lambda: len(town.cloud.elbv2.healthy_targets(arn)) == 2)
    assert (town.group.desired, len(town.serving)) == (2, 2)


def test_standby_without_a_decrement_is_filled_up() -> None:
    town = Town()
    town.make_group(2)
    one = town.serving[0]
    town.asg("EnterStandby", InstanceIds=[one], ShouldDecrementDesiredCapacity=False)
    town.until(lambda: len(town.serving) == 2)
    assert len(town.group.members) == 3
    assert town.group.desired == 2


def test_standby_is_not_health_checked() -> None:
    town = Town()
    town.make_group(1)
    one = town.serving[0]
    town.asg("EnterStandby", InstanceIds=[one], ShouldDecrementDesiredCapacity=True)
    town.until(lambda: town.group.members[one].lifecycle == "Standby")
    town.call("ec2", "StopInstances", InstanceIds=[one])
    town.pass_minutes(10)
    assert list(town.group.members) == [one]


def test_standby_that_is_refused() -> None:
    town = Town()
    town.make_group(1, MinSize=1, MaxSize=1)
    (one,) = town.serving
    with refused("ValidationError", "min size"):
        town.asg("EnterStandby", InstanceIds=[one], ShouldDecrementDesiredCapacity=True)
    with refused("ValidationError", "not in Standby"):
        town.asg("ExitStandby", InstanceIds=[one])
    with refused("ValidationError", "not part of"):
        town.asg("EnterStandby", InstanceIds=["i-0dead"], ShouldDecrementDesiredCapacity=True)
    town.asg("EnterStandby", InstanceIds=[one], ShouldDecrementDesiredCapacity=False)
    town.until(lambda: len(town.serving) == 1)
    with refused("ValidationError", "max size of 1"):
        town.asg("ExitStandby", InstanceIds=[one])


def _terminate(town: Town, instance: str, *, decrement: bool) -> dict[str, object]:
    return town.call(
        "autoscaling",
        "TerminateInstanceInAutoScalingGroup",
        InstanceId=instance,
        ShouldDecrementDesiredCapacity=decrement,
    )


def test_an_instance_can_be_terminated_with_and_without_a_replacement() -> None:
    town = Town()
    town.make_group(2, MinSize=1)
    one, two = town.serving
    town.asg("SetInstanceProtection", InstanceIds=[one], ProtectedFromScaleIn=True)
    activity = _terminate(town, one, decrement=False)["Activity"]
    assert isinstance(activity, dict)
    assert activity["Description"] == f"Terminating EC2 instance: {one}"
    town.until(lambda: one not in town.group.members and len(town.serving) == 2)
    _terminate(town, two, decrement=True)
    town.until(lambda: two not in town.group.members)
    town.pass_minutes(2)
    assert (town.group.desired, len(town.serving)) == (1, 1)
    with refused("ValidationError", "desiredSize equals minSize"):
        _terminate(town, town.serving[0], decrement=True)
    with refused("ValidationError", "No managed instance found"):
        _terminate(town, "i-0dead", decrement=True)


def test_instances_launched_while_add_to_load_balancer_is_suspended_stay_out_of_it() -> None:
    town = Town()
    arn = town.make_balancer()
    town.make_group(1, TargetGroupARNs=[arn])
    town.asg("SuspendProcesses", ScalingProcesses=["AddToLoadBalancer"])
    town.asg("SetDesiredCapacity", DesiredCapacity=2)
    town.until(lambda: len(town.serving) == 2)
    town.asg("ResumeProcesses")
    town.pass_minutes(5)
    assert len(town.cloud.elbv2.healthy_targets(arn)) == 1
