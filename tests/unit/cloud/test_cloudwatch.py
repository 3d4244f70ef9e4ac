"""Alarms."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.cloud.cloudwatch.evaluation import evaluate
from tests.unit.cloud.town import Town, refused


@pytest.mark.parametrize(
    ("points", "to_alarm", "missing", "expected"),
    [
        pytest.param((0.0, 2.0), 1, "missing", "ALARM", id="one of two breaches"),
        pytest.param((0.0, 2.0), 2, "missing", "OK", id="two would have to"),
        pytest.param((2.0, None, 2.0), 2, "missing", "ALARM", id="two of three, one missing"),
        pytest.param((None, None), 1, "missing", "INSUFFICIENT_DATA", id="nothing known"),
        pytest.param((None, None), 1, "breaching", "ALARM", id="missing counts as breaching"),
        pytest.param((None, None), 1, "notBreaching", "OK", id="missing counts as good"),
        pytest.param((None, None), 1, "ignore", "ALARM", id="missing keeps the state"),
    ],
)
def test_datapoints_mean_a_state(
    points: tuple[float | None, ...], to_alarm: int, missing: str, expected: str
) -> None:
    state, _ = evaluate(
        points,
        comparison="GreaterThanThreshold",
        threshold=1.0,
        to_alarm=to_alarm,
        missing=missing,
        before="ALARM",
    )
    assert state == expected


def test_a_new_alarm_knows_nothing_and_a_replaced_one_keeps_its_state() -> None:
    town = Town()
    town.make_alarm("errors", "INSUFFICIENT_DATA")
    assert town.cloud.cloudwatch.state("errors") == "INSUFFICIENT_DATA"
    town.set_alarm("errors", "ALARM")
    shown = town.call("cloudwatch", "DescribeAlarms")["MetricAlarms"][0]
    put = ("AlarmName", "Namespace", "MetricName", "Period", "EvaluationPeriods")
    again = {key: shown[key] for key in (*put, "Threshold", "ComparisonOperator")}
    town.call("cloudwatch", "PutMetricAlarm", **again)
    assert town.cloud.cloudwatch.state("errors") == "ALARM"


def test_alarms_are_found_by_name_prefix_and_state() -> None:
    town = Town()
    for name, state in (("web-5xx", "OK"), ("web-slow", "ALARM"), ("api-5xx", "OK")):
        town.make_alarm(name, state)

    def names(**params: Any) -> list[str]:
        found = town.call("cloudwatch", "DescribeAlarms", **params)["MetricAlarms"]
        return [each["AlarmName"] for each in found]

    assert names() == ["api-5xx", "web-5xx", "web-slow"]
    assert names(AlarmNames=["web-slow", "nobody"]) == ["web-slow"]
    assert names(AlarmNamePrefix="web-") == ["web-5xx", "web-slow"]
    assert names(StateValue="OK") == ["api-5xx", "web-5xx"]
    page = town.call("cloudwatch", "DescribeAlarms", MaxRecords=2)
    assert names(NextToken=page["NextToken"]) == ["web-slow"]
    assert town.cloud.cloudwatch.states(["web-slow", "nobody"]) == {"web-slow": "ALARM"}


def test_a_change_of_state_is_an_event_and_the_same_state_is_none() -> None:
    town = Town()
    town.make_alarm("errors", "OK")
    town.pass_minutes(0.1)
    town.cloud.kernel.bus.sent.clear()
    heard: list[tuple[str, str]] = []
    town.cloud.cloudwatch.on_change(lambda name, state: heard.append((name, state)))
    town.set_alarm("errors", "ALARM")
    town.set_alarm("errors", "ALARM")
    town.pass_minutes(0.1)
    (event,) = town.cloud.kernel.bus.sent
    assert heard == [("errors", "ALARM")]
    assert (event["source"], event["detail-type"]) == (
        "aws.cloudwatch",
        "CloudWatch Alarm State Change",
    )
    assert event["resources"] == ["arn:aws:cloudwatch:us-east-1:000000000000:alarm:errors"]
    detail = event["detail"]
    assert detail["alarmName"] == "errors"
    assert detail["previousState"]["value"] == "OK"
    assert detail["state"]["value"] == "ALARM"
    assert detail["state"]["reason"] == "a test"
    assert detail["state"]["timestamp"].endswith("+0000")
    metric = detail["configuration"]["metrics"][0]
    assert metric["metricStat"]["metric"] == {
        "dimensions": {},
        "name": "Errors",
        "namespace": "Acme",
    }


def test_unknown_alarms_are_refused_and_nothing_is_deleted_then() -> None:
    town = Town()
    town.make_alarm("errors")
    with refused("ResourceNotFound"):
        town.set_alarm("nobody", "OK")
    with refused("ResourceNotFound"):
        town.call("cloudwatch", "DeleteAlarms", AlarmNames=["errors", "nobody"])
    assert town.cloud.cloudwatch.state("errors") == "OK"
    town.call("cloudwatch", "DeleteAlarms", AlarmNames=["errors"])
    assert town.cloud.cloudwatch.state("errors") is None


def _watch_targets(town: Town, arn: str) -> None:
    town.call(
        "cloudwatch",
        "PutMetricAlarm",
        AlarmName="sick",
        Namespace="AWS/ApplicationELB",
        MetricName="UnHealthyHostCount",
        Dimensions=[{"Name": "TargetGroup", "Value": arn.rsplit(":", 1)[1]}],
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0.0,
        ComparisonOperator="GreaterThanThreshold",
    )


def test_alarms_on_the_health_of_targets_are_evaluated_at_their_period() -> None:
    town = Town()
    arn = town.make_balancer()
    _watch_targets(town, arn)
    town.pass_minutes(1.1)
    assert town.cloud.cloudwatch.state("sick") == "INSUFFICIENT_DATA"
    town.make_group(2, TargetGroupARNs=[arn])
    town.pass_minutes(1.1)
    assert town.cloud.cloudwatch.state("sick") == "OK"
    town.sicken(1)
    town.pass_minutes(1.5)
    assert town.cloud.cloudwatch.state("sick") == "ALARM"
    alarm = town.call("cloudwatch", "DescribeAlarms")["MetricAlarms"][0]
    assert json.loads(alarm["StateReasonData"])["recentDatapoints"] == [2.0]
    town.set_alarm("sick", "OK")
    town.pass_minutes(1.1)
    assert town.cloud.cloudwatch.state("sick") == "ALARM", "the true state comes back"
    town.call("cloudwatch", "DeleteAlarms", AlarmNames=["sick"])
    town.pass_minutes(5)
    assert town.cloud.cloudwatch.state("sick") is None


def test_sick_new_instances_set_off_the_alarm_that_rolls_back() -> None:
    town = Town()
    arn = town.make_balancer()
    town.make_group(2, TargetGroupARNs=[arn], HealthCheckType="ELB", HealthCheckGracePeriod=600)
    _watch_targets(town, arn)
    town.until(lambda: town.cloud.cloudwatch.state("sick") == "OK")
    town.sicken(2)
    town.refresh_to(
        2,
        MinHealthyPercentage=100,
        MaxHealthyPercentage=100,
        AutoRollback=True,
        AlarmSpecification={"Alarms": ["sick"]},
    )
    began = town.now
    assert town.until_ended() == "RollbackSuccessful"
    assert (town.now - began).total_seconds() < 600
    assert town.versions == {"1": 2}
    assert town.least_serving == 2
