"""Target groups: health, draining, attributes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.cloud.town import Town, refused


def _run(town: Town) -> str:
    answer = town.call(
        "ec2",
        "RunInstances",
        LaunchTemplate={"LaunchTemplateId": town.template, "Version": "1"},
        MinCount=1,
        MaxCount=1,
    )
    instance: str = answer["Instances"][0]["InstanceId"]
    town.until(lambda: town.cloud.ec2.state(instance) == "running")
    return instance


def _register(town: Town, arn: str, *instances: str) -> None:
    targets = [{"Id": instance} for instance in instances]
    town.call("elbv2", "RegisterTargets", TargetGroupArn=arn, Targets=targets)


def _health(town: Town, arn: str, **more: Any) -> list[tuple[str, str | None]]:
    shown = town.call("elbv2", "DescribeTargetHealth", TargetGroupArn=arn, **more)
    return [
        (each["TargetHealth"]["State"], each["TargetHealth"].get("Reason"))
        for each in shown["TargetHealthDescriptions"]
    ]


def test_a_new_target_is_healthy_after_one_success() -> None:
    town = Town()
    arn = town.make_balancer(HealthyThresholdCount=5)
    instance = _run(town)
    _register(town, arn, instance)
    assert _health(town, arn) == [("initial", "Elb.RegistrationInProgress")]
    assert town.cloud.elbv2.healthy_targets(arn) == []
    town.pass_minutes(0.05)
    assert _health(town, arn) == [("healthy", None)]
    assert town.cloud.elbv2.healthy_targets(arn) == [(instance, 8080)]


def test_the_thresholds_count_from_then_on() -> None:
    town = Town()
    arn = town.make_balancer(HealthyThresholdCount=3, UnhealthyThresholdCount=2)
    _register(town, arn, _run(town))
    town.pass_minutes(0.05)
    town.sicken(1)
    town.pass_minutes(11 / 60)
    assert _health(town, arn) == [("healthy", None)], "one failure is not enough"
    town.pass_minutes(10 / 60)
    assert _health(town, arn) == [("unhealthy", "Target.FailedHealthChecks")]
    town.machines.healthy = lambda *_: True
    town.pass_minutes(20 / 60)
    assert _health(town, arn)[0][0] == "unhealthy", "two successes are not enough"
    town.pass_minutes(10 / 60)
    assert _health(town, arn) == [("healthy", None)]


def test_a_new_target_that_fails_is_initial_until_the_threshold() -> None:
    town = Town()
    arn = town.make_balancer(UnhealthyThresholdCount=2)
    town.sicken(1)
    _register(town, arn, _run(town))
    town.pass_minutes(0.05)
    assert _health(town, arn) == [("initial", "Elb.InitialHealthChecking")]
    town.pass_minutes(0.2)
    assert _health(town, arn) == [("unhealthy", "Target.FailedHealthChecks")]


def test_a_target_group_that_no_listener_uses_is_not_checked() -> None:
    town = Town()
    answer = town.call("elbv2", "CreateTargetGroup", Name="spare", Protocol="HTTP", Port=80)
    arn = answer["TargetGroups"][0]["TargetGroupArn"]
    _register(town, arn, _run(town))
    town.pass_minutes(2)
    assert _health(town, arn) == [("unused", "Target.NotInUse")]
    assert town.cloud.elbv2.healthy_targets(arn) == []


def test_a_target_drains_for_the_whole_delay_and_gets_no_request() -> None:
    town = Town()
    arn = town.make_balancer(drain=120)
    instance = _run(town)
    _register(town, arn, instance)
    town.pass_minutes(0.05)
    targets = [{"Id": instance}]
    town.call("elbv2", "DeregisterTargets", TargetGroupArn=arn, Targets=targets)
    assert _health(town, arn) == [("draining", "Target.DeregistrationInProgress")]
    assert town.cloud.elbv2.healthy_targets(arn) == []
    town.pass_minutes(1.9)
    assert _health(town, arn)[0][0] == "draining"
    town.pass_minutes(0.2)
    assert _health(town, arn) == []
    assert _health(town, arn, Targets=targets) == [("unused", "Target.NotRegistered")]


def test_a_draining_target_can_come_back() -> None:
    town = Town()
    arn = town.make_balancer(drain=120)
    instance = _run(town)
    _register(town, arn, instance)
    town.pass_minutes(0.05)
    targets = [{"Id": instance}]
    town.call("elbv2", "DeregisterTargets", TargetGroupArn=arn, Targets=targets)
    _register(town, arn, instance)
    town.pass_minutes(5)
    assert _health(town, arn) == [("healthy", None)]


def test_stopped_targets_are_unused_and_terminated_ones_are_forgotten() -> None:
    town = Town()
    arn = town.make_balancer()
    stopped, ended = _run(town), _run(town)
    _register(town, arn, stopped, ended)
    town.pass_minutes(0.05)
    town.call("ec2", "StopInstances", InstanceIds=[stopped])
    town.call("ec2", "TerminateInstances", InstanceIds=[ended])
    town.pass_minutes(2)
    assert _health(town, arn) == [("unused", "Target.InvalidState")]


def test_what_is_not_running_cannot_be_registered() -> None:
    town = Town()
    arn = town.make_balancer()
    instance = _run(town)
    town.call("ec2", "StopInstances", InstanceIds=[instance])
    with refused("InvalidTarget"):
        _register(town, arn, instance)


def test_attributes_are_checked_and_kept() -> None:
    town = Town()
    arn = town.make_balancer(drain=30)
    shown = town.call("elbv2", "DescribeTargetGroupAttributes", TargetGroupArn=arn)["Attributes"]
    assert {"Key": "deregistration_delay.timeout_seconds", "Value": "30"} in shown
    with refused("InvalidConfigurationRequest", "not recognized"):
        town.call(
            "elbv2",
            "ModifyTargetGroupAttributes",
            TargetGroupArn=arn,
            Attributes=[{"Key": "speed", "Value": "11"}],
        )


def test_target_groups_are_found_by_name_arn_and_balancer() -> None:
    town = Town()
    arn = town.make_balancer()
    town.call("elbv2", "CreateTargetGroup", Name="spare", Protocol="HTTP", Port=80)
    balancer = town.call("elbv2", "DescribeLoadBalancers", Names=["web"])["LoadBalancers"][0]

    def names(**params: Any) -> list[str]:
        found = town.call("elbv2", "DescribeTargetGroups", **params)["TargetGroups"]
        return [each["TargetGroupName"] for each in found]

    assert names() == ["web", "spare"]
    assert names(Names=["spare"]) == ["spare"]
    assert names(TargetGroupArns=[arn]) == ["web"]
    assert names(LoadBalancerArn=balancer["LoadBalancerArn"]) == ["web"]
    with refused("TargetGroupNotFound"):
        names(Names=["nobody"])
    with refused("TargetGroupNotFound"):
        _health(town, arn + "x")


def test_the_same_target_group_again_is_the_same_and_another_is_refused() -> None:
    town = Town()
    make = {"Name": "spare", "Protocol": "HTTP", "Port": 80}
    first = town.call("elbv2", "CreateTargetGroup", **make)["TargetGroups"][0]
    again = town.call("elbv2", "CreateTargetGroup", **make)["TargetGroups"][0]
    assert again["TargetGroupArn"] == first["TargetGroupArn"]
    with refused("DuplicateTargetGroupName"):
        town.call("elbv2", "CreateTargetGroup", **{**make, "Port": 81})


def test_balancers_listeners_and_tags_are_shown() -> None:
    town = Town()
    arn = town.make_balancer(Tags=[{"Key": "ovenbird:fleet", "Value": "web"}])
    balancer = town.call("elbv2", "DescribeLoadBalancers")["LoadBalancers"][0]
    assert balancer["State"] == {"Code": "active"}
    listeners = town.call(
        "elbv2", "DescribeListeners", LoadBalancerArn=balancer["LoadBalancerArn"]
    )["Listeners"]
    assert listeners[0]["DefaultActions"] == [{"Type": "forward", "TargetGroupArn": arn}]
    by_arn = town.call("elbv2", "DescribeListeners", ListenerArns=[listeners[0]["ListenerArn"]])[
        "Listeners"
    ]
    assert by_arn == listeners
    tags = town.call("elbv2", "DescribeTags", ResourceArns=[arn])["TagDescriptions"][0]["Tags"]
    assert tags == [{"Key": "ovenbird:fleet", "Value": "web"}]
    for operation, code, params in (
        ("DescribeLoadBalancers", "LoadBalancerNotFound", {"Names": ["nobody"]}),
        ("CreateLoadBalancer", "DuplicateLoadBalancerName", {"Name": "web"}),
    ):
        with refused(code):
            town.call("elbv2", operation, **params)
    with refused("DuplicateListener"):
        town.call(
            "elbv2",
            "CreateListener",
            LoadBalancerArn=balancer["LoadBalancerArn"],
            Port=80,
            DefaultActions=[],
        )


@pytest.mark.parametrize("name", ["HealthyHostCount", "UnHealthyHostCount"])
def test_the_host_counts_are_reported_while_there_are_targets(name: str) -> None:
    town = Town()
    arn = town.make_balancer()
    group = {"TargetGroup": arn.rsplit(":", 1)[1]}
    assert town.cloud.elbv2.metric(name, group) is None
    one, two = _run(town), _run(town)
    _register(town, arn, one, two)
    town.machines.healthy = lambda instance, _: instance == one
    town.pass_minutes(1)
    assert town.cloud.elbv2.metric(name, group) == 1.0
    assert town.cloud.elbv2.metric("RequestCount", group) is None
    assert town.cloud.elbv2.metric(name, {"TargetGroup": "targetgroup/other/1"}) is None
