"""Elastic IPs: a fleet's pool, who holds an address, and putting one on an instance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from ovenbird.aws import clients, faults
from ovenbird.core.addresses import Address
from ovenbird.errors import AddressFailed, Denied, NotFound

# Somebody was faster, or the instance is not running (any more): the next look knows.
_PASSING = {"Resource.AlreadyAssociated", "IncorrectInstanceState", "IncorrectState"}
_ENDED = ("shutting-down", "terminated")
_MOST_FILTERED = 100  # ids in one filter; AWS takes 200


def pool(fleet: str) -> tuple[Address, ...]:
    """The addresses that are tagged ``ovenbird:fleet`` with the fleet's name, in no order.

    Raises:
        Throttled, Unavailable: Safe to repeat.

    IAM: ec2:DescribeAddresses
    """
    with faults.translated(f"describe the addresses of fleet {fleet}"):
        answer = clients.get("ec2").describe_addresses(
            Filters=[{"Name": "tag:ovenbird:fleet", "Values": [fleet]}]
        )
    return tuple(_address(each) for each in answer["Addresses"])


def describe(allocation_id: str) -> Address:
    """The address and its present holder.

    Raises:
        NotFound: The address was released.
        Throttled, Unavailable: Safe to repeat.

    IAM: ec2:DescribeAddresses
    """
    with faults.translated(f"describe address {allocation_id}"):
        answer = clients.get("ec2").describe_addresses(AllocationIds=[allocation_id])
    if not answer["Addresses"]:
        raise NotFound(f"There is no address {allocation_id} in this account and region.")
    return _address(answer["Addresses"][0])


def target(instance_id: str) -> dict[str, str]:
    """What names an instance to :func:`associate`: itself, or the first of several interfaces.

    Raises:
        Throttled, Unavailable: Safe to repeat.

    IAM: ec2:DescribeInstances
    Source: EC2 API reference, AssociateAddress, parameter InstanceId (an instance with several
        interfaces is refused).
    """
    for instance in _instances([instance_id]):
        return _target(instance)
    return {"InstanceId": instance_id}


def _target(instance: Mapping[str, Any]) -> dict[str, str]:
    interfaces = instance.get("NetworkInterfaces", [])
    if len(interfaces) > 1:
        for interface in interfaces:
            if interface.get("Attachment", {}).get("DeviceIndex") == 0:
                return {"NetworkInterfaceId": interface["NetworkInterfaceId"]}
    return {"InstanceId": instance["InstanceId"]}


def rehearse(allocation_id: str, instance_ids: Iterable[str], fleet: str) -> str | None:
    """Why AWS would not let the caller put an address on these instances; nothing is moved.

    A dry run judges all policies, also those of the organization, with the tags that the things
    carry. It says nothing of networks. One instance stands for all of them.

    Args:
        allocation_id: ``eipalloc-…``, of the fleet.
        instance_ids: Of the fleet's group.

    Returns:
        AWS's words; empty where it would. ``None`` where no instance runs that carries the tag.

    Raises:
        Throttled, Unavailable: Safe to repeat.

    IAM: ec2:AssociateAddress, ec2:DescribeInstances
    Source: EC2 API reference, AssociateAddress, parameter DryRun.
    """
    asked = sorted(set(instance_ids))[:_MOST_FILTERED]
    tagged = [
        instance
        for instance in (_instances(asked) if asked else ())
        if instance["State"]["Name"] == "running"
        and {"Key": "ovenbird:fleet", "Value": fleet} in instance.get("Tags", [])
    ]
    if not tagged:
        return None
    with faults.translated(f"rehearse to move address {allocation_id}"):
        try:
            clients.get("ec2").associate_address(
                AllocationId=allocation_id,
                AllowReassociation=True,
                DryRun=True,
                **_target(tagged[0]),
            )
        except ClientError as error:
            if faults.code(error) == "DryRunOperation":
                return ""
            if faults.meaning(error) not in (None, Denied, NotFound):
                raise
            return f"{faults.text(error).rstrip(' .')} ({faults.code(error)})"
    return ""


def associate(allocation_id: str, to: Mapping[str, str], *, take: bool) -> Address:
    """Put an address on an instance's primary interface, and read back who holds it.

    AWS lets an address move silently by default; here it moves only when asked. Repeating the call
    with the same pair changes nothing. An address that the instance had before becomes free.

    Args:
        allocation_id: ``eipalloc-…``.
        to: The :func:`target` of a running instance of this region.
        take: Whether AWS may take the address from whoever holds it. ``False``: where it is not
            free any more, nothing happens.

    Returns:
        The address as AWS describes it afterwards. Its holder is not the instance when somebody
        was faster, when the instance is not running yet or any more, or when AWS does not yet
        show what was done.

    Raises:
        NotFound: The address or the instance is gone.
        Denied: A permission is missing, or the tag on the address, instance or interface.
        AddressFailed: Anything else that will not change by itself: no internet gateway, another
            network border group, an interface that takes no address.
        Throttled, Unavailable: Safe to repeat.

    IAM: ec2:AssociateAddress, ec2:DescribeAddresses
    Source: EC2 API reference, AssociateAddress, parameter AllowReassociation; "Error codes".
    """
    with faults.translated(f"put address {allocation_id} on {', '.join(to.values())}"):
        try:
            clients.get("ec2").associate_address(
                AllocationId=allocation_id,
                AllowReassociation=take,
                **to,
            )
        except ClientError as error:
            if faults.code(error) not in _PASSING:
                if faults.meaning(error) is not None:
                    raise
                raise AddressFailed(
                    f"AWS does not put address {allocation_id} on {', '.join(to.values())}: "
                    f"{faults.text(error)} ({faults.code(error)})"
                ) from error
    return describe(allocation_id)


def ended(instance_ids: Iterable[str]) -> frozenset[str]:
    """Those of the instances that are terminated or about to be.

    An instance that AWS does not know is not among them: it may be too new to be seen.

    Raises:
        Throttled, Unavailable: Safe to repeat.

    IAM: ec2:DescribeInstances
    """
    asked = sorted(set(instance_ids))
    return frozenset(
        instance["InstanceId"]
        for instance in (_instances(asked) if asked else ())
        if instance["State"]["Name"] in _ENDED
    )


def _instances(instance_ids: list[str]) -> list[dict[str, Any]]:
    """By a filter, which unlike a list of ids does not fail for one that is gone."""
    with faults.translated(f"describe {', '.join(instance_ids)}"):
        answer = clients.get("ec2").describe_instances(
            Filters=[{"Name": "instance-id", "Values": instance_ids}]
        )
    return [
        instance for reservation in answer["Reservations"] for instance in reservation["Instances"]
    ]


def _address(address: Mapping[str, Any]) -> Address:
    held = "AssociationId" in address
    return Address(
        allocation_id=address["AllocationId"],
        public_ip=address["PublicIp"],
        instance_id=address.get("InstanceId") or "",
        interface_id=(address.get("NetworkInterfaceId") or "") if held else "",
        border_group=address.get("NetworkBorderGroup") or "",
    )
