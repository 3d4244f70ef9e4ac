"""What tests can make go wrong, and the door's checks."""

from __future__ import annotations

import pytest

from sandbox.cloud import shapes
from sandbox.cloud.faults import Killed, LostAnswer
from tests.unit.cloud.account import Account, refused


def test_a_call_can_be_throttled_in_the_services_own_words(account: Account) -> None:
    account.cloud.faults.throttle("DescribeInstances", nth=2)
    account.ec2("DescribeInstances")
    with refused("RequestLimitExceeded"):
        account.ec2("DescribeInstances")
    account.ec2("DescribeInstances")
    account.cloud.faults.throttle("ListCommands")
    with refused("ThrottlingException"):
        account.ssm("ListCommands")


def test_mutating_calls_share_a_bucket_that_refills(account: Account) -> None:
    account.cloud.ec2.addresses.quota = 1000
    account.cloud.faults.limit_rates()
    for _ in range(50):
        account.address()
    with refused("RequestLimitExceeded"):
        account.address()
    account.ec2("DescribeAddresses")  # reading has a bucket of its own
    account.run_for(seconds=1)
    for _ in range(5):
        account.address()
    with refused("RequestLimitExceeded"):
        account.address()


def test_a_lost_answer_leaves_its_effect(account: Account) -> None:
    account.cloud.faults.lose_answer("AllocateAddress")
    with pytest.raises(LostAnswer):
        account.address()
    assert len(account.ec2("DescribeAddresses")["Addresses"]) == 1


@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
def test_a_caller_can_be_killed(account: Account, when: str, made: int) -> None:
    account.cloud.faults.kill("before" if when == "before" else "after", "AllocateAddress")
    with pytest.raises(Killed):
        account.address()
    assert len(account.ec2("DescribeAddresses")["Addresses"]) == made
    account.address()


def test_any_call_can_be_made_to_fail(account: Account) -> None:
    account.cloud.faults.fail("*", "InternalError", status=500, nth=2)
    account.address()
    with refused("InternalError"):
        account.ec2("DescribeAddresses")
    account.cloud.faults.fail("*", "InternalError")
    account.cloud.faults.clear()
    account.address()


def test_requests_are_checked_as_aws_checks_them(account: Account) -> None:
    with refused("MissingParameter"):
        account.ec2("CreateImage", Name="web")
    with refused("UnknownParameter"):
        account.ec2("DescribeInstances", InstanceIdentifiers=["i-1"])
    with refused("InvalidParameterValue"):
        account.ec2("DescribeInstances", InstanceIds="i-1")
    with refused("ValidationException"):
        account.ssm("GetParametersByPath", Path="/", MaxResults=11)


def test_unknown_calls_are_refused_as_aws_refuses_them(account: Account) -> None:
    with refused("InvalidAction"):
        account.ec2("DescribeTeapots")
    with refused("UnknownOperationException"):
        account.ssm("DescribeTeapots")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"Teapots": []}, id="unknown member"),
        pytest.param({"Addresses": [{"Domain": "teapot"}]}, id="unknown value"),
        pytest.param({"Addresses": {}}, id="wrong type"),
    ],
)
def test_an_answer_that_aws_could_not_give_is_a_mistake_of_the_model(
    answer: dict[str, object],
) -> None:
    with pytest.raises(shapes.ImpossibleAnswer):
        shapes.answer("ec2", "DescribeAddresses", answer)


def test_the_journal_keeps_every_call(account: Account) -> None:
    account.address()
    with refused("InvalidInstanceID.NotFound"):
        account.state("i-00000000000000000")
    calls = account.cloud.journal.calls
    assert [(call.operation, call.error) for call in calls] == [
        ("AllocateAddress", None),
        ("DescribeInstances", "InvalidInstanceID.NotFound"),
    ]
    assert account.cloud.journal.count("DescribeInstances") == 0
