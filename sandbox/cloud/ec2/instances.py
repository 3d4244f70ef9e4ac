"""Instances: their states, and how they are found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sandbox.cloud.ec2.devices import Disk
from sandbox.cloud.ec2.tags import Tags
from sandbox.cloud.errors import AwsError
from sandbox.cloud.kernel import Kernel, Operation, Parameters, Result
from sandbox.cloud.machines import Machines
from sandbox.cloud.visibility import Visibility

CODES = {
    "pending": 0,
    "running": 16,
    "shutting-down": 32,
    "terminated": 48,
    "stopping": 64,
    "stopped": 80,
}
# Source: EC2 API reference, TerminateInstances ("approximately one hour").
_REMEMBERED = timedelta(hours=1)

Listener = Callable[[str, str], None]


@dataclass(frozen=True)
class Volume:
    """A disk that was made with an instance."""

    volume_id: str
    disk: Disk


@dataclass
class Instance:
    instance_id: str
    reservation_id: str
    image_id: str
    subnet_id: str
    vpc_id: str
    zone: str
    launched: datetime
    content: dict[str, Any]  # the launch's parameters, template and overrides merged
    volumes: tuple[Volume, ...]
    interface_id: str  # the primary one's
    private_address: str
    user_data: str = ""
    launched_by: str = ""
    client_token: str = ""
    index: int = 0
    other_interfaces: tuple[str, ...] = ()
    root_device: str = "/dev/xvda"
    architecture: str = "x86_64"
    state: str = "pending"
    public_address: str = ""
    reason: dict[str, str] = field(default_factory=dict)  # StateReason
    transition: str = ""  # StateTransitionReason
    doomed: str = ""  # why it will never run, if a test said so
    change: int = 0  # counts state changes, so that a planned change knows when it is stale

    @property
    def is_alive(self) -> bool:
        return self.state not in ("shutting-down", "terminated")


class Instances:
    """The instances; launching is elsewhere (:mod:`launching`)."""

    def __init__(
        self, kernel: Kernel, tags: Tags, visibility: Visibility, machines: Machines
    ) -> None:
        self._kernel, self._tags, self._visibility = kernel, tags, visibility
        self._machines = machines
        self.all: dict[str, Instance] = {}
        self.left: dict[str, Volume] = {}  # volumes that have outlived their instances
        self.listeners: list[Listener] = []
        tags.owner("i", self.find)
        tags.owner("vol", self._find_volume)

    def add(self, instance: Instance) -> None:
        """A new, pending instance; it boots."""
        self.all[instance.instance_id] = instance
        self._visibility.born(instance.instance_id)
        self._become(instance, "pending")
        self._boot(instance)

    def find(self, instance_id: str) -> Instance:
        if not instance_id.startswith("i-"):
            raise AwsError("InvalidInstanceID.Malformed", f'Invalid id: "{instance_id}"')
        if instance_id not in self.all or not self._visibility.sees(instance_id):
            raise AwsError(
                "InvalidInstanceID.NotFound", f"The instance ID '{instance_id}' does not exist"
            )
        return self.all[instance_id]

    def visible(self) -> list[Instance]:
        return [one for one in self.all.values() if self._visibility.sees(one.instance_id)]

    def operations(self) -> dict[str, Operation]:
        return {
            "StopInstances": self.stop,
            "StartInstances": self.start,
            "RebootInstances": self.reboot_all,
            "TerminateInstances": self.terminate,
        }

    def stop(self, params: Parameters) -> Result:
        found = [self.find(one) for one in params["InstanceIds"]]
        for instance in found:
            if instance.state not in ("running", "stopping", "stopped"):
                raise _wrong_state(instance, "stopped")
        before = [one.state for one in found]
        for instance in found:
            if instance.state == "running":
                instance.reason = {
                    "Code": "Client.UserInitiatedShutdown",
                    "Message": "Client.UserInitiatedShutdown: User initiated shutdown",
                }
                instance.transition = self._by_user()
                self._become(instance, "stopping")
                self._machines.stop(instance.instance_id)
                self._plan(instance, self._kernel.durations.stop, "stopped")
        return {"StoppingInstances": _changes(found, before)}

    def start(self, params: Parameters) -> Result:
        found = [self.find(one) for one in params["InstanceIds"]]
        for instance in found:
            if instance.state not in ("stopped", "pending", "running"):
                raise _wrong_state(instance, "started")
        before = [one.state for one in found]
        for instance in found:
            if instance.state == "stopped":
                instance.reason, instance.transition = {}, ""
                self._become(instance, "pending")
                self._boot(instance)
        return {"StartingInstances": _changes(found, before)}

    def reboot_all(self, params: Parameters) -> Result:
        for instance in [self.find(one) for one in params["InstanceIds"]]:
            if instance.state != "running":
                raise _wrong_state(instance, "rebooted")
            self.reboot(instance)
        return {}

    def reboot(self, instance: Instance) -> None:
        """The state stays ``running``; the application is away while the machine boots."""
        self._machines.stop(instance.instance_id)
        change = instance.change

        def up() -> None:
            if instance.change == change:
                self._machines.start(instance.instance_id, instance.user_data)

        self._kernel.after(self._kernel.durations.boot, up)

    def terminate(self, params: Parameters) -> Result:
        """Repeating it is harmless. Source: EC2 Developer Guide, Ensuring idempotency."""
        found = [self.find(one) for one in params["InstanceIds"]]
        for instance in found:
            if instance.is_alive and instance.content.get("DisableApiTermination"):
                raise AwsError(
                    "OperationNotPermitted",
                    f"The instance '{instance.instance_id}' may not be terminated. Modify its"
                    " 'disableApiTermination' instance attribute and try again.",
                )
        before = [one.state for one in found]
        for instance in found:
            self.end(
                instance,
                {
                    "Code": "Client.UserInitiatedShutdown",
                    "Message": "Client.UserInitiatedShutdown: User initiated shutdown",
                },
                self._by_user(),
            )
        return {"TerminatingInstances": _changes(found, before)}

    def end(self, instance: Instance, reason: dict[str, str], transition: str = "") -> None:
        """Begin to terminate (nothing, if it is ending already)."""
        if not instance.is_alive:
            return
        instance.reason, instance.transition = reason, transition
        self._become(instance, "shutting-down")
        self._machines.stop(instance.instance_id)
        self._plan(instance, self._kernel.durations.terminate, "terminated")

    def _boot(self, instance: Instance) -> None:
        self._plan(instance, self._kernel.durations.boot, "running")

    def _plan(self, instance: Instance, delay: timedelta, state: str) -> None:
        change = instance.change

        def arrive() -> None:
            if instance.change != change:
                return  # something else happened to it meanwhile
            if state == "running" and instance.doomed:
                why = instance.doomed.partition(":")[0]
                self.end(instance, {"Code": why, "Message": instance.doomed}, why)
                return
            self._become(instance, state)

        self._kernel.after(delay, arrive)

    def _become(self, instance: Instance, state: str) -> None:
        instance.state = state
        instance.change += 1
        if state == "running":
            self._machines.start(instance.instance_id, instance.user_data)
        if state == "terminated":
            self._machines.destroy(instance.instance_id)
            for volume in instance.volumes:
                if volume.disk.deleted_with_instance:
                    self._tags.forget(volume.volume_id)
                else:
                    self.left[volume.volume_id] = volume
            self._kernel.after(_REMEMBERED, lambda: self._forget(instance))
        self._kernel.emit(
            "aws.ec2",
            "EC2 Instance State-change Notification",
            {"instance-id": instance.instance_id, "state": state},
            (self._kernel.arn("ec2", f"instance/{instance.instance_id}"),),
        )
        for listener in self.listeners:
            listener(instance.instance_id, state)

    def _forget(self, instance: Instance) -> None:
        self.all.pop(instance.instance_id, None)
        self._tags.forget(instance.instance_id)

    def _by_user(self) -> str:
        return f"User initiated ({self._kernel.now():%Y-%m-%d %H:%M:%S} GMT)"

    def _find_volume(self, volume_id: str) -> None:
        attached = (volume for one in self.all.values() if one.is_alive for volume in one.volumes)
        if not any(one.volume_id == volume_id for one in (*attached, *self.left.values())):
            raise AwsError("InvalidVolume.NotFound", f"The volume '{volume_id}' does not exist.")


def state_of(name: str) -> dict[str, Any]:
    return {"Code": CODES[name], "Name": name}


def _changes(instances: list[Instance], before: list[str]) -> list[dict[str, Any]]:
    return [
        {
            "InstanceId": instance.instance_id,
            "PreviousState": state_of(previous),
            "CurrentState": state_of(instance.state),
        }
        for instance, previous in zip(instances, before, strict=True)
    ]


def _wrong_state(instance: Instance, verb: str) -> AwsError:
    return AwsError(
        "IncorrectInstanceState",
        f"This instance '{instance.instance_id}' is not in a state from which it can be {verb}.",
    )
