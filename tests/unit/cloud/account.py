"""An account for the tests of EC2 and Systems Manager: the model cloud, asked in few words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import botocore.session
import pytest
from botocore.loaders import create_loader

from sandbox.cloud.clock import VirtualClock
from sandbox.cloud.cloud import Cloud
from sandbox.cloud.errors import AwsError
from sandbox.cloud.imaginary import Imaginary

_LOADER = create_loader()  # reading EC2's model takes half a second: once is enough


def quick_session() -> botocore.session.Session:
    """A session of its own that shares what was read from botocore's files."""
    session = botocore.session.get_session()
    session.register_component("data_loader", _LOADER)
    return session


class Account:
    """Calls by their AWS names; ``events`` are what came over the bus, as (detail type, detail)."""

    def __init__(self) -> None:
        self.machines = Imaginary()
        self.cloud = Cloud(VirtualClock(), self.machines)
        self.image = self.cloud.ec2.seed_image("base")

    def ec2(self, operation: str, **params: Any) -> dict[str, Any]:
        return self.cloud.call("ec2", operation, params)

    def ssm(self, operation: str, **params: Any) -> dict[str, Any]:
        return self.cloud.call("ssm", operation, params)

    def run_for(self, **duration: float) -> None:
        self.cloud.run_for(timedelta(**duration))

    def pending_instance(self, **params: Any) -> str:
        usual = {"ImageId": self.image, "MinCount": 1, "MaxCount": 1}
        usual |= {"IamInstanceProfile": {"Name": "managed"}}
        answer = self.ec2("RunInstances", **(usual | params))
        return str(answer["Instances"][0]["InstanceId"])

    def instance(self, **params: Any) -> str:
        """A running instance whose agent is online."""
        instance_id = self.pending_instance(**params)
        self.run_for(minutes=1)
        return instance_id

    def state(self, instance_id: str) -> str:
        return str(self.shown(instance_id)["State"]["Name"])

    def shown(self, instance_id: str) -> dict[str, Any]:
        answer = self.ec2("DescribeInstances", InstanceIds=[instance_id])
        shown: dict[str, Any] = answer["Reservations"][0]["Instances"][0]
        return shown

    def shown_image(self, image_id: str) -> dict[str, Any]:
        shown: dict[str, Any] = self.ec2("DescribeImages", ImageIds=[image_id])["Images"][0]
        return shown

    def address(self) -> str:
        return str(self.ec2("AllocateAddress")["AllocationId"])

    def shown_address(self, allocation_id: str) -> dict[str, Any]:
        answer = self.ec2("DescribeAddresses", AllocationIds=[allocation_id])
        shown: dict[str, Any] = answer["Addresses"][0]
        return shown

    def template(self, name: str = "web", **content: Any) -> str:
        answer = self.ec2(
            "CreateLaunchTemplate",
            LaunchTemplateName=name,
            LaunchTemplateData={"ImageId": self.image, "InstanceType": "t3.micro"} | content,
        )
        return str(answer["LaunchTemplate"]["LaunchTemplateId"])

    def events(self, detail_type: str) -> list[dict[str, Any]]:
        return [
            event["detail"]
            for event in self.cloud.kernel.bus.sent
            if event["detail-type"] == detail_type
        ]

    def hide_new_things_for(self, **duration: float) -> None:
        self.cloud.kernel.visible_after = timedelta(**duration)


class Refusal:
    """``with refused("Code"):`` AWS answers this error."""

    def __init__(self, code: str) -> None:
        self._code = code
        self._raises = pytest.raises(AwsError)

    def __enter__(self) -> None:
        self._caught = self._raises.__enter__()

    def __exit__(self, *exception: Any) -> bool:
        swallowed = bool(self._raises.__exit__(*exception))
        assert self._caught.value.code == self._code
        return swallowed


refused = Refusal
