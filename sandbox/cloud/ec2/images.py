"""Machine images: their life, and who may use them."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sandbox.cloud.ec2 import filters
from sandbox.cloud.ec2.devices import Device, joined
from sandbox.cloud.ec2.instances import Volume
from sandbox.cloud.ec2.snapshots import Snapshots
from sandbox.cloud.ec2.tags import Tags, as_list
from sandbox.cloud.errors import AwsError
from sandbox.cloud.kernel import Kernel, Operation, Parameters, Result
from sandbox.cloud.machines import Machines
from sandbox.cloud.pages import page
from sandbox.cloud.visibility import Visibility

# Source: EC2 API reference, CreateImage, Name.
_NAME = re.compile(r"[A-Za-z0-9()\[\] ./\-'@_]{3,128}")


@dataclass
class Image:
    image_id: str
    name: str
    created: datetime
    state: str = "available"  # pending, available, failed
    owner: str = ""
    description: str = ""
    source_instance: str = ""
    source_image: str = ""
    reason: dict[str, str] = field(default_factory=dict)  # StateReason
    devices: tuple[Device, ...] = ()
    root_device: str = "/dev/xvda"
    architecture: str = "x86_64"
    platform: str = ""  # "Windows", or nothing

    @property
    def snapshots(self) -> tuple[str, ...]:
        return tuple(each["Ebs"]["SnapshotId"] for each in self.devices if "Ebs" in each)


class Images:
    """Every image that the account can see."""

    def __init__(
        self,
        kernel: Kernel,
        tags: Tags,
        visibility: Visibility,
        snapshots: Snapshots,
        machines: Machines,
    ) -> None:
        self._kernel, self._tags, self._visibility = kernel, tags, visibility
        self._snapshots, self._machines = snapshots, machines
        self.all: dict[str, Image] = {}
        self._failures: deque[tuple[str, str]] = deque()
        snapshots.user_of = self._user_of
        tags.owner("ami", self.find)

    def fail_next(
        self, message: str, *, code: str = "Server.InternalError", times: int = 1
    ) -> None:
        """Let the next images end ``failed`` with this StateReason."""
        self._failures.extend([(code, message)] * times)

    def is_available(self, image_id: str) -> bool:
        image = self.all.get(image_id)
        return image is not None and image.state == "available"

    def recover(self) -> None:
        """No image fails from now on."""
        self._failures.clear()

    def seed(
        self,
        name: str,
        tags: dict[str, str] | None = None,
        *,
        owner: str = "",
        size: int = 8,
        root_device: str = "/dev/xvda",
        architecture: str = "x86_64",
        platform: str = "",
        others: dict[str, int] | None = None,
    ) -> str:
        """An image that was always there; ``owner`` is another account or ``amazon``.

        Args:
            size: Of its root's snapshot, in GiB.
            others: More volumes: device → size in GiB.
        """
        image = Image(
            self._kernel.ids.resource("ami"),
            name,
            self._kernel.now(),
            owner=owner or self._kernel.account,
            root_device=root_device,
            architecture=architecture,
            platform=platform,
        )
        devices = []
        for device, gigabytes in ({root_device: size} | (others or {})).items():
            made = self._snapshots.make(self._kernel.ids.resource("vol"), name, {}, size=gigabytes)
            devices.append(_device(device, made.snapshot_id, gigabytes))
        image.devices = tuple(devices)
        self.all[image.image_id] = image
        self._tags.put(image.image_id, tags or {})
        return image.image_id

    def begin(
        self,
        name: str,
        *,
        description: str,
        instance_id: str,
        image_id: str,
        volumes: Sequence[Volume],
        devices: Sequence[Device],
        tags: dict[str, dict[str, str]],
    ) -> Image:
        """A pending image of an instance; it becomes available, or fails if a test said so.

        Every volume of the instance is in it, at its size. Source: EC2 API reference, CreateImage.

        Args:
            devices: What the call says otherwise of devices.

        Raises:
            AwsError: The name is malformed or taken. A failed image keeps its name.
        """
        if not _NAME.fullmatch(name):
            raise AwsError(
                "InvalidAMIName.Malformed",
                "AMI names must be between 3 and 128 characters long, and may contain letters,"
                " numbers, '(', ')', '.', '-', '/' and '_'",
            )
        for other in self.all.values():
            if other.name == name and other.owner == self._kernel.account:
                raise AwsError(
                    "InvalidAMIName.Duplicate",
                    f"AMI name {name} is already in use by AMI {other.image_id}",
                )
        image = Image(
            self._kernel.ids.resource("ami"),
            name,
            self._kernel.now(),
            state="pending",
            owner=self._kernel.account,
            description=description,
            source_instance=instance_id,
            source_image=image_id,
        )
        if source := self.all.get(image_id):
            image.root_device, image.platform = source.root_device, source.platform
            image.architecture = source.architecture
        image.devices = tuple(self._snapshot(image, volume, tags) for volume in volumes)
        if devices:
            image.devices = tuple(joined(image.devices, devices))
        self.all[image.image_id] = image
        self._tags.put(image.image_id, tags.get("image", {}))
        self._visibility.born(image.image_id)
        self._machines.capture(instance_id, image.image_id)
        failure = self._failures.popleft() if self._failures else None
        self._kernel.after(self._kernel.durations.image, lambda: self._end(image, failure))
        return image

    def _snapshot(self, image: Image, volume: Volume, tags: dict[str, dict[str, str]]) -> Device:
        made = self._snapshots.make(
            volume.volume_id,
            f"Created by CreateImage({image.source_instance}) for {image.image_id}",
            tags.get("snapshot", {}),
            "pending",
            size=volume.disk.size,
        )
        device = _device(volume.disk.device, made.snapshot_id, volume.disk.size)
        device["Ebs"]["DeleteOnTermination"] = volume.disk.deleted_with_instance
        device["Ebs"]["Encrypted"] = volume.disk.encrypted
        return device

    def of_snapshot(self, snapshot_id: str) -> str:
        """The image whose root a snapshot is; empty where it is none's."""
        for image in self.all.values():
            for each in image.devices:
                if each["DeviceName"] == image.root_device and (
                    each.get("Ebs", {}).get("SnapshotId") == snapshot_id
                ):
                    return image.image_id
        return ""

    def find(self, image_id: str) -> Image:
        if not re.fullmatch(r"ami-[0-9a-f]{8,17}", image_id):
            raise AwsError("InvalidAMIID.Malformed", f'Invalid id: "{image_id}"')
        if image_id not in self.all or not self._visibility.sees(image_id):
            raise AwsError("InvalidAMIID.NotFound", f"The image id '[{image_id}]' does not exist")
        return self.all[image_id]

    def usable(self, image_id: str) -> Image:
        """The image to launch from.

        Raises:
            AwsError: It is unknown, or not available (EC2 API reference, Error codes).
        """
        image = self.find(image_id)
        if image.state != "available":
            raise AwsError(
                "InvalidAMIID.Unavailable", f"The image ID '{image_id}' is not available"
            )
        return image

    def operations(self) -> dict[str, Operation]:
        return {"DescribeImages": self.describe, "DeregisterImage": self.deregister}

    def deregister(self, params: Parameters) -> Result:
        """Instances of the image go on; its snapshots stay unless the call says otherwise."""
        image = self.find(params["ImageId"])
        if not self._is_ours(image):
            raise AwsError("AuthFailure", f"Not authorized for images: [{image.image_id}]")
        del self.all[image.image_id]
        self._tags.forget(image.image_id)
        self._machines.discard(image.image_id)
        results = []
        if params.get("DeleteAssociatedSnapshots"):
            for snapshot_id in image.snapshots:
                self._snapshots.remove(snapshot_id)
                results.append({"SnapshotId": snapshot_id, "ReturnCode": "success"})
        self._tell(image.image_id, "deregistered")
        return {"Return": True, "DeleteSnapshotResults": results}

    def describe(self, params: Parameters) -> Result:
        ids = params.get("ImageIds")
        found = (
            [self.find(one) for one in ids]
            if ids
            else [one for one in self.all.values() if self._visibility.sees(one.image_id)]
        )
        if owners := params.get("Owners"):
            accounts = {self._kernel.account if one == "self" else one for one in owners}
            found = [one for one in found if one.owner in accounts]
        found = filters.chosen(
            params.get("Filters", ()),
            found,
            {
                "image-id": lambda one: [one.image_id],
                "name": lambda one: [one.name],
                "state": lambda one: [one.state],
                "description": lambda one: [one.description],
                "owner-id": lambda one: [one.owner],
                "is-public": lambda one: ["false" if self._is_ours(one) else "true"],
                "architecture": lambda one: [one.architecture],
                "image-type": lambda _: ["machine"],
                "root-device-type": lambda _: ["ebs"],
                "virtualization-type": lambda _: ["hvm"],
                "block-device-mapping.snapshot-id": lambda one: one.snapshots,
                "source-instance-id": lambda one: [one.source_instance],
            },
            lambda one: self._tags.of(one.image_id),
        )
        found, more = page(found, params, least=1)
        return {"Images": [self._shown(one) for one in found], **more}

    def _end(self, image: Image, failure: tuple[str, str] | None) -> None:
        if self.all.get(image.image_id) is not image:
            return  # deregistered while pending
        for snapshot_id in image.snapshots:
            if snapshot_id in self._snapshots.all:
                state = "error" if failure else "completed"
                self._snapshots.all[snapshot_id].state = state
        if failure is None:
            image.state = "available"
            self._tell(image.image_id, "available")
            return
        image.state = "failed"
        image.reason = {"Code": failure[0], "Message": failure[1]}
        self._machines.discard(image.image_id)
        self._tell(image.image_id, "failed", failure[1])

    def _tell(self, image_id: str, state: str, message: str = "") -> None:
        """There is no event for ``pending``. Source: EC2 User Guide, Monitor AMI events."""
        self._kernel.emit(
            "aws.ec2",
            "EC2 AMI State Change",
            {
                "RequestId": self._kernel.ids.uuid(),
                "ImageId": image_id,
                "State": state,
                "ErrorMessage": message,
            },
            (f"arn:aws:ec2:{self._kernel.region}::image/{image_id}",),
        )

    def _user_of(self, snapshot_id: str) -> str | None:
        for image in self.all.values():
            if snapshot_id in image.snapshots:
                return image.image_id
        return None

    def _is_ours(self, image: Image) -> bool:
        return image.owner == self._kernel.account

    def _shown(self, one: Image) -> Result:
        shown: dict[str, Any] = {
            "ImageId": one.image_id,
            "Name": one.name,
            "State": one.state,
            "OwnerId": one.owner,
            "CreationDate": _milliseconds(one.created),
            "Public": not self._is_ours(one),
            "Architecture": one.architecture,
            "ImageType": "machine",
            "PlatformDetails": "Windows" if one.platform else "Linux/UNIX",
            "RootDeviceName": one.root_device,
            "RootDeviceType": "ebs",
            "VirtualizationType": "hvm",
            "Hypervisor": "xen",
            "EnaSupport": True,
            "ImageLocation": f"{one.owner}/{one.name}",
            "BlockDeviceMappings": list(one.devices),
            **as_list(self._tags.of(one.image_id)),
        }
        if one.platform:
            shown["Platform"] = one.platform
        if one.description:
            shown["Description"] = one.description
        if one.source_instance:
            shown |= {"SourceInstanceId": one.source_instance, "SourceImageId": one.source_image}
        if one.reason:
            shown["StateReason"] = dict(one.reason)
        return shown


def _device(device: str, snapshot_id: str, size: int) -> Device:
    return {
        "DeviceName": device,
        "Ebs": {
            "SnapshotId": snapshot_id,
            "VolumeSize": size,
            "VolumeType": "gp3",
            "DeleteOnTermination": True,
            "Encrypted": False,
        },
    }


def _milliseconds(moment: datetime) -> str:
    """EC2 gives an image's creation date as a string: ``2026-01-05T09:00:00.000Z``."""
    rounded = moment - timedelta(microseconds=moment.microsecond % 1000)
    return rounded.strftime("%Y-%m-%dT%H:%M:%S.") + f"{rounded.microsecond // 1000:03d}Z"
