"""What other people and programs do meanwhile, in a simulated world."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tests.simulation.members import member

if TYPE_CHECKING:
    from tests.simulation.simulated import Simulated


def somebody_refreshes(sim: Simulated, amount: float) -> None:
    preferences = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 150, "InstanceWarmup": 30}
    sim.operator(
        "autoscaling",
        "StartInstanceRefresh",
        AutoScalingGroupName=sim.fleet.name,
        Preferences=preferences | {"SkipMatching": amount < 0.5},
    )


def somebody_cancels(sim: Simulated, amount: float) -> None:
    sim.operator(
        "autoscaling",
        "CancelInstanceRefresh",
        AutoScalingGroupName=sim.fleet.name,
        WaitForTransitioningInstances=amount < 0.5,
    )


def somebody_cancels_and_refreshes(sim: Simulated, amount: float) -> None:
    sim.operator(
        "autoscaling",
        "CancelInstanceRefresh",
        AutoScalingGroupName=sim.fleet.name,
        WaitForTransitioningInstances=False,
    )
    somebody_refreshes(sim, amount)


def somebody_rolls_back(sim: Simulated, _amount: float) -> None:
    sim.operator("autoscaling", "RollbackInstanceRefresh", AutoScalingGroupName=sim.fleet.name)


def rollback_cancelled(sim: Simulated, amount: float) -> None:
    somebody_rolls_back(sim, amount)
    sim.later(5 + amount * 60, lambda: somebody_cancels(sim, amount))


def default_version_edited(sim: Simulated, _amount: float) -> None:
    sim.operator(
        "ec2", "ModifyLaunchTemplate", LaunchTemplateId=sim.fleet.template, DefaultVersion="1"
    )


def version_published(sim: Simulated, _amount: float) -> None:
    sim.operator(
        "ec2",
        "CreateLaunchTemplateVersion",
        LaunchTemplateId=sim.fleet.template,
        SourceVersion="1",
        LaunchTemplateData={"InstanceType": "t3.large"},
    )
    if sim.fleet.saved_version == "$Latest":
        sim.excused.add("the group launches another version than its instances run")


def group_given_another_version(sim: Simulated, _amount: float) -> None:
    """Somebody publishes a version of their own and gives it to the group."""
    if sim.schedule.made.mixed:
        return
    made = sim.operator(
        "ec2",
        "CreateLaunchTemplateVersion",
        LaunchTemplateId=sim.fleet.template,
        SourceVersion="1",
        LaunchTemplateData={"InstanceType": "t3.large"},
    )
    version = str(made["LaunchTemplateVersion"]["VersionNumber"])
    sim.operator(
        "autoscaling",
        "UpdateAutoScalingGroup",
        AutoScalingGroupName=sim.fleet.name,
        LaunchTemplate={"LaunchTemplateId": sim.fleet.template, "Version": version},
    )
    sim.invariants.edited()
    sim.excused.add("the group was edited")


def group_follows_latest(sim: Simulated, _amount: float) -> None:
    """Somebody edits the group in the middle: AWS cannot roll it back any more."""
    specification = {"LaunchTemplateId": sim.fleet.template, "Version": "$Latest"}
    if sim.schedule.made.mixed:
        return
    sim.operator(
        "autoscaling",
        "UpdateAutoScalingGroup",
        AutoScalingGroupName=sim.fleet.name,
        LaunchTemplate=specification,
    )
    sim.invariants.edited()
    sim.excused.add("the group was edited")


def size_changed(sim: Simulated, amount: float) -> None:
    group = sim.fleet.group
    wanted = round(amount * (group.desired + 4))
    sim.operator(
        "autoscaling",
        "UpdateAutoScalingGroup",
        AutoScalingGroupName=sim.fleet.name,
        DesiredCapacity=min(wanted, group.maximum // 2),  # the next roll needs room
    )


def image_deleted(sim: Simulated, amount: float) -> None:
    images = [image.image_id for image in sim.fleet.images] or [sim.fleet.image]
    image = sim.fleet.image if amount < 0.2 else images[-1]
    sim.invariants.deleted.add(image)
    sim.operator("ec2", "DeregisterImage", ImageId=image, DeleteAssociatedSnapshots=True)
    sim.excused.add("an image was deleted")


def process_suspended(sim: Simulated, amount: float) -> None:
    processes = ("Launch", "Terminate", "InstanceRefresh", "ReplaceUnhealthy", "HealthCheck")
    _suspended(sim, processes[int(amount * len(processes))], amount)


def balancer_forgotten(sim: Simulated, amount: float) -> None:
    """New instances are not registered with the target groups, so they get no traffic."""
    sim.excused.add("new instances were kept from the balancer")
    sim.invariants.waived = True
    _suspended(sim, "AddToLoadBalancer", amount)


def _suspended(sim: Simulated, process: str, amount: float) -> None:
    asked = {"AutoScalingGroupName": sim.fleet.name, "ScalingProcesses": [process]}
    sim.operator("autoscaling", "SuspendProcesses", **asked)
    sim.later(300 + amount * 7200, lambda: sim.operator("autoscaling", "ResumeProcesses", **asked))


def tag_not_propagated(sim: Simulated, amount: float) -> None:
    """Instances launched from now on do not carry the tag that says whose they are."""
    sim.propagate_tag(False)
    sim.later(60 + amount * 7200, sim.propagate_tag)


def address_taken(sim: Simulated, amount: float) -> None:
    """For an instance of somebody else."""
    if not sim.fleet.allocations:
        return
    answer = sim.operator(
        "ec2",
        "RunInstances",
        ImageId=sim.other_image,
        InstanceType="t3.small",
        MinCount=1,
        MaxCount=1,
    )
    if not answer:
        return
    instance = answer["Instances"][0]["InstanceId"]
    allocation = sim.fleet.allocations[int(amount * len(sim.fleet.allocations))]

    def take() -> None:
        unseeable = _about_to_move(sim, allocation)
        sim.operator(
            "ec2",
            "AssociateAddress",
            AllocationId=allocation,
            InstanceId=instance,
            AllowReassociation=True,
        )
        if not unseeable:
            sim.invariants.see_strangers()

    sim.later(30, take)


def _about_to_move(sim: Simulated, allocation: str) -> bool:
    """Whether a step has had its last look at the address, and not moved it yet.

    AWS has no call that moves an address only if its holder is still the same, so whoever takes it
    in this moment loses it again (docs/limits.md).
    """
    before, last = [None, None, *sim.world.calls][-2:]
    return (
        last is not None
        and (last.operation, last.params.get("AllocationIds"))
        == ("DescribeAddresses", [allocation])
        and (before is None or before.operation != "AssociateAddress")
    )


def address_freed(sim: Simulated, amount: float) -> None:
    if not sim.fleet.allocations:
        return
    allocation = sim.fleet.allocations[int(amount * len(sim.fleet.allocations))]
    address = sim.world.cloud.ec2.addresses.all[allocation]
    if address.association_id:
        sim.operator("ec2", "DisassociateAddress", AssociationId=address.association_id)
        sim.invariants.see_strangers()


def into_standby(sim: Simulated, amount: float) -> None:
    instance = member(sim, amount)
    if not instance:
        return
    sim.invariants.harmed.add(instance)
    asked = {"AutoScalingGroupName": sim.fleet.name, "InstanceIds": [instance]}
    sim.operator("autoscaling", "EnterStandby", ShouldDecrementDesiredCapacity=True, **asked)


def protected(sim: Simulated, amount: float) -> None:
    if instance := member(sim, amount):
        sim.operator(
            "autoscaling",
            "SetInstanceProtection",
            AutoScalingGroupName=sim.fleet.name,
            InstanceIds=[instance],
            ProtectedFromScaleIn=True,
        )


def document_broken(sim: Simulated, amount: float) -> None:
    texts = (
        "{",
        '{"groups": []}',
        '{"groups": ["web"], "rol": {}, "relaese": {}}',
        '{"groups": ["web"], "groups": ["web"]}',
        '{"groups": ["web"], "roll": {"stall_minutes": "5"}, "bake": {"instal": []}}',
    )
    sim.write_parameter(texts[int(amount * len(texts))])
    sim.later(60 + amount * 1800, sim.write_document)


def document_changed(sim: Simulated, _amount: float) -> None:
    """Other install scripts: the bake under way is not the one that is wanted now."""
    sim.write_document(bake={"install": ["true"]})
    sim.later(3600, sim.write_document)


def execution_stopped(sim: Simulated, amount: float) -> None:
    """StopExecution by hand; some people redrive it afterwards."""
    running = next((each for each in sim.world.rollouts if each.running), None)
    if running is None:
        return
    sim.world.states.stop({"executionArn": running.arn, "cause": "stopped by hand"})
    if amount < 0.5:
        sim.later(30 + amount * 7200, lambda: sim.redrive(running))


def execution_sleeps(sim: Simulated, amount: float) -> None:
    """Longer than its lease on the lane, mostly."""
    running = next((each for each in sim.world.rollouts if each.running), None)
    if running is not None:
        running.sleep(timedelta(minutes=10 + amount * 230))
