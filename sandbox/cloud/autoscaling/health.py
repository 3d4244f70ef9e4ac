"""Whether an instance of a group is well."""

from __future__ import annotations

from datetime import datetime, timedelta

from sandbox.cloud.autoscaling.ground import Instances, Targets
from sandbox.cloud.autoscaling.group import Group
from sandbox.cloud.autoscaling.member import Member
from sandbox.cloud.errors import AwsError
from sandbox.cloud.kernel import Kernel


class Health:
    """Looks at EC2's state and, for groups with ELB checks, at the targets."""

    def __init__(self, kernel: Kernel, ec2: Instances, elbv2: Targets) -> None:
        self._kernel, self._ec2, self._elbv2 = kernel, ec2, elbv2

    def state(self, member: Member) -> str:
        """EC2's state; EC2 forgets an instance some time after it was terminated."""
        try:
            return self._ec2.state(member.instance_id)
        except AwsError:
            return "terminated"

    def drains(self, group: Group, member: Member) -> bool:
        """Whether a balancer may still have requests under way to it."""
        return any(
            (health := self._elbv2.health(arn, member.instance_id)) and health.state == "draining"
            for arn in group.feeds
        )

    def passes(self, group: Group, member: Member) -> bool:
        """In service and healthy by every check that the group makes."""
        return (
            member.lifecycle == "InService"
            and member.healthy
            and self.state(member) == "running"
            and not (group.checks_targets and self._fails(group, member, ("unhealthy", "initial")))
        )

    def warm_at(self, group: Group, member: Member) -> datetime | None:
        """When a member that the active refresh launched is warm, ``None`` for all others.

        The warm-up begins when the instance enters InService. Source: Auto Scaling API reference,
        RefreshPreferences, InstanceWarmup.
        """
        refresh = group.refresh
        if refresh is None or member.in_service_at is None or member.batch is None:
            return None
        if not member.batch.startswith(refresh.refresh_id):
            return None
        return member.in_service_at + self._kernel.scaled(refresh.preferences.warmup)

    def is_warm(self, group: Group, member: Member) -> bool:
        """Whether the warm-up of the refresh that launched it has passed."""
        warm_at = self.warm_at(group, member)
        return warm_at is None or self._kernel.now() >= warm_at

    def is_ready(self, group: Group, member: Member) -> bool:
        """What the minimum healthy percentage counts."""
        return self.passes(group, member) and self.is_warm(group, member)

    def look(self, group: Group, member: Member) -> None:
        """Mark the member unhealthy if a check that counts now fails.

        An instance that does not run is unhealthy at once; the grace period only holds back the
        verdict of the balancer. Source: Auto Scaling user guide, "Set the health check grace
        period for an Auto Scaling group".
        """
        if member.lifecycle != "InService" or "HealthCheck" in group.suspended:
            return
        if self.state(member) != "running":
            member.healthy = False
        elif group.checks_targets and not self.in_grace(group, member):
            member.healthy &= not self._fails(group, member, ("unhealthy",))

    def in_grace(self, group: Group, member: Member) -> bool:
        if member.in_service_at is None or group.grace <= timedelta(0):
            return False
        return self._kernel.now() < member.in_service_at + self._kernel.scaled(group.grace)

    def _fails(self, group: Group, member: Member, states: tuple[str, ...]) -> bool:
        return any(
            (health := self._elbv2.health(arn, member.instance_id)) and health.state in states
            for arn in group.feeds
        )
