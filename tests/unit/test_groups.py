"""A group as its adapter reads it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from botocore.stub import Stubber

from ovenbird.aws import autoscaling_groups, clients

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    clients.reset()
    with Stubber(clients.get("autoscaling")) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()
    clients.reset()


def test_a_group_is_read_with_all_that_it_feeds_and_what_its_instances_count_for(
    aws: Stubber,
) -> None:
    arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/{}/0123456789abcdef"
    lattice = "arn:aws:vpc-lattice:us-east-1:123456789012:targetgroup/tg-0123456789abcdef0"
    shown = {
        "AutoScalingGroupName": "web",
        "MinSize": 0,
        "MaxSize": 12,
        "DesiredCapacity": 8,
        "DefaultCooldown": 300,
        "AvailabilityZones": ["us-east-1a"],
        "HealthCheckType": "EC2",
        "CreatedTime": NOON,
        "Status": "Delete in progress",
        "LoadBalancerNames": ["old"],
        "TargetGroupARNs": [arn.format("one")],
        "TrafficSources": [
            {"Identifier": arn.format("one"), "Type": "elbv2"},
            {"Identifier": arn.format("two")},
            {"Identifier": lattice},
            {"Identifier": "old", "Type": "elb"},
            {"Identifier": "older"},
        ],
        "Tags": [
            {"Key": "ovenbird:fleet", "Value": "web", "PropagateAtLaunch": True},
            {"Key": "team", "Value": "shop", "PropagateAtLaunch": False},
        ],
        "WarmPoolConfiguration": {"MinSize": 1},
        "Instances": [
            {
                "InstanceId": "i-0123456789abcdef0",
                "AvailabilityZone": "us-east-1a",
                "LifecycleState": "InService",
                "HealthStatus": "Healthy",
                "ProtectedFromScaleIn": False,
                "WeightedCapacity": "4",
            }
        ],
    }
    aws.add_response("describe_auto_scaling_groups", {"AutoScalingGroups": [shown]})
    seen = autoscaling_groups.describe("web")
    assert seen.target_groups == (arn.format("one"), arn.format("two"))
    assert seen.classic_balancers == ("old", "older")
    assert seen.lattice_groups == (lattice,)
    assert seen.propagated == {"ovenbird:fleet"}
    assert seen.members[0].weight == 4
    assert (seen.leaving, seen.status, seen.warm_pool) == (True, "Delete in progress", True)
    assert (seen.zones, seen.feeds_balancers) == (("us-east-1a",), True)
