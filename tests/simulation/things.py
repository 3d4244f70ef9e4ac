"""What goes wrong with things, in a simulated world; ``amount``, 0 to 1, is how much of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from sandbox.cloud.imaginary import Disk
from tests.simulation.members import member
from tests.stories.fleets import OLD

if TYPE_CHECKING:
    from tests.simulation.simulated import Simulated


def no_room(sim: Simulated, amount: float) -> None:
    """A few launches are refused: a builder goes elsewhere, a roll waits."""
    sim.world.cloud.ec2.launching.lack_capacity(times=1 + int(amount * 8))


def no_room_at_all(sim: Simulated, amount: float) -> None:
    sim.world.cloud.ec2.launching.lack_capacity(times=20 + int(amount * 300))


def quota_used_up(sim: Simulated, amount: float) -> None:
    sim.world.cloud.ec2.launching.exceed_quota(times=1 + int(amount * 100))


# One of each class that EC2 refuses a launch with. Source: EC2 API reference, "Error codes".
_REFUSALS = (
    ("InsufficientInstanceCapacity", "We currently do not have sufficient capacity."),
    ("InsufficientFreeAddressesInSubnet", "The subnet does not have enough free addresses."),
    ("Unsupported", "Your requested instance type is not supported in this Availability Zone."),
    ("SpotMaxPriceTooLow", "Your Spot request price is lower than the minimum."),
    ("VcpuLimitExceeded", "You have requested more vCPU capacity than your current limit."),
    ("MaxSpotInstanceCountExceeded", "Max spot instance count exceeded"),
    ("InvalidKeyPair.NotFound", "The key pair 'web' does not exist"),
    ("InvalidParameterValue", "Value (web) for parameter iamInstanceProfile.name is invalid."),
    ("InvalidBlockDeviceMapping", "Volume of size 8GB is smaller than snapshot, expect >= 30GB"),
    ("InvalidGroup.NotFound", "The security group 'sg-0123456789abcdef0' does not exist"),
    ("UnauthorizedOperation", "You are not authorized to perform this operation."),
    ("PendingVerification", "Your request for accessing resources is being validated."),
    ("Blocked", "This account is currently blocked and not recognized as a valid account."),
    ("OptInRequired", "You are not subscribed to this service or AMI."),
    ("Client.NeverHeardOf", "Something new"),
)


def ec2_refuses(sim: Simulated, amount: float) -> None:
    """Some launches are refused, for one of the reasons that EC2 has."""
    place = amount * len(_REFUSALS)
    code, text = _REFUSALS[min(int(place), len(_REFUSALS) - 1)]
    sim.world.cloud.ec2.launching.refuse(code, text, times=1 + int(place % 1 * 60))


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
    if instance := member(sim, amount):
        sim.invariants.harmed.add(instance)
        sim.operator("ec2", "TerminateInstances", InstanceIds=[instance])


def instance_sick(sim: Simulated, amount: float) -> None:
    if instance := member(sim, amount):
        sim.sick.add(instance)


def alarm_goes_off(sim: Simulated, amount: float) -> None:
    sim.set_alarm("ALARM")
    sim.later(60 + amount * 3600, lambda: sim.set_alarm("OK"))


def alarm_without_data(sim: Simulated, amount: float) -> None:
    sim.set_alarm("INSUFFICIENT_DATA")
    sim.later(60 + amount * 3600, lambda: sim.set_alarm("OK"))


def lambda_busy(sim: Simulated, amount: float) -> None:
    """For up to an hour the account's functions are too many to be invoked at once."""
    sim.keep_lambda_busy(timedelta(seconds=20 + 3580 * amount**3))


def rings_flood(sim: Simulated, amount: float) -> None:
    """For some minutes events tell, again and again, of things that somebody waits for."""
    for number in range(10 + int(amount * 150)):
        sim.later(number * 2.0, lambda: _ring(sim))


def _ring(sim: Simulated) -> None:
    world = sim.world
    for key in sorted(world.ledger()):
        name = key.removeprefix("doorbell#")
        if name.startswith("i-"):
            detail = {"instance-id": name, "state": "running"}
            world.put_event("aws.ec2", "EC2 Instance State-change Notification", detail)
        elif name.startswith("ami-"):
            detail = {"RequestId": "", "ImageId": name, "State": "available", "ErrorMessage": ""}
            world.put_event("aws.ec2", "EC2 AMI State Change", detail)
    for refresh in sim.fleet.refreshes[:1]:
        detail = {
            "InstanceRefreshId": refresh.refresh_id,
            "AutoScalingGroupName": sim.fleet.name,
        }
        world.put_event("aws.autoscaling", "EC2 Auto Scaling Instance Refresh Started", detail)
