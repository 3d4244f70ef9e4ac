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
from ovenbird.errors import NotFound, Refused, Throttled, Unavailable

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
