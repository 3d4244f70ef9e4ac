"""Elastic IP addresses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

from sandbox.cloud.ec2 import filters
from sandbox.cloud.ec2.instances import Instance, Instances
from sandbox.cloud.ec2.networks import Networks
from sandbox.cloud.ec2.tags import Tags, as_list, requested
from sandbox.cloud.errors import AwsError
from sandbox.cloud.kernel import Kernel, Operation, Parameters, Result
from sandbox.cloud.visibility import Visibility


@dataclass
class Address:
    allocation_id: str
    public_address: str
    association_id: str = ""
    instance_id: str = ""
    border_group: str = ""


def _documentation_addresses() -> Callable[[], str]:
    """203.0.113.0/24 is reserved for documentation (RFC 5737)."""
    numbers = count(1)
    return lambda: f"203.0.113.{next(numbers)}"


class Addresses:
    """The account's addresses.

    ``allocate_address`` gives out public addresses (the sandbox puts its own there); ``quota`` is
    how many the account may have (AWS's default is 5, which can be raised).
    """

    def __init__(
        self,
        kernel: Kernel,
        tags: Tags,
        visibility: Visibility,
        instances: Instances,
        networks: Networks,
    ) -> None:
        self._kernel, self._tags, self._visibility = kernel, tags, visibility
        self._instances, self._networks = instances, networks
        self.allocate_address: Callable[[], str] = _documentation_addresses()
        self.quota = 5
        self.all: dict[str, Address] = {}
        tags.owner("eipalloc", self.find)
        instances.listeners.append(self._instance_changed)

    def find(self, allocation_id: str) -> Address:
        if allocation_id not in self.all or not self._visibility.sees(allocation_id):
            raise AwsError(
                "InvalidAllocationID.NotFound",
                f"The allocation ID '{allocation_id}' does not exist",
            )
        return self.all[allocation_id]

    def operations(self) -> dict[str, Operation]:
        return {
            "AllocateAddress": self.allocate,
            "ReleaseAddress": self.release,
            "AssociateAddress": self.associate,
            "DisassociateAddress": self.disassociate,
            "DescribeAddresses": self.describe,
        }

    def allocate(self, params: Parameters) -> Result:
        if len(self.all) >= self.quota:
            raise AwsError(
                "AddressLimitExceeded", "The maximum number of addresses has been reached."
            )
        tags = requested(params.get("TagSpecifications", ()), ("elastic-ip",))
        address = Address(
            self._kernel.ids.resource("eipalloc"),
            self.allocate_address(),
            border_group=params.get("NetworkBorderGroup", self._kernel.region),
        )
        self.all[address.allocation_id] = address
        self._tags.put(address.allocation_id, tags.get("elastic-ip", {}))
        self._visibility.born(address.allocation_id)
        return {
            "AllocationId": address.allocation_id,
            "PublicIp": address.public_address,
            "Domain": "vpc",
            "PublicIpv4Pool": "amazon",
            "NetworkBorderGroup": address.border_group,
        }

    def release(self, params: Parameters) -> Result:
        address = self._named(params)
        if address.association_id:
            raise AwsError(
                "InvalidIPAddress.InUse",
                f"Address {address.public_address} is in use.",
            )
        del self.all[address.allocation_id]
        self._tags.forget(address.allocation_id)
        return {}

    def associate(self, params: Parameters) -> Result:
        """Point an address at an instance; by default it is taken from whoever holds it.

        Source: EC2 API reference, AssociateAddress (AllowReassociation, and: "if the instance
        already has an Elastic IP address, it is disassociated").
        """
        address = self._named(params)
        instance = self._target(params)
        if instance.state not in ("running", "stopped", "stopping"):
            raise AwsError(
                "IncorrectInstanceState",
                f"The {instance.state} instance '{instance.instance_id}' is not in a valid state"
                " for this operation.",
            )
        if address.instance_id == instance.instance_id:
            return {"AssociationId": address.association_id}
        self._check_network(address, instance)
        if address.association_id and not params.get("AllowReassociation", True):
            raise AwsError(
                "Resource.AlreadyAssociated",
                f"resource {address.allocation_id} is already associated with associate-id"
                f" {address.association_id}",
            )
        self._detach(address)
        for other in self.all.values():
            if other.instance_id == instance.instance_id:
                self._detach(other)
        address.association_id = self._kernel.ids.resource("eipassoc")
        address.instance_id = instance.instance_id
        instance.public_address = address.public_address
        return {"AssociationId": address.association_id}

    def _check_network(self, address: Address, instance: Instance) -> None:
        """Sources: github.com/hashicorp/terraform-provider-aws/pull/2181 (code and text); EC2 API
        reference, AssociateAddress (the border group must be the same; code and text are ours).
        """
        if not self._networks.gateway:
            raise AwsError(
                "Gateway.NotAttached",
                f"Network {instance.vpc_id} is not attached to any internet gateway",
            )
        border = self._networks.border(instance.zone)
        if address.border_group != border:
            raise AwsError(
                "InvalidParameterValue",
                f"The address with allocation ID {address.allocation_id} is of the network border "
                f"group {address.border_group}, and the network interface of {border}.",
            )

    def disassociate(self, params: Parameters) -> Result:
        wanted = params.get("AssociationId")
        if not wanted:
            if not params.get("PublicIp"):
                raise AwsError(
                    "MissingParameter", "The request must contain the parameter AssociationId"
                )
            self._detach(self._named(params))
            return {}
        for address in self.all.values():
            if address.association_id == wanted:
                self._detach(address)
                return {}
        raise AwsError(
            "InvalidAssociationID.NotFound", f"The association ID '{wanted}' does not exist"
        )

    def describe(self, params: Parameters) -> Result:
        found = [self.find(one) for one in params.get("AllocationIds", ())]
        found += [self._named({"PublicIp": one}) for one in params.get("PublicIps", ())]
        if not params.get("AllocationIds") and not params.get("PublicIps"):
            found = [one for one in self.all.values() if self._visibility.sees(one.allocation_id)]
        found = filters.chosen(
            params.get("Filters", ()),
            found,
            {
                "allocation-id": lambda one: [one.allocation_id],
                "association-id": lambda one: [one.association_id],
                "instance-id": lambda one: [one.instance_id],
                "public-ip": lambda one: [one.public_address],
                "domain": lambda _: ["vpc"],
            },
            lambda one: self._tags.of(one.allocation_id),
        )
        return {"Addresses": [self._shown(one) for one in found]}

    def _named(self, params: Parameters) -> Address:
        if params.get("AllocationId"):
            return self.find(params["AllocationId"])
        wanted = params.get("PublicIp")
        if not wanted:
            raise AwsError(
                "MissingParameter", "The request must contain the parameter AllocationId"
            )
        for address in self.all.values():
            if address.public_address == wanted and self._visibility.sees(address.allocation_id):
                return address
        raise AwsError("InvalidAddress.NotFound", f"Address '{wanted}' not found.")

    def _target(self, params: Parameters) -> Instance:
        """Source: EC2 API reference, AssociateAddress, InstanceId: with several interfaces, one has
        to be named.
        """
        if params.get("InstanceId"):
            instance = self._instances.find(params["InstanceId"])
            if instance.other_interfaces:
                raise AwsError(
                    "InvalidInstanceID",
                    f"There are multiple interfaces attached to instance '{instance.instance_id}'."
                    " Please specify an interface ID for the operation instead.",
                )
            return instance
        wanted = params.get("NetworkInterfaceId")
        if not wanted:
            raise AwsError(
                "MissingParameter", "Either 'InstanceId' or 'NetworkInterfaceId' must be specified."
            )
        for instance in self._instances.visible():
            if instance.interface_id == wanted and instance.state != "terminated":
                return instance
        raise AwsError(
            "InvalidNetworkInterfaceID.NotFound",
            f"The networkInterface ID '{wanted}' does not exist",
        )

    def _detach(self, address: Address) -> None:
        if instance := self._instances.all.get(address.instance_id):
            instance.public_address = ""
        address.association_id = address.instance_id = ""

    def _instance_changed(self, instance_id: str, state: str) -> None:
        """Termination frees the address, it does not release it. A stop keeps the association.

        Source: EC2 User Guide, Elastic IP addresses.
        """
        if state == "terminated":
            for address in self.all.values():
                if address.instance_id == instance_id:
                    self._detach(address)

    def _shown(self, one: Address) -> Result:
        shown: dict[str, Any] = {
            "AllocationId": one.allocation_id,
            "PublicIp": one.public_address,
            "Domain": "vpc",
            "PublicIpv4Pool": "amazon",
            "NetworkBorderGroup": one.border_group,
            **as_list(self._tags.of(one.allocation_id)),
        }
        if one.association_id:
            instance = self._instances.all[one.instance_id]
            shown |= {
                "AssociationId": one.association_id,
                "InstanceId": one.instance_id,
                "NetworkInterfaceId": instance.interface_id,
                "NetworkInterfaceOwnerId": self._kernel.account,
                "PrivateIpAddress": instance.private_address,
            }
        return shown
