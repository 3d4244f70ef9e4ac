"""The agents on the instances: only where one is online can commands run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sandbox.cloud.ec2 import Ec2
from sandbox.cloud.errors import AwsError
from sandbox.cloud.kernel import Kernel, Operation, Parameters, Result
from sandbox.cloud.pages import page


class Agents:
    """An agent comes online some time after its instance runs; AWS has no event for it.

    ``starts`` lets a test have instances whose agent never comes.
    """

    def __init__(self, kernel: Kernel, ec2: Ec2) -> None:
        self._kernel, self._ec2 = kernel, ec2
        self._registered: dict[str, datetime] = {}
        self._online: set[str] = set()
        self.starts: Callable[[str], bool] = lambda _: True
        ec2.on_state(self._instance_changed)

    def is_online(self, instance_id: str) -> bool:
        return instance_id in self._online

    def with_tag(self, key: str, values: list[str]) -> list[str]:
        """The online instances that carry the tag with one of the values."""
        return [one for one in sorted(self._online) if self._ec2.tags.of(one).get(key) in values]

    def operations(self) -> dict[str, Operation]:
        return {"DescribeInstanceInformation": self.describe}

    def describe(self, params: Parameters) -> Result:
        wanted = [(one["Key"], one["Values"]) for one in params.get("Filters", ())]
        wanted += [
            (one["key"], one["valueSet"]) for one in params.get("InstanceInformationFilterList", ())
        ]
        tests = [self._test(key, values) for key, values in wanted]
        found = [one for one in self._registered if all(test(one) for test in tests)]
        found, more = page(found, params, most=50, bad_token="InvalidNextToken")
        return {"InstanceInformationList": [self._shown(one) for one in found], **more}

    def _test(self, key: str, values: list[str]) -> Callable[[str], bool]:
        if key == "InstanceIds":
            return lambda one: one in values
        if key == "PingStatus":
            return lambda one: self._ping(one) in values
        if key.startswith("tag:"):
            return lambda one: self._ec2.tags.of(one).get(key.removeprefix("tag:")) in values
        raise AwsError("InvalidFilterKey", f"The filter key {key} is not valid.")

    def _ping(self, instance_id: str) -> str:
        return "Online" if self.is_online(instance_id) else "ConnectionLost"

    def _shown(self, instance_id: str) -> Result:
        shown: dict[str, Any] = {
            "InstanceId": instance_id,
            "PingStatus": self._ping(instance_id),
            "LastPingDateTime": self._kernel.now(),
            "AgentVersion": "3.3.0.0",
            "PlatformType": "Linux",
            "PlatformName": "Amazon Linux",
            "PlatformVersion": "2023",
            "ResourceType": "EC2Instance",
            "RegistrationDate": self._registered[instance_id],
        }
        if instance := self._ec2.instances.all.get(instance_id):
            shown["IPAddress"] = instance.private_address
        return shown

    def _instance_changed(self, instance_id: str, state: str) -> None:
        self._online.discard(instance_id)
        if state == "terminated":
            self._registered.pop(instance_id, None)
        if state == "running" and self._can_register(instance_id) and self.starts(instance_id):
            change = self._ec2.instances.all[instance_id].change
            self._kernel.after(
                self._kernel.durations.agent, lambda: self._report(instance_id, change)
            )

    def _can_register(self, instance_id: str) -> bool:
        """Its permissions come from an instance profile, through the metadata service.

        Source: Systems Manager user guide, "Configure instance permissions required for Systems
        Manager". (Default Host Management Configuration is not modelled.)
        """
        content = self._ec2.instances.all[instance_id].content
        metadata = content.get("MetadataOptions", {})
        return bool(content.get("IamInstanceProfile")) and (
            metadata.get("HttpEndpoint", "enabled") != "disabled"
        )

    def _report(self, instance_id: str, change: int) -> None:
        instance = self._ec2.instances.all.get(instance_id)
        if instance is not None and instance.change == change:
            self._online.add(instance_id)
            self._registered.setdefault(instance_id, self._kernel.now())
