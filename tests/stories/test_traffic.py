"""A rollout has succeeded when the balancers send traffic to every new instance, and not before."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from sandbox.cloud.imaginary import Disk
from tests.stories import fleets
from tests.stories.fleets import Fleet
from tests.stories.invariants import Invariants
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


def target_group(world: World, name: str, *, port: int = 0, path: str = "/health") -> str:
    """Another target group; with a ``port``, behind a balancer of its own."""
    made = world.operator(
        "elbv2",
        "CreateTargetGroup",
        Name=name,
        Protocol="HTTP",
        Port=8080,
        VpcId=world.cloud.ec2.networks.vpc_id,
        HealthCheckPath=path,
        HealthCheckIntervalSeconds=10,
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


def attach_a_classic_one(world: World) -> None:
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


def test_classic_balancers_are_asked_too() -> None:
    with present() as world:
        web = fleets.make(world, size=2, addresses=1)
        attach_a_classic_one(world)
        assert any("Classic Load Balancer old" in each for each in plan(world)["steps"])
        new = world.upload("two")
        assert world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: 2}


# Every new instance is watched, from the first one on -------------------------------------------


@contextlib.contextmanager
def a_fleet_of(
    size: int = 3, *, kind: str = "EC2", addresses: int = 0, **more: Any
) -> Iterator[Fleet]:
    """A fleet whose group has this health check type; the invariants watch it."""
    with present() as world:
        web = fleets.make(world, size=size, addresses=addresses, **more)
        web.update(HealthCheckType=kind)
        watch = Invariants(world, web)
        web.forgive, web.edited = watch.forgive, watch.edited
        yield web
        watch.at_end()


def sick_from(web: Fleet, number: int) -> None:
    """The balancer finds new instances sick from that one on (0 is the first)."""
    seen: list[str] = []

    def healthy(instance: str, disk: Disk) -> bool:
        if disk.revision == fleets.OLD:
            return True
        if instance not in seen:
            seen.append(instance)
        return seen.index(instance) < number

    web.world.machines.healthy = healthy


def failed(web: Fleet, *, error: str = "RollFailed") -> str:
    """A bad release is stopped; the fleet is as it was. Why."""
    web.world.upload("two")
    ended = web.world.finish()
    assert ended.error == error, (ended.status, ended.cause)
    assert web.revisions == {fleets.OLD: web.group.desired}
    return ended.cause


@pytest.mark.parametrize("size", [1, 3])
def test_a_group_that_does_not_ask_its_balancers_is_stopped_at_the_first_instance(
    size: int,
) -> None:
    """As in github.com/aws-quickstart/quickstart-magento/pull/14: EC2 calls it healthy."""
    with a_fleet_of(size) as web:
        sick_from(web, 0)
        why = failed(web)
        assert "1 of 1 new instances get no traffic" in why
        assert "target group web: Target.FailedHealthChecks" in why
        launched = {m.instance_id for m in web.world.cloud.ec2.instances.all.values()}
        assert len(launched) <= 2 * size + 3  # old ones, a builder, a new one and its successor


def test_a_bad_image_is_marked_so_that_it_is_not_used_again() -> None:
    with a_fleet_of() as web:
        sick_from(web, 0)
        failed(web)
        (image,) = web.images
        assert "ovenbird:bad" in web.tags(image.image_id)


def test_the_second_new_instance_is_watched_like_the_first() -> None:
    with a_fleet_of(3) as web:
        sick_from(web, 1)
        assert "1 of 2 new instances get no traffic" in failed(web)


def test_one_of_two_target_groups_is_not_enough() -> None:
    """As in github.com/ansible/ansible/issues/30401."""
    with a_fleet_of() as web:
        attach(web, target_group(web.world, "api", port=81, path="/api"))
        probe = web.world.machines.probe

        def by_path(instance: str, port: int, path: str, done: Callable[[bool], None]) -> None:
            new = web.world.machines.disks[instance].revision != fleets.OLD
            probe(instance, port, path, lambda ok: done(ok and not (new and path == "/api")))

        web.world.machines.probe = by_path  # type: ignore[method-assign,assignment]
        assert "target group api: Target.FailedHealthChecks" in failed(web)


@pytest.mark.parametrize("kind", ["EC2", "ELB"])
def test_instances_that_nobody_registers_stop_the_roll(kind: str) -> None:
    """The process is suspended while the image is made; then before the first launch."""
    with a_fleet_of(kind=kind) as web:
        web.world.upload("two")
        web.world.run_until(lambda: bool(web.refreshes))
        suspend(web.world, "AddToLoadBalancer")
        ended = web.world.finish()
        assert ended.error == "RollFailed"
        assert "has suspended AddToLoadBalancer" in ended.cause
        assert len(web.serving) == 3
        (image,) = web.images
        assert "ovenbird:bad" not in web.tags(image.image_id)


def test_a_process_that_is_suspended_during_the_bake_is_refused_before_the_roll() -> None:
    with a_fleet_of() as web:
        web.world.upload("two")
        web.world.run_until(lambda: bool(web.builders))
        suspend(web.world, "AddToLoadBalancer")
        ended = web.world.finish()
        assert ended.error == "Refused"
        assert "has suspended AddToLoadBalancer since the plan" in ended.cause
        assert not web.refreshes


@pytest.mark.parametrize("kind", ["EC2", "ELB"])
def test_a_new_instance_that_a_person_takes_out_stops_the_roll(kind: str) -> None:
    with a_fleet_of(kind=kind) as web:
        web.world.upload("two")
        web.world.run_until(lambda: bool(arrived(web)))
        (new,) = arrived(web)
        web.world.operator(
            "elbv2",
            "DeregisterTargets",
            TargetGroupArn=web.target_group,
            Targets=[{"Id": new}],
        )
        ended = web.world.finish()
        assert ended.error == "RollFailed"
        assert f"{new} (target group web: Target.NotRegistered)" in ended.cause
        assert web.revisions == {fleets.OLD: 3}


def arrived(web: Fleet) -> list[str]:
    """The new instances that are in service."""
    return [
        member.instance_id
        for member in web.group.members.values()
        if member.lifecycle == "InService" and member.template["Version"] == "2"
    ]


def test_a_slow_start_within_its_time_is_no_failure() -> None:
    with a_fleet_of(2) as web:
        world = web.world

        def slow(instance: str, disk: Disk) -> bool:
            age = world.now() - world.cloud.ec2.instances.all[instance].launched
            return disk.revision == fleets.OLD or age > timedelta(seconds=80)

        world.machines.healthy = slow
        new = world.upload("two")
        assert world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: 2}


def test_its_owner_may_give_it_more_time() -> None:
    with a_fleet_of(2, roll={"warmup_seconds": 400}) as web:
        world = web.world

        def slow(instance: str, disk: Disk) -> bool:
            age = world.now() - world.cloud.ec2.instances.all[instance].launched
            return disk.revision == fleets.OLD or age > timedelta(seconds=300)

        world.machines.healthy = slow
        new = world.upload("two")
        assert world.finish().status == "SUCCEEDED"
        assert web.revisions == {new: 2}


def test_a_launch_whose_event_is_lost_is_found_all_the_same() -> None:
    with a_fleet_of() as web:
        web.world.delivery.lost.add("EC2 ")
        sick_from(web, 0)
        assert "get no traffic" in failed(web)


# At the end they are counted ---------------------------------------------------------------------


def falls_sick_at_the_end(web: Fleet) -> str:
    """The last new instance, when it was found healthy and the refresh is about to end."""
    web.world.upload("two")
    web.world.run_until(lambda: len(arrived(web)) == 3, hours=2)
    web.world.run_for(seconds=105)
    sick = arrived(web)[-1]
    harm(web, sick)
    web.world.machines.healthy = lambda instance, _: instance != sick
    return sick


def harm(web: Fleet, *instances: str) -> None:
    """They fail by themselves: the invariants do not promise them."""
    watch: Invariants = web.forgive.__self__  # type: ignore[attr-defined]
    watch.harmed |= set(instances)


def test_one_that_falls_sick_at_the_end_is_waited_for_and_then_undone() -> None:
    with a_fleet_of() as web:
        sick = falls_sick_at_the_end(web)
        ended = web.world.finish()
        assert ended.error == "RollFailed"
        assert f"{sick} (target group web: Target.FailedHealthChecks)" in ended.cause
        assert "3 of 3 instances are on the wanted version, but 1 of them is not" in ended.cause
        assert web.revisions == {fleets.OLD: 3}


def test_one_that_recovers_at_the_end_is_no_failure() -> None:
    with a_fleet_of() as web:
        falls_sick_at_the_end(web)
        web.world.run_for(minutes=6)
        web.world.machines.healthy = lambda *_: True
        assert web.world.finish().status == "SUCCEEDED"
        assert fleets.OLD not in web.revisions


def test_what_the_balancers_say_at_the_end_of_an_undo_is_told() -> None:
    """Whoever suspended the process has to register what was launched meanwhile."""
    with a_fleet_of() as web:
        web.world.upload("two")
        web.world.run_until(lambda: len(arrived(web)) == 2, hours=1)
        suspend(web.world, "AddToLoadBalancer")
        harm(web, *arrived(web))  # what replaces them gets no traffic
        ended = web.world.finish()
        assert ended.error == "RollFailed"
        assert "in service get no traffic" in web.world.notices[-1]
        assert "Target.NotRegistered" in web.world.notices[-1]
        for member in web.group.members:
            web.world.cloud.elbv2.register(web.target_group, member)
        web.world.run_for(minutes=2)
        web.forgive()


def test_classic_balancers_are_asked_at_the_end_of_an_undo_too() -> None:
    with a_fleet_of() as web:
        attach_a_classic_one(web.world)
        web.world.upload("two")
        web.world.run_until(lambda: len(arrived(web)) == 2, hours=1)
        web.world.operator("autoscaling", "CancelInstanceRefresh", AutoScalingGroupName="web")
        assert web.world.finish().error == "RollFailed"
        assert web.is_as_before()
        asked = {(each.function, each.operation) for each in web.world.calls}
        assert ("undo_rollout", "DescribeInstanceHealth") in asked


# And it costs little ------------------------------------------------------------------------------


def looks(web: Fleet) -> list[str]:
    """The operations that RollGroup asked for."""
    return [each.operation for each in web.world.calls if each.function == "roll_group"]


def test_a_group_that_asks_its_balancers_itself_costs_three_questions() -> None:
    """At the first new instance in service, before it is warm, and at the end."""
    with a_fleet_of(4, kind="ELB") as web:
        web.world.upload("two")
        assert web.world.finish().status == "SUCCEEDED"
        assert looks(web).count("DescribeTargetHealth") <= 3
        assert looks(web).count("DescribeInstanceRefreshes") <= 4


def test_without_balancers_nobody_is_asked() -> None:
    with present() as world:
        web = fleets.make(world, size=2, addresses=0)
        web.group.target_groups = ()
        world.upload("two")
        assert world.finish().status == "SUCCEEDED"
        assert "DescribeTargetHealth" not in looks(web)


def test_a_large_group_is_not_watched_at_every_batch() -> None:
    with a_fleet_of(20, maximum=40) as web:
        web.world.upload("two")
        assert web.world.finish(hours=12).status == "SUCCEEDED"
        assert looks(web).count("DescribeTargetHealth") <= 14
