"""boto3 clients in front of the model cloud: retries, lost answers, errors."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError

from sandbox.cloud import seam
from sandbox.cloud.faults import Killed
from tests.unit.cloud.account import Account, quick_session

_STANDARD = Config(retries={"mode": "standard", "total_max_attempts": 3})


@pytest.fixture
def session(account: Account) -> Iterator[boto3.Session]:
    session = boto3.Session(
        "nobody", "nothing", region_name="us-east-1", botocore_session=quick_session()
    )
    seam.attach(session.events, account.cloud)
    with seam.virtual_sleep(account.cloud):
        yield session


@pytest.fixture
def ec2(session: boto3.Session) -> Any:
    return session.client("ec2", config=_STANDARD)


def test_the_sdk_retries_what_it_would_retry_on_virtual_time(account: Account, ec2: Any) -> None:
    account.cloud.faults.throttle("DescribeInstances", times=2)
    before = account.cloud.kernel.now()
    answer = ec2.describe_instances()
    assert answer["ResponseMetadata"]["RetryAttempts"] == 2
    assert account.cloud.kernel.now() - before == timedelta(seconds=2)


def test_the_sdk_gives_up_in_the_end(account: Account, ec2: Any) -> None:
    account.cloud.faults.throttle("DescribeInstances", times=3)
    with pytest.raises(ClientError) as caught:
        ec2.describe_instances()
    assert caught.value.response["Error"]["Code"] == "RequestLimitExceeded"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503


def test_a_refusal_is_not_retried(account: Account, ec2: Any) -> None:
    with pytest.raises(ClientError, match=r"InvalidInstanceID\.NotFound"):
        ec2.describe_instances(InstanceIds=["i-00000000000000000"])
    assert len(account.cloud.journal.calls) == 1


def test_a_retry_after_a_lost_answer_has_the_same_token(account: Account, ec2: Any) -> None:
    account.cloud.faults.lose_answer("RunInstances")
    ec2.run_instances(ImageId=account.image, MinCount=1, MaxCount=1, UserData="#!/bin/sh")
    assert len(account.cloud.ec2.instances.all) == 1
    account.run_for(minutes=1)
    assert list(account.machines.user_data.values()) == ["#!/bin/sh"]


def test_answers_that_stay_lost_look_like_a_broken_connection(account: Account, ec2: Any) -> None:
    account.cloud.faults.lose_answer("AllocateAddress", times=3)
    with pytest.raises(ReadTimeoutError):
        ec2.allocate_address()
    assert len(account.cloud.ec2.addresses.all) == 3


def test_a_killed_caller_catches_nothing(account: Account, ec2: Any) -> None:
    account.cloud.faults.kill("after", "AllocateAddress")
    with pytest.raises(Killed):
        ec2.allocate_address()


def test_modelled_errors_have_their_classes(session: boto3.Session) -> None:
    ssm: Any = session.client("ssm", config=_STANDARD)
    with pytest.raises(ssm.exceptions.ParameterNotFound):
        ssm.get_parameter(Name="/nobody")


def test_paginators_work(account: Account, ec2: Any) -> None:
    for number in range(7):
        account.template(f"web-{number}")
    pages = ec2.get_paginator("describe_launch_templates").paginate(
        PaginationConfig={"PageSize": 3}
    )
    assert [len(page["LaunchTemplates"]) for page in pages] == [3, 3, 1]


def test_services_that_the_cloud_does_not_have_are_left_alone(
    account: Account, session: boto3.Session
) -> None:
    reached = []

    def stop(request: Any, **_: Any) -> None:
        reached.append(request.url)
        raise ConnectionAbortedError

    client: Any = session.client("sts", config=Config(retries={"max_attempts": 0}))
    client.meta.events.register("before-send", stop)
    with pytest.raises(ConnectionAbortedError):
        client.get_caller_identity()
    assert len(reached) == 1
    assert account.cloud.journal.calls == []
