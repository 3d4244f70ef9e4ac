"""What balancers say, read from AWS's answers."""

from __future__ import annotations

from typing import Any

import pytest

from ovenbird.aws import loadbalancing
from ovenbird.core.traffic import State
from ovenbird.errors import NotFound, Unavailable
from tests.unit.stubs import stubbed

ARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/{}/0123456789abcdef".format


def health(*said: tuple[str, str, str]) -> dict[str, Any]:
    return {
        "TargetHealthDescriptions": [
            {
                "Target": {"Id": instance, "Port": 80 + number},
                "TargetHealth": {"State": state, **({"Reason": reason} if reason else {})},
            }
            for number, (instance, state, reason) in enumerate(said)
        ]
    }


def test_the_worst_of_several_ports_counts() -> None:
    with stubbed("elbv2") as elb:
        elb.add_response(
            "describe_target_health",
            health(
                ("i-1", "healthy", ""),
                ("i-1", "unhealthy", "Target.Timeout"),
                ("i-2", "draining", "Target.DeregistrationInProgress"),
                ("i-2", "healthy", ""),
                ("i-3", "initial", "Elb.RegistrationInProgress"),
                ("i-4", "something.new", ""),
            ),
            {"TargetGroupArn": ARN("web")},
        )
        (opinion,) = loadbalancing.opinions([ARN("web")])
    assert opinion.name == "target group web"
    assert opinion.states == {
        "i-1": State("unhealthy", "Target.Timeout"),
        "i-2": State("draining", "Target.DeregistrationInProgress"),
        "i-3": State("initial", "Elb.RegistrationInProgress"),
        "i-4": State("something.new"),
    }
    assert not opinion.of("i-4").wanted


def test_a_classic_balancer_in_the_words_of_target_health() -> None:
    states = [
        {"InstanceId": "i-1", "State": "InService", "ReasonCode": "N/A"},
        {"InstanceId": "i-2", "State": "OutOfService", "ReasonCode": "Instance"},
        {"InstanceId": "i-3", "State": "OutOfService", "ReasonCode": "ELB"},
        {"InstanceId": "i-4", "State": "Unknown", "ReasonCode": "N/A"},
    ]
    with stubbed("elb") as elb:
        elb.add_response(
            "describe_instance_health", {"InstanceStates": states}, {"LoadBalancerName": "old"}
        )
        (opinion,) = loadbalancing.opinions(["old"])
    assert [opinion.of(f"i-{n}").state for n in range(1, 6)] == [
        "healthy",
        "unhealthy",
        "initial",
        "unavailable",
        "unused",
    ]
    assert [opinion.of(f"i-{n}").wanted for n in range(1, 6)] == [True, *[False] * 4]


def test_what_a_target_group_is_for() -> None:
    made = [
        {"TargetGroupArn": ARN("web"), "LoadBalancerArns": ["arn:b"], "TargetType": "instance"},
        {"TargetGroupArn": ARN("green"), "LoadBalancerArns": [], "TargetType": "instance"},
        {"TargetGroupArn": ARN("pods"), "LoadBalancerArns": ["arn:b"], "TargetType": "ip"},
    ]
    arns = [each["TargetGroupArn"] for each in made]
    with stubbed("elbv2") as elb:
        elb.add_response(
            "describe_target_groups", {"TargetGroups": made}, {"TargetGroupArns": arns}
        )
        found = loadbalancing.target_groups([str(arn) for arn in arns])
    assert [bool(each.left_out) for each in found] == [False, True, True]
    assert loadbalancing.target_groups([]) == ()


@pytest.mark.parametrize(
    ("code", "status", "failure", "said"),
    [
        ("TargetGroupNotFound", 400, NotFound, "There is no target group web any more"),
        ("HealthUnavailable", 500, Unavailable, "read the target health of web"),
    ],
)
def test_what_cannot_be_asked(code: str, status: int, failure: type[Exception], said: str) -> None:
    with stubbed("elbv2") as elb:
        elb.add_client_error("describe_target_health", code, http_status_code=status)
        with pytest.raises(failure, match=said):
            loadbalancing.opinions([ARN("web")])


def test_a_target_group_that_is_gone_is_one_of_those_named() -> None:
    with stubbed("elbv2") as elb:
        elb.add_client_error("describe_target_groups", "TargetGroupNotFound")
        with pytest.raises(NotFound, match="One of the target groups web, api does not exist"):
            loadbalancing.target_groups([ARN("web"), ARN("api")])


def test_a_classic_balancer_that_is_gone() -> None:
    with stubbed("elb") as elb:
        elb.add_client_error("describe_instance_health", "LoadBalancerNotFound")
        with pytest.raises(NotFound, match="There is no Classic Load Balancer old any more"):
            loadbalancing.opinions(["old"])
