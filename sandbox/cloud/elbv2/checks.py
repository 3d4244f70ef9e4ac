"""The health checks of targets, on the kernel's timeline."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Protocol

from sandbox.cloud.elbv2.target import NOT_IN_USE, STOPPED, Target
from sandbox.cloud.elbv2.targetgroup import TargetGroup
from sandbox.cloud.kernel import Kernel
from sandbox.cloud.machines import Machines

_REGISTRATION = timedelta(seconds=1)


class Instances(Protocol):
    """What is asked of EC2."""

    def state(self, instance_id: str) -> str: ...

    def zone(self, instance_id: str) -> str: ...

    def zones(self, subnets: Iterable[str]) -> set[str]: ...


class Checks:
    """Asks every registered target at its group's interval, for as long as it is registered."""

    def __init__(
        self,
        kernel: Kernel,
        ec2: Instances,
        machines: Machines,
        changed: Callable[[TargetGroup, Target], None],
        in_use: Callable[[TargetGroup, str], bool],
    ) -> None:
        self._kernel, self._ec2, self._machines = kernel, ec2, machines
        self._changed, self._in_use = changed, in_use

    def begin(self, group: TargetGroup, target: Target) -> None:
        """Check a newly registered target soon, and then at the interval."""
        self._kernel.after(_REGISTRATION, lambda: self._check(group, target))

    def _check(self, group: TargetGroup, target: Target) -> None:
        if not _is_checked(group, target):
            return
        before = target.health
        state = self._ec2.state(target.instance_id)
        if state == "terminated":  # the balancer forgets it by itself
            del group.targets[(target.instance_id, target.port)]
            self._changed(group, target)
            return
        if not self._in_use(group, target.instance_id):
            target.health = NOT_IN_USE
        elif state in ("stopping", "stopped", "shutting-down"):
            target.health, target.passed = STOPPED, 0
        else:
            self._machines.probe(
                target.instance_id,
                group.check_port(target),
                group.put["HealthCheckPath"],
                lambda ok: self._answered(group, target, ok),
            )
        if target.health != before:
            self._changed(group, target)
        self._kernel.after(group.interval, lambda: self._check(group, target))

    def _answered(self, group: TargetGroup, target: Target, ok: bool) -> None:
        if not _is_checked(group, target):
            return  # deregistered while the answer was on its way
        before = target.health
        target.judge(
            ok,
            to_healthy=group.put["HealthyThresholdCount"],
            to_unhealthy=group.put["UnhealthyThresholdCount"],
        )
        if target.health != before:
            self._changed(group, target)


def _is_checked(group: TargetGroup, target: Target) -> bool:
    registered = group.targets.get((target.instance_id, target.port)) is target
    return registered and target.health.state != "draining"
