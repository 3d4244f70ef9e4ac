"""How instances are shown: DescribeInstances and DescribeInstanceStatus."""

from __future__ import annotations

from typing import Any

from sandbox.cloud.ec2 import filters
from sandbox.cloud.ec2.instances import CODES, Instance, Instances, state_of
from sandbox.cloud.ec2.tags import Tags, as_list
from sandbox.cloud.kernel import Kernel, Operation, Parameters, Result
from sandbox.cloud.pages import page

_FIELDS: dict[str, filters.Field[Instance]] = {
    "instance-id": lambda one: [one.instance_id],
    "instance-state-name": lambda one: [one.state],
    "instance-state-code": lambda one: [str(CODES[one.state])],
    "image-id": lambda one: [one.image_id],
    "instance-type": lambda one: [one.content.get("InstanceType", "m1.small")],
    "availability-zone": lambda one: [one.zone],
    "subnet-id": lambda one: [one.subnet_id],
    "vpc-id": lambda one: [one.vpc_id],
    "private-ip-address": lambda one: [one.private_address],
    "ip-address": lambda one: [one.public_address],
    "reservation-id": lambda one: [one.reservation_id],
    "client-token": lambda one: [one.client_token],
    "key-name": lambda one: [one.content.get("KeyName", "")],
}


class Describing:
    """Shows instances as EC2 does."""

    def __init__(self, kernel: Kernel, tags: Tags, instances: Instances) -> None:
        self._kernel, self._tags, self._instances = kernel, tags, instances

    def operations(self) -> dict[str, Operation]:
        return {"DescribeInstances": self.describe, "DescribeInstanceStatus": self.describe_status}

    def describe(self, params: Parameters) -> Result:
        found, more = page(self._found(params), params, ids="InstanceIds")
        reservations: dict[str, list[Instance]] = {}
        for instance in found:
            reservations.setdefault(instance.reservation_id, []).append(instance)
        return {"Reservations": [self.reservation(one) for one in reservations.values()], **more}

    def describe_status(self, params: Parameters) -> Result:
        """Only running instances, unless the call wants them all (IncludeAllInstances)."""
        found = [
            one
            for one in self._found(params)
            if params.get("IncludeAllInstances") or one.state == "running"
        ]
        found, more = page(found, params, ids="InstanceIds")
        statuses = []
        for one in found:
            status = {"Status": "ok" if one.state == "running" else "not-applicable"}
            statuses.append(
                {
                    "InstanceId": one.instance_id,
                    "AvailabilityZone": one.zone,
                    "InstanceState": state_of(one.state),
                    "InstanceStatus": status,
                    "SystemStatus": status,
                }
            )
        return {"InstanceStatuses": statuses, **more}

    def reservation(self, instances: list[Instance]) -> Result:
        return {
            "ReservationId": instances[0].reservation_id,
            "OwnerId": self._kernel.account,
            "Groups": [],
            "Instances": [self._shown(one) for one in instances],
        }

    def _found(self, params: Parameters) -> list[Instance]:
        ids = params.get("InstanceIds")
        return filters.chosen(
            params.get("Filters", ()),
            [self._instances.find(one) for one in ids] if ids else self._instances.visible(),
            _FIELDS,
            lambda one: self._tags.of(one.instance_id),
        )

    def _shown(self, one: Instance) -> Result:
        shown: dict[str, Any] = {
            "InstanceId": one.instance_id,
            "ImageId": one.image_id,
            "State": state_of(one.state),
            "InstanceType": one.content.get("InstanceType", "m1.small"),
            "LaunchTime": one.launched,
            "AmiLaunchIndex": one.index,
            "Architecture": one.architecture,
            "Hypervisor": "xen",
            "VirtualizationType": "hvm",
            "RootDeviceName": one.root_device,
            "RootDeviceType": "ebs",
            "EbsOptimized": one.content.get("EbsOptimized", False),
            "Monitoring": {"State": "disabled"},
            "Placement": {"AvailabilityZone": one.zone, "GroupName": "", "Tenancy": "default"},
            "PrivateDnsName": "",
            "PublicDnsName": "",
            "SecurityGroups": [],
            "ProductCodes": [],
            "BlockDeviceMappings": [],
            "NetworkInterfaces": [],
            "StateTransitionReason": one.transition,
            **as_list(self._tags.of(one.instance_id)),
        }
        if one.client_token:
            shown["ClientToken"] = one.client_token
        if one.reason:
            shown["StateReason"] = dict(one.reason)
        if "KeyName" in one.content:
            shown["KeyName"] = one.content["KeyName"]
        if one.state != "terminated":  # a terminated instance has neither disk nor network
            shown |= self._attached(one)
        return shown

    def _attached(self, one: Instance) -> Result:
        attached: dict[str, Any] = {
            "SubnetId": one.subnet_id,
            "VpcId": one.vpc_id,
            "PrivateIpAddress": one.private_address,
            "SecurityGroups": [
                {"GroupId": group, "GroupName": group}
                for group in one.content.get("SecurityGroupIds", ())
            ],
            "BlockDeviceMappings": [
                {
                    "DeviceName": volume.disk.device,
                    "Ebs": {
                        "VolumeId": volume.volume_id,
                        "Status": "attached",
                        "AttachTime": one.launched,
                        "DeleteOnTermination": volume.disk.deleted_with_instance,
                    },
                }
                for volume in one.volumes
            ],
            "NetworkInterfaces": [
                {
                    "NetworkInterfaceId": interface_id,
                    "SubnetId": one.subnet_id,
                    "VpcId": one.vpc_id,
                    "Status": "in-use",
                    "OwnerId": self._kernel.account,
                    "Attachment": {"DeviceIndex": index, "Status": "attached"},
                }
                | ({} if index else {"PrivateIpAddress": one.private_address})
                for index, interface_id in enumerate((one.interface_id, *one.other_interfaces))
            ],
        }
        if one.public_address:
            attached["PublicIpAddress"] = one.public_address
        return attached
