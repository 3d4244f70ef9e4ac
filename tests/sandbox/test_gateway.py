"""Which requests are the model cloud's, and which ministack's."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sandbox.asgi import Message, Scope
from sandbox.cloud.clock import WallClock
from sandbox.cloud.cloud import Cloud
from sandbox.cloud.imaginary import Imaginary
from sandbox.gateway import Gateway, destination


def signed(service: str, **headers: str) -> dict[str, str]:
    scope = f"AWS4-HMAC-SHA256 Credential=sandbox/20260105/us-east-1/{service}/aws4_request, …"
    return {"authorization": scope, **{name.replace("_", "-"): headers[name] for name in headers}}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param(signed("ec2"), "ec2", id="EC2"),
        pytest.param(signed("autoscaling"), "autoscaling", id="Auto Scaling"),
        pytest.param(signed("elasticloadbalancing"), "elbv2", id="load balancing"),
        pytest.param(signed("ssm", x_amz_target="AmazonSSM.SendCommand"), "ssm", id="Run Command"),
        pytest.param(signed("ssm", x_amz_target="AmazonSSM.GetParameter"), None, id="parameters"),
        pytest.param(signed("ssm"), None, id="Systems Manager without an operation"),
        pytest.param(signed("monitoring"), None, id="CloudWatch"),
        pytest.param(signed("s3"), None, id="S3"),
        pytest.param({}, None, id="unsigned"),
        pytest.param({"authorization": "Bearer ec2"}, None, id="signed otherwise"),
    ],
)
def test_where_a_request_goes(headers: dict[str, str], expected: str | None) -> None:
    assert destination(headers) == expected


def ask(headers: dict[str, str], *body: bytes) -> tuple[int, bytes, list[str]]:
    """The status and body that the gateway answers, and what reached ministack."""
    reached: list[str] = []

    async def ministack(scope: Scope, receive: Any, send: Any) -> None:
        reached.append(scope["type"])
        await send({"type": "http.response.start", "status": 299, "headers": []})
        await send({"type": "http.response.body", "body": b"ministack"})

    gateway = Gateway(Cloud(WallClock(), Imaginary()), ministack)
    pieces = [{"body": piece, "more_body": True} for piece in body] + [{"body": b""}]
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", **pieces.pop(0)}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    asyncio.run(gateway(scope, receive, send))
    gateway.close()
    return sent[0]["status"], sent[1]["body"], reached


def test_a_call_of_the_fleet_is_answered_by_the_model() -> None:
    status, body, reached = ask(signed("ec2"), b"Action=Describe", b"Vpcs&Version=2016-11-15")

    assert status == 200
    assert b"<vpcId>vpc-" in body
    assert reached == []


def test_an_error_of_the_model_is_aws_error() -> None:
    status, body, _ = ask(signed("ec2"), b"Action=DescribeImages&ImageId.1=ami-0123456789abcdef0")

    assert status == 400
    assert b"<Code>InvalidAMIID.NotFound</Code>" in body


def test_everything_else_reaches_ministack() -> None:
    assert ask(signed("s3"), b"anything") == (299, b"ministack", ["http"])
