"""How a group launches an instance, until it is in service."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from sandbox.cloud.autoscaling.activity import Activity
from sandbox.cloud.autoscaling.configuration import Source, by_id, resolve
from sandbox.cloud.autoscaling.ground import Instances, Targets
from sandbox.cloud.autoscaling.group import Group
from sandbox.cloud.autoscaling.health import Health
from sandbox.cloud.autoscaling.member import Member
from sandbox.cloud.autoscaling.notices import Notices, stamp
from sandbox.cloud.errors import AwsError
from sandbox.cloud.kernel import Kernel

_LONGEST_PAUSE = timedelta(minutes=2)


class Launches:
    """Launches, and follows what was launched."""

    def __init__(
        self, kernel: Kernel, ec2: Instances, elbv2: Targets, health: Health, notices: Notices
    ) -> None:
        self._kernel, self._ec2, self._elbv2 = kernel, ec2, elbv2
        self._health, self._notices = health, notices

    def launch(self, group: Group, count: int) -> None:
        """Launch up to ``count`` instances; after a failure the rest waits for the next look."""
        now = self._kernel.now()
        if group.no_launch_before is not None and now < group.no_launch_before:
            return
        for _ in range(count):
            if not self._one(group):
                return

    def follow(self, group: Group, member: Member) -> None:
        """Take a pending member into service, or give it up."""
        state = self._health.state(member)
        if state == "running":
            member.lifecycle, member.in_service_at = "InService", self._kernel.now()
            if member.activity.end is None:
                member.activity.finish("Successful", self._kernel.now())
                self._notices.launched(group, member.activity, ok=True)
            group.failed_launches, group.no_launch_before = 0, None
            self.add_to_balancer(group, member)
        elif state != "pending":
            reason = self._ec2.reason(member.instance_id)
            message = (
                "Instance became unhealthy while waiting for instance to be in InService state. "
                f"Termination Reason: {reason}"
            )
            self._ec2.terminate(member.instance_id)
            del group.members[member.instance_id]
            self._failed(group, member.activity, message)

    def add_to_balancer(self, group: Group, member: Member) -> None:
        """Register with the target groups, unless that process is suspended."""
        if "AddToLoadBalancer" not in group.suspended:
            for arn in group.feeds:
                self._elbv2.register(arn, member.instance_id)

    def _one(self, group: Group) -> bool:
        source = group.launches_from().sources()[0]
        subnet, zone = self._place(group)
        now, active = self._kernel.now(), group.units
        activity = Activity(
            activity_id=self._kernel.ids.uuid(),
            group=group.name,
            group_arn=group.arn,
            description="Launching a new EC2 instance",
            cause=(
                f"At {stamp(now)} an instance was started in response to a difference between "
                f"desired and actual capacity, increasing the capacity from {active} to "
                f"{active + source.weight}."
            ),
            start=now,
            request_id=self._kernel.ids.uuid(),
            details={"Subnet ID": subnet, "Availability Zone": zone},
            status="PreInService",
        )
        group.activities.insert(0, activity)
        try:
            resolved = resolve(source.template, self._ec2)
            instance_id = self._ec2.launch(
                template=by_id(source.template),
                overrides=dict(source.overrides),
                subnet_id=subnet,
                tags=_tags(group),
                launched_by=group.name,
            )
        except AwsError as error:
            message = f"{error.message} Launching EC2 instance failed."
            self._failed(group, activity, message)
            return False
        activity.instance_id = instance_id
        activity.description = f"Launching a new EC2 instance: {instance_id}"
        refresh = group.refresh
        group.members[instance_id] = Member(
            instance_id=instance_id,
            zone=zone,
            subnet=subnet,
            instance_type=_type(source, resolved),
            template={
                "LaunchTemplateId": resolved["LaunchTemplateId"],
                "LaunchTemplateName": resolved["LaunchTemplateName"],
                "Version": str(resolved["Version"]),
            },
            image_override=source.overrides.get("ImageId"),
            launched=now,
            activity=activity,
            batch=refresh.key if refresh is not None else None,
            protected=group.protects_new,
            weight=source.weight,
            weighs=source.weighs,
        )
        return True

    def _failed(self, group: Group, activity: Activity, message: str) -> None:
        """AWS slows a group down whose launches fail; the figures are not published."""
        now = self._kernel.now()
        activity.finish("Failed", now, message)
        self._notices.launched(group, activity, ok=False)
        group.failed_launches += 1
        pause = min(timedelta(seconds=10) * 2 ** min(group.failed_launches, 8), _LONGEST_PAUSE)
        group.no_launch_before = now + self._kernel.scaled(pause)

    def _place(self, group: Group) -> tuple[str, str]:
        """The subnet and zone with the fewest instances."""
        used = Counter(member.subnet for member in group.active)
        subnet = min(group.subnets, key=lambda each: used[each])
        return subnet, group.zones[group.subnets.index(subnet)]


def _tags(group: Group) -> dict[str, str]:
    sent = {key: tag.value for key, tag in group.tags.items() if tag.propagate}
    return {**sent, "aws:autoscaling:groupName": group.name}


def _type(source: Source, resolved: dict[str, Any]) -> str:
    found = source.overrides.get("InstanceType") or resolved["Data"].get("InstanceType")
    return str(found or "m1.small")  # EC2's own default, where nobody names a type
