"""How an instance leaves a group: out of the balancer, drained, terminated."""

from __future__ import annotations

from sandbox.cloud.autoscaling.activity import Activity
from sandbox.cloud.autoscaling.ground import Instances, Targets
from sandbox.cloud.autoscaling.group import Group
from sandbox.cloud.autoscaling.health import Health
from sandbox.cloud.autoscaling.member import Member
from sandbox.cloud.autoscaling.notices import Notices, stamp
from sandbox.cloud.kernel import Kernel


class Departures:
    """Begins and follows terminations, and the way into standby."""

    def __init__(
        self, kernel: Kernel, ec2: Instances, elbv2: Targets, health: Health, notices: Notices
    ) -> None:
        self._kernel, self._ec2, self._elbv2 = kernel, ec2, elbv2
        self._health, self._notices = health, notices

    def begin(self, group: Group, member: Member, why: str) -> Activity:
        """Begin to terminate a member; its targets drain first."""
        now = self._kernel.now()
        if member.activity.end is None:
            member.activity.finish("Cancelled", now)  # it leaves before it was in service
        activity = Activity(
            activity_id=self._kernel.ids.uuid(),
            group=group.name,
            group_arn=group.arn,
            description=f"Terminating EC2 instance: {member.instance_id}",
            cause=f"At {stamp(now)} {why}",
            start=now,
            request_id=self._kernel.ids.uuid(),
            instance_id=member.instance_id,
            details={"Subnet ID": member.subnet, "Availability Zone": member.zone},
        )
        group.activities.insert(0, activity)
        member.lifecycle, member.activity = "Terminating", activity
        self._leave_balancer(group, member)
        return activity

    def begin_standby(self, group: Group, member: Member) -> None:
        """Begin to take a member out of service; its targets drain."""
        member.lifecycle = "EnteringStandby"
        self._leave_balancer(group, member)

    def follow(self, group: Group, member: Member) -> None:
        """Take the next step of a member that leaves.

        It stays ``Terminating`` while its targets drain. Source: Application Load Balancers,
        "Deregistration delay"; Auto Scaling API reference, ScalingActivityStatusCode.
        """
        state = self._health.state(member)
        drains = self._health.drains(group, member) and state == "running"
        if member.lifecycle == "EnteringStandby":
            if not drains:
                member.lifecycle = "Standby"
        elif state == "terminated":
            member.activity.finish("Successful", self._kernel.now())
            self._notices.terminated(group, member.activity, ok=True)
            del group.members[member.instance_id]
        elif drains:
            member.activity.status = "WaitingForELBConnectionDraining"
        elif state != "shutting-down":
            member.activity.status = "InProgress"
            self._ec2.terminate(member.instance_id)

    def _leave_balancer(self, group: Group, member: Member) -> None:
        for arn in group.feeds:
            self._elbv2.deregister(arn, member.instance_id)
