"""What goes wrong with things, and what other people do: by name, in a simulated world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from sandbox.cloud.imaginary import Disk
from tests.stories.fleets import OLD

if TYPE_CHECKING:
    from tests.simulation.simulated import Simulated

Act = Callable[["Simulated", float], None]


@dataclass(frozen=True)
class Sort:
    """One sort of mishap, and after which function's first call it usually comes."""

    act: Act
    after: tuple[str, ...]


# Things -------------------------------------------------------------------------------------------


def no_room(sim: Simulated, amount: float) -> None:
    """A few launches are refused: a builder goes elsewhere, a roll waits."""
    sim.world.cloud.ec2.launching.lack_capacity(times=1 + int(amount * 8))


def no_room_at_all(sim: Simulated, amount: float) -> None:
    sim.world.cloud.ec2.launching.lack_capacity(times=20 + int(amount * 300))


def quota_used_up(sim: Simulated, amount: float) -> None:
    sim.world.cloud.ec2.launching.exceed_quota(times=1 + int(amount * 100))


def launches_die(sim: Simulated, amount: float) -> None:
    sim.world.cloud.ec2.launching.never_run(times=1 + int(amount * 5))


def slow_boot(sim: Simulated, amount: float) -> None:
    kernel = sim.world.cloud.kernel
    kernel.durations = replace(kernel.durations, boot=timedelta(seconds=30 + amount * 1200))


def no_agent(sim: Simulated, amount: float) -> None:
    agents = sim.world.cloud.ssm.agents
    if amount < 0.5:
        agents.starts = lambda _instance: False
    else:
        kernel = sim.world.cloud.kernel
        kernel.durations = replace(kernel.durations, agent=timedelta(seconds=amount * 800))


def image_fails(sim: Simulated, _amount: float) -> None:
    sim.world.cloud.ec2.images.fail_next("The snapshot failed", code="Client.SnapshotFailed")


def image_takes_long(sim: Simulated, amount: float) -> None:
    kernel = sim.world.cloud.kernel
    kernel.durations = replace(kernel.durations, image=timedelta(minutes=10 + 1500 * amount**6))


def seen_late(sim: Simulated, amount: float) -> None:
    """Eventual consistency: what is made cannot be seen for up to a minute."""
    sim.world.cloud.kernel.visible_after = timedelta(seconds=1 + amount * 59)


def name_is_taken(sim: Simulated, amount: float) -> None:
    """By an earlier rollout of ours with the same content, or by somebody else's image."""
    for execution in sim.world.rollouts:
        plan = (execution.whole or {}).get("plan") or {}
        name = (plan.get("bake") or {}).get("name")
        if not name or not sim.fleet.group.members:
            continue
        ours = amount < 0.5
        release = execution.whole["release"]
        tags = {"ovenbird:fleet": sim.fleet.name, "ovenbird:bake-key": plan["bake"]["key"]}
        tags |= {"ovenbird:base": plan["base"], "ovenbird:revision": release["revision"]}
        answer = sim.operator(
            "ec2",
            "CreateImage",
            InstanceId=next(iter(sim.fleet.group.members)),
            Name=name,
            NoReboot=True,
            TagSpecifications=[
                {
                    "ResourceType": "image",
                    "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
                }
            ]
            if ours
            else [],
        )
        if answer and ours:
            sim.world.machines.images[answer["ImageId"]] = Disk((OLD, release["revision"]))


def builder_reclaimed(sim: Simulated, _amount: float) -> None:
    for builder in sim.fleet.builders:
        if builder.is_alive:
            sim.operator("ec2", "TerminateInstances", InstanceIds=[builder.instance_id])


def instance_lost(sim: Simulated, amount: float) -> None:
    """A spot interruption, a broken host: an instance of the group is gone."""
    if instance := _member(sim, amount):
        sim.invariants.harmed.add(instance)
        sim.operator("ec2", "TerminateInstances", InstanceIds=[instance])


def instance_sick(sim: Simulated, amount: float) -> None:
    if instance := _member(sim, amount):
        sim.sick.add(instance)


def alarm_goes_off(sim: Simulated, amount: float) -> None:
    sim.set_alarm("ALARM")
    sim.later(60 + amount * 3600, lambda: sim.set_alarm("OK"))


def alarm_without_data(sim: Simulated, amount: float) -> None:
    sim.set_alarm("INSUFFICIENT_DATA")
    sim.later(60 + amount * 3600, lambda: sim.set_alarm("OK"))


# People -------------------------------------------------------------------------------------------


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
    chosen = processes[int(amount * len(processes))]
    asked = {"AutoScalingGroupName": sim.fleet.name, "ScalingProcesses": [chosen]}
    sim.operator("autoscaling", "SuspendProcesses", **asked)
    sim.later(300 + amount * 7200, lambda: sim.operator("autoscaling", "ResumeProcesses", **asked))


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
    instance = _member(sim, amount)
    if not instance:
        return
    sim.invariants.harmed.add(instance)
    asked = {"AutoScalingGroupName": sim.fleet.name, "InstanceIds": [instance]}
    sim.operator("autoscaling", "EnterStandby", ShouldDecrementDesiredCapacity=True, **asked)


def protected(sim: Simulated, amount: float) -> None:
    if instance := _member(sim, amount):
        sim.operator(
            "autoscaling",
            "SetInstanceProtection",
            AutoScalingGroupName=sim.fleet.name,
            InstanceIds=[instance],
            ProtectedFromScaleIn=True,
        )


def document_broken(sim: Simulated, amount: float) -> None:
    sim.write_parameter("{" if amount < 0.5 else '{"groups": []}')
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
        running.sleep(timedelta(minutes=10 + amount * 110))


def _member(sim: Simulated, amount: float) -> str:
    members = [one.instance_id for one in sim.fleet.group.members.values()]
    in_service = [one for one in members if sim.fleet.group.members[one].lifecycle == "InService"]
    return in_service[int(amount * len(in_service))] if in_service else ""


_BAKE, _ROLL, _ANY = ("bake_image",), ("roll_group",), ("plan_rollout", "bake_image", "roll_group")
_LATE = ("roll_group", "move_address", "settle_rollout", "undo_rollout")
SORTS: dict[str, Sort] = {
    "quota used up": Sort(quota_used_up, _ANY),
    "no room for a few": Sort(no_room, _ANY),
    "no room at all": Sort(no_room_at_all, _ANY),
    "launches die": Sort(launches_die, _ANY),
    "slow boot": Sort(slow_boot, _ANY),
    "no agent": Sort(no_agent, ("plan_rollout",)),
    "image fails": Sort(image_fails, _BAKE),
    "image takes long": Sort(image_takes_long, ("plan_rollout",)),
    "seen late": Sort(seen_late, ("",)),
    "image name taken": Sort(name_is_taken, _BAKE),
    "builder reclaimed": Sort(builder_reclaimed, _BAKE),
    "instance lost": Sort(instance_lost, _ANY),
    "instance sick": Sort(instance_sick, _ANY),
    "alarm goes off": Sort(alarm_goes_off, _ANY),
    "alarm without data": Sort(alarm_without_data, _ANY),
    "somebody refreshes": Sort(somebody_refreshes, _ANY + _LATE),
    "somebody cancels the refresh": Sort(somebody_cancels, _ROLL + _LATE),
    "somebody cancels and refreshes": Sort(somebody_cancels_and_refreshes, _ROLL + _LATE),
    "somebody rolls the refresh back": Sort(somebody_rolls_back, _ROLL),
    "rollback cancelled": Sort(rollback_cancelled, _ROLL),
    "default version edited": Sort(default_version_edited, _ANY + _LATE),
    "version published": Sort(version_published, _ANY),
    "group given another version": Sort(group_given_another_version, _ANY + _LATE),
    "group follows $Latest": Sort(group_follows_latest, ("publish_template", "roll_group")),
    "size changed": Sort(size_changed, _ANY + _LATE),
    "image deleted": Sort(image_deleted, ("publish_template", "roll_group", "undo_rollout")),
    "process suspended": Sort(process_suspended, _ANY),
    "address taken": Sort(address_taken, _ANY + _LATE),
    "address freed": Sort(address_freed, _ANY + _LATE),
    "instance in standby": Sort(into_standby, _ANY),
    "instance protected": Sort(protected, _ANY),
    "document broken": Sort(document_broken, _ANY + _LATE),
    "document changed": Sort(document_changed, _ANY),
    "execution sleeps": Sort(execution_sleeps, _ANY + _LATE),
    "execution stopped": Sort(execution_stopped, _ANY + _LATE),
}
