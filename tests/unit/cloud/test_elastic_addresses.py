"""Elastic IP addresses. The rules are those of EC2's API reference."""

from __future__ import annotations

from tests.unit.cloud.account import Account, refused


def _associate(account: Account, address: str, instance: str, **params: bool) -> str:
    return str(
        account.ec2("AssociateAddress", AllocationId=address, InstanceId=instance, **params)[
            "AssociationId"
        ]
    )


def test_an_address_moves_by_default_with_a_new_association(account: Account) -> None:
    address, one, other = account.address(), account.instance(), account.instance()
    first = _associate(account, address, one)
    second = _associate(account, address, other)
    assert first != second
    assert account.shown_address(address)["InstanceId"] == other
    assert "PublicIpAddress" not in account.shown(one)
    with refused("InvalidAssociationID.NotFound"):
        account.ec2("DisassociateAddress", AssociationId=first)


def test_an_address_stays_when_moving_is_forbidden(account: Account) -> None:
    address, one, other = account.address(), account.instance(), account.instance()
    _associate(account, address, one, AllowReassociation=False)
    with refused("Resource.AlreadyAssociated"):
        _associate(account, address, other, AllowReassociation=False)
    assert account.shown_address(address)["InstanceId"] == one


def test_repeating_an_association_changes_nothing(account: Account) -> None:
    address, instance = account.address(), account.instance()
    assert _associate(account, address, instance) == _associate(account, address, instance)


def test_the_instances_other_address_is_freed(account: Account) -> None:
    one, other, instance = account.address(), account.address(), account.instance()
    _associate(account, one, instance)
    _associate(account, other, instance)
    assert "InstanceId" not in account.shown_address(one)
    assert account.shown(instance)["PublicIpAddress"] == account.shown_address(other)["PublicIp"]


def test_a_pending_instance_gets_no_address(account: Account) -> None:
    with refused("IncorrectInstanceState"):
        _associate(account, account.address(), account.pending_instance())


def test_termination_frees_the_address_and_a_stop_does_not(account: Account) -> None:
    address, instance = account.address(), account.instance()
    _associate(account, address, instance)
    account.ec2("StopInstances", InstanceIds=[instance])
    account.run_for(minutes=1)
    assert account.shown_address(address)["InstanceId"] == instance
    account.ec2("TerminateInstances", InstanceIds=[instance])
    account.run_for(minutes=1)
    assert "AssociationId" not in account.shown_address(address)


def test_an_address_in_use_is_not_released(account: Account) -> None:
    address = account.address()
    association = _associate(account, address, account.instance())
    with refused("InvalidIPAddress.InUse"):
        account.ec2("ReleaseAddress", AllocationId=address)
    account.ec2("DisassociateAddress", AssociationId=association)
    account.ec2("ReleaseAddress", AllocationId=address)
    with refused("InvalidAllocationID.NotFound"):
        account.shown_address(address)


def test_an_interface_names_its_instance(account: Account) -> None:
    address, instance = account.address(), account.instance()
    interface = account.shown(instance)["NetworkInterfaces"][0]["NetworkInterfaceId"]
    account.ec2("AssociateAddress", AllocationId=address, NetworkInterfaceId=interface)
    assert account.shown_address(address)["InstanceId"] == instance


def test_there_is_a_quota(account: Account) -> None:
    for _ in range(5):
        account.address()
    with refused("AddressLimitExceeded"):
        account.address()


def test_addresses_are_found_by_tag_and_instance(account: Account) -> None:
    tags = [{"ResourceType": "elastic-ip", "Tags": [{"Key": "ovenbird:fleet", "Value": "web"}]}]
    ours = account.ec2("AllocateAddress", TagSpecifications=tags)["AllocationId"]
    other, instance = account.address(), account.instance()
    _associate(account, other, instance)

    def found(name: str, value: str) -> list[str]:
        answer = account.ec2("DescribeAddresses", Filters=[{"Name": name, "Values": [value]}])
        return [one["AllocationId"] for one in answer["Addresses"]]

    assert found("tag:ovenbird:fleet", "web") == [ours]
    assert found("instance-id", instance) == [other]
