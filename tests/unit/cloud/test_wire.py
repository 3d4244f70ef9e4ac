"""HTTP to the model cloud and back, as boto3 writes and reads it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError

from sandbox.cloud import wire
from tests.unit.cloud.account import Account, quick_session

Clients = Callable[[str], Any]


class _Body:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> list[bytes]:
        return [self._content]


@pytest.fixture
def clients(account: Account) -> Clients:
    """boto3 clients whose requests go through the wire's bytes."""

    def client(service: str) -> Any:
        session: Any = boto3.Session(
            "nobody", "nothing", region_name="us-east-1", botocore_session=quick_session()
        )
        made = session.client(service, config=Config(retries={"max_attempts": 0}))

        def send(request: Any, **_: Any) -> Any:
            headers = {
                name: value.decode() if isinstance(value, bytes) else value
                for name, value in request.headers.items()
            }
            body = request.body.encode() if isinstance(request.body, str) else request.body
            path = urlsplit(request.url).path or "/"
            status, answered, content = wire.answer(
                account.cloud, service, request.method, path, headers, body
            )
            response: Any = AWSResponse
            return response(request.url, status, answered, _Body(content))

        made.meta.events.register("before-send", send)
        return made

    return client


def test_ec2_is_understood_and_answers(account: Account, clients: Clients) -> None:
    ec2 = clients("ec2")
    assert ec2.describe_instances()["Reservations"] == []
    tags = [{"Key": "Name", "Value": "<web> & co"}]
    made = ec2.run_instances(
        ImageId=account.image,
        MinCount=1,
        MaxCount=2,
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
    )["Instances"]
    assert [one["Tags"] for one in made] == [tags, tags]
    assert made[0]["LaunchTime"] == datetime(2026, 1, 5, 9, tzinfo=UTC)
    found = ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": ["<web>*"]}])
    assert [len(one["Instances"]) for one in found["Reservations"]] == [2]


def test_ssm_is_understood_and_answers(account: Account, clients: Clients) -> None:
    ssm, instance = clients("ssm"), account.instance()
    command = ssm.send_command(
        InstanceIds=[instance],
        DocumentName="AWS-RunShellScript",
        Parameters={"commands": ["echo 'ü'"]},
    )["Command"]
    assert command["RequestedDateTime"] == account.cloud.kernel.now()
    account.run_for(minutes=1)
    result = ssm.get_command_invocation(CommandId=command["CommandId"], InstanceId=instance)
    assert result["Status"] == "Success"
    assert account.machines.scripts[0].lines == ("echo 'ü'",)


def test_auto_scaling_is_understood_and_answers(account: Account, clients: Clients) -> None:
    autoscaling = clients("autoscaling")
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName="web",
        MinSize=0,
        MaxSize=2,
        LaunchTemplate={"LaunchTemplateId": account.template(), "Version": "1"},
        VPCZoneIdentifier=account.cloud.ec2.networks.subnets[0].subnet_id,
    )
    (group,) = autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    assert (group["MaxSize"], group["LaunchTemplate"]["Version"]) == (2, "1")


def test_errors_keep_code_message_and_status(clients: Clients) -> None:
    for service, call, params, code in (
        ("ec2", "describe_vpcs", {"VpcIds": ["vpc-1"]}, "InvalidVpcID.NotFound"),
        ("ssm", "get_parameter", {"Name": "/a"}, "ParameterNotFound"),
        (
            "autoscaling",
            "describe_instance_refreshes",
            {"AutoScalingGroupName": "a"},
            "ValidationError",
        ),
    ):
        with pytest.raises(ClientError) as caught:
            getattr(clients(service), call)(**params)
        assert caught.value.response["Error"]["Code"] == code
        assert caught.value.response["Error"]["Message"]
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_throttling_has_its_status(account: Account, clients: Clients) -> None:
    account.cloud.faults.throttle("DescribeVpcs")
    with pytest.raises(ClientError) as caught:
        clients("ec2").describe_vpcs()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503


@pytest.mark.parametrize(
    ("service", "call", "code"),
    [
        ("ec2", "describe_volumes", "InvalidAction"),
        ("autoscaling", "describe_policies", "InvalidAction"),
        ("ssm", "list_documents", "UnknownOperationException"),
    ],
)
def test_a_call_that_the_sandbox_does_not_know_says_so(
    clients: Clients, service: str, call: str, code: str
) -> None:
    with pytest.raises(ClientError, match="the sandbox does not know this call") as caught:
        getattr(clients(service), call)()
    assert caught.value.response["Error"]["Code"] == code


def test_nonsense_is_refused(account: Account) -> None:
    body = b"Action=RunInstances&ImageId=ami-1&MinCount=many&MaxCount=1"
    status, _, content = wire.answer(account.cloud, "ec2", "POST", "/", {}, body)
    assert (status, b"MalformedQueryString" in content) == (400, True)
    headers = {"X-Amz-Target": "AmazonSSM.GetParameter"}
    status, _, content = wire.answer(account.cloud, "ssm", "POST", "/", headers, b"{")
    assert (status, b"SerializationException" in content) == (400, True)
