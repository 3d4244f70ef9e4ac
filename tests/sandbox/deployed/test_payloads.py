"""Events and payloads that start nothing: what is not ours, and what is not well made."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.deployed.rollout import eventually
from tests.sandbox.deployed.stack import Stack, sample

PLAN = sample("plan-rollout")
BY_HAND = sample("accept-release")
ALARM = "answers-to-nobody"


def test_an_upload_that_no_fleet_wants_is_acknowledged(stack: Stack) -> None:
    rollouts = stack.rollouts()

    stack.upload(b"how we work", "notes/readme.txt")

    eventually(lambda: stack.logged("no fleet wants"))
    assert stack.rollouts() == rollouts


def test_an_alarm_reaches_its_function_as_an_event_and_as_its_action(stack: Stack) -> None:
    cloudwatch = stack.sandbox.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=ALARM,
        Namespace="Acme",
        MetricName="Orders",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="LessThanThreshold",
        AlarmActions=[stack.function_arn("AnswerAlarm")],
    )
    cloudwatch.set_alarm_state(AlarmName=ALARM, StateValue="ALARM", StateReason="a test")

    eventually(lambda: stack.logged(f"no fleet names the alarm {ALARM}") == 2)


@pytest.mark.parametrize(
    ("step", "payload", "beginning"),
    [
        pytest.param("AcceptRelease", ["web"], "The event is ", id="no object"),
        pytest.param(
            "AcceptRelease", {"rubbish": True}, "rubbish is not known here; ", id="rubbish"
        ),
        pytest.param(
            "AcceptRelease", {**BY_HAND, "dry_run": "yes"}, 'dry_run is "yes"; ', id="a wrong type"
        ),
        pytest.param(
            "AcceptRelease",
            {**sample("roll-back"), "image": "latest"},
            'image is "latest"; ',
            id="a roll-back to no image",
        ),
        pytest.param(
            "PlanRollout", {**PLAN, "fleet": ""}, 'fleet is ""; ', id="a plan for no fleet"
        ),
        pytest.param(
            "PlanRollout",
            {**PLAN, "release": {"id": 1}},
            "id is not known here; release may have: ",
            id="a plan for half a release",
        ),
    ],
)
def test_rubbish_is_refused_in_one_sentence(
    stack: Stack, step: str, payload: Any, beginning: str
) -> None:
    state = stack.state()

    answer = stack.invoke(step, payload)

    sentence = answer.payload["errorMessage"]
    assert answer.error == "BadEvent"
    assert sentence.startswith(beginning)
    assert sentence.endswith(".")
    assert sentence.count("\n") == 0
    assert stack.state() == state
