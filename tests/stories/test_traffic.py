"""A rollout has succeeded when the balancers send traffic to every new instance, and not before."""

from __future__ import annotations

from typing import Any

from tests.stories import fleets
from tests.stories.fleets import Fleet
from tests.stories.world import World, present


def plan(world: World) -> dict[str, Any]:
    """A plan alone."""
    answer: dict[str, Any] = world.ask(
        "plan_rollout",
        {
            "fleet": "web",
            "dry_run": True,
            "release": {"bucket": "acme-releases", "key": "web/two.tar.gz"},
        },
    )
    return answer


def target_group(world: World, name: str, *, port: int = 0, **settings: Any) -> str:
    """Another target group; with a ``port``, behind a balancer of its own."""
    made = world.operator(
        "elbv2",
        "CreateTargetGroup",
        Name=name,
        Protocol="HTTP",
        Port=8080,
        VpcId=world.cloud.ec2.networks.vpc_id,
        HealthCheckPath="/health",
        HealthCheckIntervalSeconds=10,
        **settings,
    )
    arn: str = made["TargetGroups"][0]["TargetGroupArn"]
    if port:
        balancer = world.operator("elbv2", "CreateLoadBalancer", Name=name)
        world.operator(
            "elbv2",
            "CreateListener",
            LoadBalancerArn=balancer["LoadBalancers"][0]["LoadBalancerArn"],
            Protocol="HTTP",
            Port=port,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}],
        )
    return arn


def attach(web: Fleet, *arns: str) -> None:
    web.world.operator(
        "autoscaling",
        "AttachTrafficSources",
        AutoScalingGroupName="web",
        TrafficSources=[{"Identifier": each, "Type": "elbv2"} for each in arns],
    )
    web.world.run_for(minutes=2)


def suspend(world: World, *processes: str) -> None:
    world.operator(
        "autoscaling",
        "SuspendProcesses",
        AutoScalingGroupName="web",
        ScalingProcesses=list(processes),
    )


# What makes traffic impossible is in the plan ---------------------------------------------------


def test_a_group_that_registers_nothing_is_refused() -> None:
    """As in github.com/ansible/ansible/issues/46757."""
    with present() as world:
        web = fleets.make(world, size=3, addresses=0)
        suspend(world, "AddToLoadBalancer")
        world.upload("two")
        ended = world.finish()
        assert ended.error == "Refused"
        assert "has suspended AddToLoadBalancer" in ended.cause
        assert len(web.serving) == 3
        assert not web.builders


def test_a_group_without_balancers_may_register_nothing() -> None:
    with present() as world:
        web = fleets.make(world, size=2, addresses=0)
        web.group.target_groups = ()
        suspend(world, "AddToLoadBalancer")
        world.upload("two")
        assert world.finish().status == "SUCCEEDED"


def test_a_zone_that_is_not_enabled_for_the_balancer_is_refused() -> None:
    with present() as world:
        fleets.make(world, size=3, addresses=0)
        (balancer,) = world.cloud.elbv2.balancers
        subnets = [each.subnet_id for each in world.cloud.ec2.networks.subnets[:2]]
        world.operator("elbv2", "SetSubnets", LoadBalancerArn=balancer, Subnets=subnets)
        world.run_for(minutes=2)
        world.upload("two")
        ended = world.finish()
        assert ended.error == "Refused"
        assert "in us-east-1c, because that zone is not enabled for it" in ended.cause


def test_a_target_group_without_a_listener_is_named_and_not_asked() -> None:
    """As in github.com/kubernetes-sigs/aws-load-balancer-controller/issues/384."""
    with present() as world:
        web = fleets.make(world, size=3, addresses=2)
        attach(web, target_group(world, "green"))
        told = plan(world)
        assert any(
            "Target group green is not asked about the instances: no load balancer" in each
            for each in told["not_checked"]
        )
        assert [each.rpartition("targetgroup/")[2][:5] for each in told["left_out"]] == ["green"]
        new = world.upload("two")
        assert world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: 3}
        assert sorted(web.holders) == list(web.allocations)


def test_what_does_not_get_traffic_now_is_said() -> None:
    with present() as world:
        web = fleets.make(world, size=2, addresses=0)
        suspend(world, "HealthCheck", "ReplaceUnhealthy")
        sick = web.serving[0]
        world.machines.healthy = lambda instance, _: instance != sick
        world.run_for(minutes=2)
        told = plan(world)
        assert any(
            f"1 of the 2 instances do not get traffic now: {sick}" in s for s in told["steps"]
        )
        assert any(
            "has suspended HealthCheck and ReplaceUnhealthy" in s for s in told["not_checked"]
        )


def test_a_group_that_is_being_deleted_is_refused() -> None:
    """As in github.com/kubernetes/kops/issues/1001."""
    with present() as world:
        web = fleets.make(world, size=2, addresses=0)
        world.operator(
            "autoscaling", "DeleteAutoScalingGroup", AutoScalingGroupName="web", ForceDelete=True
        )
        world.upload("two")
        ended = world.finish()
        assert ended.error == "Refused"
        assert "is being deleted (Delete in progress)" in ended.cause
        assert not web.builders


def test_classic_balancers_are_asked_too() -> None:
    with present() as world:
        web = fleets.make(world, size=2, addresses=1)
        world.operator(
            "elb",
            "CreateLoadBalancer",
            LoadBalancerName="old",
            Listeners=[{"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 8080}],
        )
        world.operator(
            "autoscaling",
            "AttachLoadBalancers",
            AutoScalingGroupName="web",
            LoadBalancerNames=["old"],
        )
        world.run_for(minutes=2)
        assert any("Classic Load Balancer old" in each for each in plan(world)["steps"])
        new = world.upload("two")
        assert world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: 2}
