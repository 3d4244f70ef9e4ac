"""The network that a group launches in: its way to the internet, and where its zones are."""

from __future__ import annotations

from collections.abc import Sequence

from ovenbird.aws import clients, faults


def has_gateway(subnets: Sequence[str]) -> bool:
    """Whether an internet gateway is attached to the VPC of the subnets.

    Whether the subnets have a route to it is another matter, which EC2 does not ask for either.

    Raises:
        NotFound: A subnet is gone.
        Throttled, Unavailable: Safe to repeat.

    IAM: ec2:DescribeSubnets, ec2:DescribeInternetGateways
    Source: EC2 API reference, "Error codes", Gateway.NotAttached.
    """
    ec2 = clients.get("ec2")
    with faults.translated(f"describe the subnets {', '.join(subnets)}"):
        answer = ec2.describe_subnets(SubnetIds=list(subnets))
    vpcs = sorted({each["VpcId"] for each in answer["Subnets"]})
    with faults.translated(f"describe the internet gateways of {', '.join(vpcs)}"):
        answer = ec2.describe_internet_gateways(
            Filters=[{"Name": "attachment.vpc-id", "Values": vpcs}]
        )
    attached = {
        attachment["VpcId"]
        for gateway in answer["InternetGateways"]
        for attachment in gateway.get("Attachments", [])
    }
    return attached >= set(vpcs)


def border_groups(zones: Sequence[str]) -> dict[str, str]:
    """Zone → the network border group that addresses must be of.

    Raises:
        Throttled, Unavailable: Safe to repeat.

    IAM: ec2:DescribeAvailabilityZones
    """
    with faults.translated(f"describe the zones {', '.join(zones)}"):
        answer = clients.get("ec2").describe_availability_zones(ZoneNames=list(zones))
    return {
        each["ZoneName"]: each["NetworkBorderGroup"]
        for each in answer["AvailabilityZones"]
        if each.get("NetworkBorderGroup")
    }
