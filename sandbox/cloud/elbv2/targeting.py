"""What Auto Scaling, the alarms and the balancer ask of target groups."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from sandbox.cloud.elbv2.balancer import Balancer
from sandbox.cloud.elbv2.checks import Checks, Instances
from sandbox.cloud.elbv2.target import DRAINING, Health, Target
from sandbox.cloud.elbv2.targetgroup import TargetGroup
from sandbox.cloud.errors import AwsError
from sandbox.cloud.kernel import Kernel
from sandbox.cloud.machines import Machines


class Targeting:
    """Target groups by ARN, and the way of instances into them and out."""

    def __init__(self, kernel: Kernel, ec2: Instances, machines: Machines) -> None:
        self._kernel, self._ec2 = kernel, ec2
        self.target_groups: dict[str, TargetGroup] = {}
        self.balancers: dict[str, Balancer] = {}
        self._checks = Checks(kernel, ec2, machines, self._tell, self.in_use)
        self._listeners: list[Callable[[str], None]] = []

    def target_group(self, arn: str) -> TargetGroup:
        """The target group, or a refusal."""
        if arn not in self.target_groups:
            raise AwsError("TargetGroupNotFound", f"Target group '{arn}' not found")
        return self.target_groups[arn]

    def on_change(self, listener: Callable[[str], None]) -> None:
        """Tell the listener the instance id of every target whose health changed or that went."""
        self._listeners.append(listener)

    def healthy_targets(self, arn: str) -> list[tuple[str, int]]:
        """Where the balancer may send a request: (instance id, port)."""
        targets = self.target_group(arn).targets
        return [key for key, target in targets.items() if target.health.state == "healthy"]

    def health(self, arn: str, instance_id: str) -> Health | None:
        """The health of an instance in a target group, ``None`` if it is not registered."""
        group = self.target_group(arn)
        target = group.targets.get((instance_id, group.port)) or next(
            (t for (i, _), t in group.targets.items() if i == instance_id), None
        )
        return target.health if target else None

    def in_use(self, group: TargetGroup, instance_id: str) -> bool:
        """Whether a balancer sends traffic to the instance's zone through the group.

        Source: Elastic Load Balancing API reference, TargetHealth, Target.NotInUse: no balancer
        uses the group, or the target's zone is not enabled for it.
        """
        return any(
            not (zones := self._zones(self.balancers[arn])) or self._ec2.zone(instance_id) in zones
            for arn in group.balancers
        )

    def _zones(self, balancer: Balancer) -> set[str]:
        return self._ec2.zones(balancer.put.get("Subnets", ()))

    def register(self, arn: str, instance_id: str, port: int | None = None) -> None:
        """Register an instance; one that drains comes back, one that is there stays."""
        group = self.target_group(arn)
        key = (instance_id, port or group.port)
        known = group.targets.get(key)
        if known is not None and known.health is not DRAINING:
            return
        target = group.targets[key] = Target(*key)
        self._checks.begin(group, target)
        self._tell(group, target)

    def deregister(self, arn: str, instance_id: str, port: int | None = None) -> None:
        """Begin to drain an instance; it is gone when the deregistration delay has passed.

        The state stays ``draining`` for the whole delay, also when nothing is in flight.
        Source: Application Load Balancers, "Edit target group attributes".
        """
        group = self.target_group(arn)
        for key, target in list(group.targets.items()):
            if key[0] != instance_id or (port is not None and key[1] != port):
                continue
            if target.health is DRAINING:
                continue
            if group.balancers and self._ec2.state(instance_id) == "running":
                target.health = DRAINING
                self._kernel.after(group.drain, partial(self._drained, group, target))
            else:
                del group.targets[key]  # nothing was ever sent to it
            self._tell(group, target)

    def metric(self, name: str, dimensions: Mapping[str, str]) -> float | None:
        """A metric of AWS/ApplicationELB; ``None`` where it has no datapoint.

        Source: Application Load Balancers, "CloudWatch metrics": the host counts are reported
        while there are registered targets.
        """
        group = next(
            (
                group
                for group in self.target_groups.values()
                if group.dimension == dimensions.get("TargetGroup")
            ),
            None,
        )
        if group is None or not group.targets:
            return None
        state = {"HealthyHostCount": "healthy", "UnHealthyHostCount": "unhealthy"}.get(name)
        return float(group.count(state)) if state else None

    def _drained(self, group: TargetGroup, target: Target) -> None:
        key = (target.instance_id, target.port)
        if group.targets.get(key) is target:
            del group.targets[key]
            self._tell(group, target)

    def _tell(self, _group: TargetGroup, target: Target) -> None:
        for listener in self._listeners:
            listener(target.instance_id)
