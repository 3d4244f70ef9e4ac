"""The adapter of Auto Scaling where moto has no answer: refreshes, and what AWS refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.stub import Stubber

from ovenbird.aws import autoscaling_activities, autoscaling_groups, autoscaling_refreshes, clients
from ovenbird.core.groups import TemplateVersion
from ovenbird.core.launches import Launch
from ovenbird.core.refreshes import Refresh
from ovenbird.errors import Declined, NotFound, Refused, Throttled, Unavailable

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=5)
TO_FOUR = {"LaunchTemplate": {"LaunchTemplateId": "lt-0123456789abcdef0", "Version": "4"}}
PREFERENCES = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 125}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)
    clients.reset()
    with Stubber(clients.get("autoscaling")) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()
    clients.reset()


def start() -> str | None:
    return autoscaling_refreshes.start("web", TO_FOUR, PREFERENCES)


def activity(description: str, message: str = "") -> dict[str, Any]:
    return {
        "ActivityId": "a-1",
        "AutoScalingGroupName": "web",
        "Description": description,
        "Cause": "At noon an instance was started.",
        "StartTime": NOON,
        "StatusCode": "Failed" if message else "Successful",
        **({"StatusMessage": message} if message else {}),
    }


def test_launches_are_read_as_far_back_as_the_last_that_came_off(aws: Stubber) -> None:
    within = [
        {"Name": "StartTimeLowerBound", "Values": [NOON.isoformat()]},
        {"Name": "StartTimeUpperBound", "Values": [NOON.isoformat()]},
    ]
    asked = {"AutoScalingGroupName": "web", "Filters": within}
    refused = "Launching a new EC2 instance.  Status Reason: No room."
    pages = [
        [activity(refused, "No room."), activity("Terminating EC2 instance: i-0123456789abcdef0")],
        [activity("Launching a new EC2 instance: i-0123456789abcdef1", "It was unhealthy.")],
    ]
    aws.add_response(
        "describe_scaling_activities", {"Activities": pages[0], "NextToken": "2"}, asked
    )
    aws.add_response(
        "describe_scaling_activities",
        {"Activities": pages[1], "NextToken": "3"},
        {**asked, "NextToken": "2"},
    )
    assert autoscaling_activities.launches("web", NOON, NOON) == (
        Launch(said="No room."),
        Launch("i-0123456789abcdef1", "It was unhealthy."),
    )


def test_one_tag_of_a_group_is_asked_for_and_found_on_a_later_page(aws: Stubber) -> None:
    chosen = [
        {"Name": "auto-scaling-group", "Values": ["web"]},
        {"Name": "key", "Values": ["team"]},
    ]
    found = {"ResourceId": "web", "Key": "team", "Value": "one"}
    aws.add_response("describe_tags", {"Tags": [], "NextToken": "2"}, {"Filters": chosen})
    aws.add_response("describe_tags", {"Tags": [found]}, {"Filters": chosen, "NextToken": "2"})
    assert autoscaling_groups.tag("web", "team") == "one"
    aws.add_response("describe_tags", {"Tags": []}, {"Filters": chosen})
    assert autoscaling_groups.tag("web", "team") is None


def test_a_group_that_is_gone_has_no_launches(aws: Stubber) -> None:
    aws.add_client_error("describe_scaling_activities", "ValidationError", "name not found")
    with pytest.raises(NotFound, match="name not found"):
        autoscaling_activities.launches("web", NOON, NOON)


def test_a_refresh_is_read_with_every_reason(aws: Stubber) -> None:
    aws.add_response(
        "describe_instance_refreshes",
        {
            "InstanceRefreshes": [
                {
                    "InstanceRefreshId": "r-2",
                    "AutoScalingGroupName": "web",
                    "Status": "RollbackSuccessful",
                    "StatusReason": "The rollback is over.",
                    "StartTime": NOON,
                    "EndTime": NOON,
                    "PercentageComplete": 25,
                    "InstancesToUpdate": 3,
                    "DesiredConfiguration": TO_FOUR,
                    "RollbackDetails": {
                        "RollbackReason": "web-5xx is in ALARM.",
                        "RollbackStartTime": LATER,
                    },
                },
                {"InstanceRefreshId": "r-1", "AutoScalingGroupName": "web", "Status": "Pending"},
            ]
        },
        {"AutoScalingGroupName": "web", "MaxRecords": 100},
    )
    assert autoscaling_refreshes.recent("web") == (
        Refresh(
            "r-2",
            "RollbackSuccessful",
            "web-5xx is in ALARM. The rollback is over.",
            25,
            NOON,
            NOON,
            TemplateVersion("lt-0123456789abcdef0", "4"),
            remaining=3,
            turned=LATER,
        ),
        Refresh("r-1", "Pending"),
    )


def test_a_refresh_of_somebody_else_may_name_its_template_by_name(aws: Stubber) -> None:
    by_name = {"LaunchTemplate": {"LaunchTemplateName": "web", "Version": "9"}}
    theirs = {"InstanceRefreshId": "r-9", "Status": "Successful", "DesiredConfiguration": by_name}
    aws.add_response("describe_instance_refreshes", {"InstanceRefreshes": [theirs]})
    (seen,) = autoscaling_refreshes.recent("web")
    assert seen.versions == {"web": "9"}


def test_a_refresh_is_asked_for_with_everything(aws: Stubber) -> None:
    aws.add_response(
        "start_instance_refresh",
        {"InstanceRefreshId": "r-1"},
        {
            "AutoScalingGroupName": "web",
            "Strategy": "Rolling",
            "DesiredConfiguration": TO_FOUR,
            "Preferences": PREFERENCES,
        },
    )
    assert start() == "r-1"


def test_an_active_refresh_is_no_failure(aws: Stubber) -> None:
    aws.add_client_error("start_instance_refresh", "InstanceRefreshInProgress")
    assert start() is None


@pytest.mark.parametrize(
    ("call", "operation", "code", "status", "failure"),
    [
        (start, "start_instance_refresh", "ValidationError", 400, Refused),
        (start, "start_instance_refresh", "LimitExceeded", 400, Refused),
        (start, "start_instance_refresh", "Throttling", 400, Throttled),
        (start, "start_instance_refresh", "ResourceContention", 500, Unavailable),
        (
            lambda: autoscaling_refreshes.recent("web"),
            "describe_instance_refreshes",
            "ValidationError",
            400,
            NotFound,
        ),
        (
            lambda: autoscaling_refreshes.roll_back("web"),
            "rollback_instance_refresh",
            "ResourceContention",
            500,
            Unavailable,
        ),
    ],
)
def test_what_aws_refuses_has_a_name(
    aws: Stubber,
    call: Callable[[], object],
    operation: str,
    code: str,
    status: int,
    failure: type[Exception],
) -> None:
    for _ in range(5):  # the SDK's own repetitions of what can be repeated
        aws.add_client_error(operation, code, "because", http_status_code=status)
    with pytest.raises(failure, match="because"):
        call()
    aws._queue.clear()  # type: ignore[attr-defined]  # those that were not repeated


@pytest.mark.parametrize(
    ("code", "expected"),
    [("IrreversibleInstanceRefresh", False), ("ActiveInstanceRefreshNotFound", True)],
)
def test_rolling_back_what_cannot_be_rolled_back(aws: Stubber, code: str, expected: bool) -> None:
    aws.add_client_error("rollback_instance_refresh", code)
    assert autoscaling_refreshes.roll_back("web") is expected


def test_cancelling_nothing_is_no_failure(aws: Stubber) -> None:
    aws.add_client_error("cancel_instance_refresh", "ActiveInstanceRefreshNotFound")
    autoscaling_refreshes.cancel("web")


def group(name: str) -> dict[str, Any]:
    return {
        "AutoScalingGroupName": name,
        "MinSize": 0,
        "MaxSize": 1,
        "DesiredCapacity": 0,
        "DefaultCooldown": 300,
        "AvailabilityZones": [],
        "HealthCheckType": "EC2",
        "CreatedTime": NOON,
    }


def test_a_group_may_stand_behind_an_empty_page(aws: Stubber) -> None:
    operation = "describe_auto_scaling_groups"
    aws.add_response(operation, {"AutoScalingGroups": [], "NextToken": "more"})
    aws.add_response(
        operation,
        {"AutoScalingGroups": [group("web")]},
        {"AutoScalingGroupNames": ["web"], "NextToken": "more"},
    )
    assert autoscaling_groups.describe("web").name == "web"


def test_what_is_under_way_is_over_before_a_refresh_is_cancelled(aws: Stubber) -> None:
    """Else the way back would begin among launches that are half done."""
    aws.add_response(
        "cancel_instance_refresh",
        {"InstanceRefreshId": "r-1"},
        {"AutoScalingGroupName": "web", "WaitForTransitioningInstances": True},
    )
    autoscaling_refreshes.cancel("web")


@pytest.mark.parametrize(
    ("warmup", "read", "used"),
    [
        pytest.param({}, None, 90, id="none"),
        pytest.param({"DefaultInstanceWarmup": -1}, None, 90, id="taken back"),
        pytest.param({"DefaultInstanceWarmup": 0}, 0, 0, id="no time at all"),
        pytest.param({"DefaultInstanceWarmup": 30}, 30, 30, id="some"),
    ],
)
def test_a_warm_up_of_minus_one_is_none(
    aws: Stubber, warmup: dict[str, Any], read: int | None, used: int
) -> None:
    """Source: EC2 Auto Scaling API reference, UpdateAutoScalingGroup, DefaultInstanceWarmup."""
    shown = group("web") | {"HealthCheckGracePeriod": 90} | warmup
    aws.add_response("describe_auto_scaling_groups", {"AutoScalingGroups": [shown]})
    seen = autoscaling_groups.describe("web")
    assert seen.default_warmup_seconds == read
    assert seen.warmup_seconds == used


def test_a_group_is_read_with_everything_that_it_has(aws: Stubber) -> None:
    target = "arn:aws:elasticloadbalancing:us-east-1:111122223333:targetgroup/{}/0123456789abcdef"
    template = {"LaunchTemplateId": "lt-1", "LaunchTemplateName": "web", "Version": "3"}
    shown = group("web") | {
        "AutoScalingGroupARN": "arn:web",
        "MinSize": 1,
        "MaxSize": 6,
        "DesiredCapacity": 2,
        "LaunchTemplate": template,
        "VPCZoneIdentifier": "subnet-1,subnet-2",
        "HealthCheckType": "ELB",
        "TargetGroupARNs": [target.format("a")],
        "TrafficSources": [
            {"Identifier": target.format("a"), "Type": "elbv2"},
            {"Identifier": target.format("b")},
            {"Identifier": "classic", "Type": "elb"},
            {"Identifier": "arn:aws:vpc-lattice:us-east-1:1:targetgroup/tg", "Type": "vpc-lattice"},
        ],
        "SuspendedProcesses": [{"ProcessName": "Terminate"}, {"ProcessName": "AZRebalance"}],
        "Tags": [
            {"ResourceId": "web", "Key": "team", "Value": "one"},
            {"ResourceId": "web", "Key": "empty"},
        ],
        "Instances": [
            {
                "InstanceId": "i-1",
                "AvailabilityZone": "us-east-1a",
                "LifecycleState": "InService",
                "HealthStatus": "Healthy",
                "LaunchTemplate": template,
                "ProtectedFromScaleIn": True,
            },
            {
                "InstanceId": "i-2",
                "AvailabilityZone": "us-east-1b",
                "LifecycleState": "Pending:Wait",
                "HealthStatus": "HEALTHY",
                "ProtectedFromScaleIn": False,
            },
            {
                "InstanceId": "i-3",
                "AvailabilityZone": "us-east-1b",
                "LifecycleState": "Terminating",
                "HealthStatus": "Unhealthy",
                "ProtectedFromScaleIn": False,
            },
        ],
    }
    aws.add_response("describe_auto_scaling_groups", {"AutoScalingGroups": [shown]})
    seen = autoscaling_groups.describe("web")
    assert (seen.name, seen.arn) == ("web", "arn:web")
    assert (seen.min_size, seen.max_size, seen.desired) == (1, 6, 2)
    assert seen.template == TemplateVersion("lt-1", "3")
    assert seen.subnets == ("subnet-1", "subnet-2")
    assert seen.health_check_type == "ELB"
    assert seen.target_groups == (target.format("a"), target.format("b"))
    assert seen.suspended == ("AZRebalance", "Terminate")
    assert seen.tags == {"team": "one", "empty": ""}
    first, second, third = seen.members
    assert (first.instance_id, first.lifecycle, first.zone) == ("i-1", "InService", "us-east-1a")
    assert first.template == TemplateVersion("lt-1", "3")
    assert second.template is None
    assert [each.healthy for each in seen.members] == [True, True, False]
    assert [each.protected for each in seen.members] == [True, False, False]
    assert third.zone == "us-east-1b"


def test_a_group_of_a_launch_configuration_has_no_template(aws: Stubber) -> None:
    shown = group("web") | {"LaunchConfigurationName": "old"}
    aws.add_response("describe_auto_scaling_groups", {"AutoScalingGroups": [shown]})
    seen = autoscaling_groups.describe("web")
    assert (seen.template, seen.launch_configuration, seen.mixed) == (None, "old", None)
    assert (seen.subnets, seen.target_groups, seen.members) == ((), (), ())
    assert (seen.overrides, seen.suspended, seen.tags) == ((), (), {})


def test_the_template_of_a_policy_is_the_one_that_counts(aws: Stubber) -> None:
    policy = {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": {"LaunchTemplateId": "lt-1", "Version": "3"},
            "Overrides": [
                {"InstanceType": "t3.small"},
                {
                    "InstanceType": "t4g.small",
                    "LaunchTemplateSpecification": {"LaunchTemplateId": "lt-2", "Version": "7"},
                },
            ],
        }
    }
    shown = group("web") | {"MixedInstancesPolicy": policy}
    aws.add_response("describe_auto_scaling_groups", {"AutoScalingGroups": [shown]})
    seen = autoscaling_groups.describe("web")
    assert seen.template == TemplateVersion("lt-1", "3")
    assert seen.overrides == (None, TemplateVersion("lt-2", "7"))
    assert seen.mixed == policy


def pinnable(aws: Stubber) -> None:
    shown = group("web") | {"LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": "$Latest"}}
    aws.add_response("describe_auto_scaling_groups", {"AutoScalingGroups": [shown]})


def test_a_group_is_pinned_to_a_number_of_its_own_template(aws: Stubber) -> None:
    pinnable(aws)
    aws.add_response(
        "update_auto_scaling_group",
        {},
        {
            "AutoScalingGroupName": "web",
            "LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": "3"},
        },
    )
    autoscaling_groups.pin("web", TemplateVersion("lt-1", "3"))


@pytest.mark.parametrize(("template", "version"), [("lt-1", "$Latest"), ("lt-9", "3")])
def test_a_group_is_pinned_to_nothing_else(aws: Stubber, template: str, version: str) -> None:
    pinnable(aws)
    with pytest.raises(Refused) as refused:
        autoscaling_groups.pin("web", TemplateVersion(template, version))
    assert f"Group web cannot be pinned to version '{version}' of {template}" in str(refused.value)


@pytest.mark.parametrize(
    ("code", "failure", "words"),
    [
        ("ValidationError", Refused, "^AWS does not let group web be pinned: because$"),
        ("ScalingActivityInProgress", Unavailable, "because"),
    ],
)
def test_a_group_that_may_not_be_pinned(
    aws: Stubber, code: str, failure: type[Exception], words: str
) -> None:
    pinnable(aws)
    aws.add_client_error("update_auto_scaling_group", code, "because")
    with pytest.raises(failure, match=words):
        autoscaling_groups.pin("web", TemplateVersion("lt-1", "3"))


def test_a_refresh_of_which_aws_tells_little(aws: Stubber) -> None:
    """Its policy's template counts; a reason that stands twice is told once."""
    policy = {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": {"LaunchTemplateId": "lt-1", "Version": "4"}
        }
    }
    same = {"StatusReason": "Asked for.", "RollbackDetails": {"RollbackReason": "Asked for."}}
    aws.add_response(
        "describe_instance_refreshes",
        {
            "InstanceRefreshes": [
                {
                    "InstanceRefreshId": "r-1",
                    "Status": "RollbackInProgress",
                    "DesiredConfiguration": {"MixedInstancesPolicy": policy},
                    **same,
                }
            ]
        },
    )
    (seen,) = autoscaling_refreshes.recent("web")
    assert seen.template == TemplateVersion("lt-1", "4")
    assert seen.mixed == policy
    assert seen.reason == "Asked for."
    assert (seen.percent, seen.remaining, seen.turned) == (0, 0, None)


def test_a_group_without_any_refresh(aws: Stubber) -> None:
    aws.add_response("describe_instance_refreshes", {})
    assert autoscaling_refreshes.recent("web") == ()


@pytest.mark.parametrize(
    ("call", "operation"),
    [
        (start, "start_instance_refresh"),
        (lambda: autoscaling_refreshes.recent("web"), "describe_instance_refreshes"),
        (lambda: autoscaling_refreshes.roll_back("web"), "rollback_instance_refresh"),
        (lambda: autoscaling_refreshes.cancel("web"), "cancel_instance_refresh"),
        (
            lambda: autoscaling_activities.launches("web", NOON, NOON),
            "describe_scaling_activities",
        ),
    ],
)
def test_a_code_that_nobody_expects_is_loud(
    aws: Stubber, call: Callable[[], object], operation: str
) -> None:
    aws.add_client_error(operation, "NeverHeardOf", "because")
    with pytest.raises(Declined, match="because"):
        call()
