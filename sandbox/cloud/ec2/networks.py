"""The network that instances stand in: one VPC with a subnet in each of three zones."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sandbox.cloud.ec2 import filters
from sandbox.cloud.ec2.tags import Tags, as_list
from sandbox.cloud.errors import AwsError
from sandbox.cloud.kernel import Kernel, Operation, Parameters, Result
from sandbox.cloud.pages import page


@dataclass(frozen=True)
class Subnet:
    subnet_id: str
    vpc_id: str
    zone: str
    block: str


class Networks:
    """Made with the cloud; nothing can be added.

    ``borders`` are the network border groups of zones that have one of their own; ``gateway`` is
    the internet gateway, empty when it was detached.
    """

    def __init__(self, kernel: Kernel, tags: Tags) -> None:
        self._kernel, self._tags = kernel, tags
        self.vpc_id = kernel.ids.resource("vpc")
        self.subnets = [
            Subnet(
                kernel.ids.resource("subnet"),
                self.vpc_id,
                f"{kernel.region}{letter}",
                f"10.0.{number * 64}.0/18",
            )
            for number, letter in enumerate("abc")
        ]
        self.gateway = f"igw-{self.vpc_id.removeprefix('vpc-')}"
        self.borders: dict[str, str] = {}
        tags.owner("subnet", self.find)
        tags.owner("vpc", self._find_vpc)

    def find(self, subnet_id: str) -> Subnet:
        for subnet in self.subnets:
            if subnet.subnet_id == subnet_id:
                return subnet
        raise AwsError("InvalidSubnetID.NotFound", f"The subnet ID '{subnet_id}' does not exist")

    def operations(self) -> dict[str, Operation]:
        return {
            "DescribeSubnets": self.describe_subnets,
            "DescribeVpcs": self.describe_vpcs,
            "DescribeAvailabilityZones": self.describe_zones,
            "DescribeInternetGateways": self.describe_gateways,
        }

    def make_local(self, zone: str, name: str, border: str) -> None:
        """Let a zone be a Local Zone, with a name and a network border group of its own."""
        self.subnets = [
            replace(each, zone=name) if each.zone == zone else each for each in self.subnets
        ]
        self.borders[name] = border

    def border(self, zone: str) -> str:
        """The network border group of a zone.

        Source: EC2 User Guide, "Elastic IP addresses" (network border group).
        """
        return self.borders.get(zone, self._kernel.region)

    def describe_subnets(self, params: Parameters) -> Result:
        ids = params.get("SubnetIds")
        found = [self.find(one) for one in ids] if ids else self.subnets
        found = filters.chosen(
            params.get("Filters", ()),
            found,
            {
                "subnet-id": lambda subnet: [subnet.subnet_id],
                "vpc-id": lambda subnet: [subnet.vpc_id],
                "availability-zone": lambda subnet: [subnet.zone],
                "state": lambda _: ["available"],
                "default-for-az": lambda _: ["true"],
            },
            lambda subnet: self._tags.of(subnet.subnet_id),
        )
        found, more = page(found, params)
        return {"Subnets": [self._shown(subnet) for subnet in found], **more}

    def describe_vpcs(self, params: Parameters) -> Result:
        for vpc_id in params.get("VpcIds", ()):
            self._find_vpc(vpc_id)
        found = filters.chosen(
            params.get("Filters", ()),
            [self.vpc_id],
            {
                "vpc-id": lambda vpc_id: [vpc_id],
                "is-default": lambda _: ["true"],
                "isDefault": lambda _: ["true"],
                "state": lambda _: ["available"],
            },
            self._tags.of,
        )
        found, more = page(found, params)
        vpcs = [
            {
                "VpcId": vpc_id,
                "CidrBlock": "10.0.0.0/16",
                "IsDefault": True,
                "State": "available",
                "OwnerId": self._kernel.account,
                **as_list(self._tags.of(vpc_id)),
            }
            for vpc_id in found
        ]
        return {"Vpcs": vpcs, **more}

    def describe_zones(self, params: Parameters) -> Result:
        found = filters.chosen(
            params.get("Filters", ()),
            [subnet.zone for subnet in self.subnets],
            {
                "zone-name": lambda zone: [zone],
                "region-name": lambda _: [self._kernel.region],
                "state": lambda _: ["available"],
                "opt-in-status": lambda _: ["opt-in-not-required"],
                "zone-type": lambda _: ["availability-zone"],
            },
            lambda _: {},
        )
        names = params.get("ZoneNames") or found
        for name in names:
            if name not in {subnet.zone for subnet in self.subnets}:
                raise AwsError("InvalidParameterValue", f"Invalid availability zone: [{name}]")
        return {
            "AvailabilityZones": [
                {
                    "ZoneName": zone,
                    "RegionName": self._kernel.region,
                    "State": "available",
                    "OptInStatus": "opt-in-not-required",
                    "ZoneType": "availability-zone",
                    "NetworkBorderGroup": self.border(zone),
                }
                for zone in found
                if zone in names
            ]
        }

    def describe_gateways(self, params: Parameters) -> Result:
        found = filters.chosen(
            params.get("Filters", ()),
            [self.gateway] if self.gateway else [],
            {
                "internet-gateway-id": lambda gateway: [gateway],
                "attachment.vpc-id": lambda _: [self.vpc_id],
                "attachment.state": lambda _: ["available"],
            },
            lambda _: {},
        )
        # The reference says "available"; AWS's own service model does not know that word here.
        attached = [{"State": "attached", "VpcId": self.vpc_id}]
        gateways = [
            {
                "InternetGatewayId": gateway,
                "Attachments": attached,
                "OwnerId": self._kernel.account,
                "Tags": [],
            }
            for gateway in found
        ]
        return {"InternetGateways": gateways}

    def _find_vpc(self, vpc_id: str) -> str:
        if vpc_id != self.vpc_id:
            raise AwsError("InvalidVpcID.NotFound", f"The vpc ID '{vpc_id}' does not exist")
        return vpc_id

    def _shown(self, subnet: Subnet) -> Result:
        return {
            "SubnetId": subnet.subnet_id,
            "VpcId": subnet.vpc_id,
            "AvailabilityZone": subnet.zone,
            "CidrBlock": subnet.block,
            "State": "available",
            "DefaultForAz": True,
            "MapPublicIpOnLaunch": False,
            "AvailableIpAddressCount": 16000,
            "OwnerId": self._kernel.account,
            "SubnetArn": self._kernel.arn("ec2", f"subnet/{subnet.subnet_id}"),
            **as_list(self._tags.of(subnet.subnet_id)),
        }
