"""Every number of the template that is a limit, compared with one literal for all of its kind.

A threshold of 50 instead of 5 is an alarm that never rings, and nothing else notices.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.template.deployed import functions, resources, written

HOUR, DAY = 3600, 86400
STARTED_BY_EVENTS = {
    "accept_release",
    "answer_alarm",
    "check_fleet",
    "recover_rollout",
    "ring_doorbell",
}
# A step that AWS throttles is tried again by the state machine; an event has nobody behind it.
STEP_ERRORS, EVENT_ERRORS = 5, 1


def alarms() -> dict[str, dict[str, Any]]:
    return resources("AWS::CloudWatch::Alarm")


def figures(alarm: dict[str, Any]) -> tuple[object, ...]:
    names = ("Statistic", "Period", "EvaluationPeriods", "Threshold", "ComparisonOperator")
    return tuple(alarm[name] for name in (*names, "TreatMissingData"))


@pytest.mark.parametrize("step", sorted(functions()))
def test_the_alarm_of_a_function_rings_at_the_same_number_as_the_others(step: str) -> None:
    (alarm,) = (
        each
        for each in alarms().values()
        if each["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": functions()[step]}}]
    )
    least = EVENT_ERRORS if step in STARTED_BY_EVENTS else STEP_ERRORS
    expected = ("Sum", 300, 1, least, "GreaterThanOrEqualToThreshold", "notBreaching")
    assert figures(alarm) == expected


def test_every_other_alarm_rings_at_the_first_of_its_kind() -> None:
    others = {name: alarm for name, alarm in alarms().items() if alarm["Namespace"] != "AWS/Lambda"}
    assert others
    for name, alarm in others.items():
        statistic, period, periods, threshold, *rest = figures(alarm)
        assert (statistic, period) in {("Maximum", 60), ("Sum", 300)}, name
        assert (periods, threshold) == (1, 1), name
        assert rest == ["GreaterThanOrEqualToThreshold", "notBreaching"], name


def test_every_alarm_is_told_to_the_topic_and_to_nobody_else() -> None:
    assert {str(alarm["AlarmActions"]) for alarm in alarms().values()} == {"[{'Ref': 'Topic'}]"}


@pytest.mark.parametrize("step", sorted(functions()))
def test_every_function_has_the_same_time_and_memory(step: str) -> None:
    function = resources("AWS::Lambda::Function")[functions()[step]]
    assert (function["Timeout"], function["MemorySize"]) == (60, 512)
    assert [layer["Ref"].rstrip("0123456789abcdef") for layer in function["Layers"]] == [
        "OvenbirdLayer",
        "VendorLayer",
    ]


def test_a_push_and_an_end_are_tried_for_a_day_and_a_ring_for_an_hour() -> None:
    """Sweeps make up for a lost ring; nobody looks again for a push, or for one that has died."""
    for_a_day = ("AcceptRelease", "RecoverRollout")
    for name, rule in resources("AWS::Events::Rule").items():
        for target in rule["Targets"]:
            age = DAY if name.startswith(for_a_day) else HOUR
            expected = {"MaximumEventAgeInSeconds": age, "MaximumRetryAttempts": 185}
            assert target["RetryPolicy"] == expected, name
    for configuration in resources("AWS::Lambda::EventInvokeConfig").values():
        of = configuration["FunctionName"]["Ref"]
        seconds = None if of.startswith(for_a_day) else HOUR
        assert configuration["MaximumRetryAttempts"] == 2, of
        assert configuration.get("MaximumEventAgeInSeconds") == seconds, of


def test_what_could_not_be_handled_is_kept_for_a_fortnight() -> None:
    for queue in resources("AWS::SQS::Queue").values():
        assert queue["MessageRetentionPeriod"] == 14 * DAY


def test_whatever_is_optional_is_optional_by_being_left_empty() -> None:
    """Each condition asks whether its own parameter has a value."""

    def given(parameter: str, *, many: bool = False, without: str | int = "") -> dict[str, Any]:
        value: dict[str, Any] = {"Ref": parameter}
        asked = {"Fn::Join": ["", value]} if many else value
        return {"Fn::Not": [{"Fn::Equals": [asked, without]}]}

    conditions = written()["Conditions"]
    known = {
        "HasNotificationEmail": given("NotificationEmail"),
        "HasReleaseBucket": given("ReleaseBucket"),
        # The one parameter that must be given; who has none says so.
        "HasInstanceRoles": given("InstanceRoleArns", many=True, without="none"),
        "HasPermissionsBoundary": given("PermissionsBoundaryArn"),
        "HasKmsKey": given("KmsKeyArn"),
        "HasNoKmsKey": given("KmsKeyArn")["Fn::Not"][0],
        "HasVolumeKmsKey": given("VolumeKmsKeyArn", many=True),
        "HasEventConcurrency": given("EventConcurrency", without=0),
    }
    assert conditions == known
    defaults = {name: each.get("Default") for name, each in written()["Parameters"].items()}
    assert defaults.pop("LogRetentionDays") == 30
    assert defaults.pop("EventConcurrency") == 0
    assert defaults.pop("InstanceRoleArns") is None
    assert set(defaults.values()) == {""}


def test_what_events_start_may_have_a_part_of_the_quota_of_its_own() -> None:
    """Off unless it is set: a new account has room for ten functions, and none to reserve.

    Reported: aws-samples/alarm-context-tool#2, aws-samples/one-observability-demo#278.
    """
    reserved = {
        name: each["Properties"].get("ReservedConcurrentExecutions")
        for name, each in written()["Resources"].items()
        if each["Type"] == "AWS::Serverless::Function"
    }
    asked = {
        "Fn::If": ["HasEventConcurrency", {"Ref": "EventConcurrency"}, {"Ref": "AWS::NoValue"}]
    }
    started = {
        "AcceptReleaseFunction",
        "AnswerAlarmFunction",
        "CheckFleetFunction",
        "RingDoorbellFunction",
    }
    assert {name for name, value in reserved.items() if value} == started
    assert all(reserved[name] == asked for name in started)


def test_what_is_switched_on_is_on() -> None:
    for key in resources("AWS::KMS::Key").values():
        assert key["EnableKeyRotation"] is True
    (table,) = resources("AWS::DynamoDB::Table").values()
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["KeySchema"] == [{"AttributeName": "pk", "KeyType": "HASH"}]
    assert table["AttributeDefinitions"] == [{"AttributeName": "pk", "AttributeType": "S"}]
