"""EC2 Auto Scaling, put together."""

from __future__ import annotations

from typing import Any

from sandbox.cloud.autoscaling.departures import Departures
from sandbox.cloud.autoscaling.ground import Alarms, Instances, Targets
from sandbox.cloud.autoscaling.group import Group
from sandbox.cloud.autoscaling.groupcalls import GroupCalls
from sandbox.cloud.autoscaling.health import Health
from sandbox.cloud.autoscaling.instancecalls import InstanceCalls
from sandbox.cloud.autoscaling.launches import Launches
from sandbox.cloud.autoscaling.notices import Notices
from sandbox.cloud.autoscaling.reconciler import Reconciler
from sandbox.cloud.autoscaling.refreshcalls import RefreshCalls
from sandbox.cloud.autoscaling.register import Register
from sandbox.cloud.autoscaling.replacement import Replacement
from sandbox.cloud.autoscaling.tagging import TagCalls
from sandbox.cloud.autoscaling.trafficcalls import TrafficCalls
from sandbox.cloud.kernel import Kernel, Operation


class AutoScaling:
    """Groups and their refreshes; ``groups`` by name, for tests and for the sandbox's views."""

    def __init__(self, kernel: Kernel, ec2: Instances, elbv2: Targets, cloudwatch: Alarms) -> None:
        self._register = Register(kernel)
        notices = Notices(kernel)
        health = Health(kernel, ec2, elbv2)
        launches = Launches(kernel, ec2, elbv2, health, notices)
        departures = Departures(kernel, ec2, elbv2, health, notices)
        replacement = Replacement(kernel, ec2, cloudwatch, health, notices)
        self._reconciler = Reconciler(
            kernel, health, launches, departures, replacement, self._forget
        )
        self._calls = (
            GroupCalls(kernel, ec2, elbv2, self._register, self._reconciler),
            TagCalls(self._register),
            TrafficCalls(elbv2, self._register),
            InstanceCalls(kernel, self._register, health, departures, self._reconciler),
            RefreshCalls(kernel, ec2, cloudwatch, self._register, self._reconciler, replacement),
        )
        ec2.on_state(lambda instance_id, _: self._changed(instance_id))
        elbv2.on_change(self._changed)
        cloudwatch.on_change(self._alarmed)

    @property
    def groups(self) -> dict[str, Group]:
        """The groups by name."""
        return self._register.groups

    def operations(self) -> dict[str, Operation]:
        """The operations by the names of the API."""
        return {
            name: operation
            for calls in self._calls
            for name, operation in calls.operations().items()
        }

    def _changed(self, instance_id: str) -> None:
        for group in self.groups.values():
            if instance_id in group.members:
                self._reconciler.wake(group)

    def _alarmed(self, name: str, _state: Any) -> None:
        for group in self.groups.values():
            refresh = group.refresh
            if refresh is not None and name in refresh.preferences.alarms:
                self._reconciler.wake(group)

    def _forget(self, group: Group) -> None:
        del self.groups[group.name]
