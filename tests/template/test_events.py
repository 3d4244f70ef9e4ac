"""The rules, judged by an evaluator of event patterns that nobody here wrote.

Each sample in ``events/`` reaches exactly the function that it is named after, and what is not
ours reaches nobody.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from ministack.services import eventbridge

from tests.stories.intrinsics import ACCOUNT, REGION
from tests.template.deployed import ROOT, functions, resources, targets_of
from tests.template.permissions.recording import recorded
from tests.template.permissions.roles import resolver
from tests.template.test_names import sample_of

Event = dict[str, Any]
SAMPLES = sorted((ROOT / "events").glob("*.json"))
ON_THE_BUS = [path for path in SAMPLES if "detail-type" in json.loads(path.read_text())]
HOME = "eu-west-1:111122223333:stateMachine"
BY_HAND = [path for path in SAMPLES if path not in ON_THE_BUS]


def sample(name: str) -> Event:
    event: Event = json.loads((ROOT / f"events/{name}.json").read_text())
    return event


def changed(name: str, /, **detail: Any) -> Event:
    event = copy.deepcopy(sample(name))
    event["detail"].update(detail)
    return event


def parameter(name: str) -> Event:
    event = changed("ring-doorbell.pause", name=name)
    return event | {"resources": [f"arn:aws:ssm:eu-west-1:111122223333:parameter{name}"]}


def matches(pattern: str, event: Event) -> bool:
    """The emulator's TestEventPattern, which also refuses malformed patterns."""
    request = {"EventPattern": pattern, "Event": json.dumps(event)}
    status, _, body = eventbridge._test_event_pattern(request)
    assert status == 200, body
    return bool(json.loads(body)["Result"])


def reached(event: Event, *, bucket: str = "") -> set[str]:
    """The functions and machines that this event starts; ``bucket`` is the parameter's value."""
    return {
        target
        for rule in resources("AWS::Events::Rule").values()
        if matches(_pattern(rule["EventPattern"], bucket), event)
        for target in targets_of(rule)
    }


def _pattern(pattern: dict[str, Any], bucket: str) -> str:
    resolved = json.dumps(resolver((("ReleaseBucket", bucket),)).resolve(pattern))
    return resolved.replace(f"{REGION}:{ACCOUNT}", "eu-west-1:111122223333")  # as in the samples


@pytest.mark.parametrize("path", ON_THE_BUS, ids=lambda path: path.stem)
def test_a_sample_reaches_what_it_is_named_after(path: Path) -> None:
    target = functions()[sample_of(path)]
    expected = {"AddressesStateMachine" if target == "MoveAddressFunction" else target}
    if "launch" in path.stem:  # the addresses follow it, and a roll that waits for it looks
        expected = {"AddressesStateMachine", "RingDoorbellFunction"}
    assert reached(json.loads(path.read_text())) == expected


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_samples_are_of_our_own_account(path: Path) -> None:
    event = json.loads(path.read_text())
    account = event.get("account", event.get("accountId", "111122223333"))
    assert (account, event.get("region", "eu-west-1")) == ("111122223333", "eu-west-1")


def test_every_rule_has_a_sample() -> None:
    unused = [
        name
        for name, rule in resources("AWS::Events::Rule").items()
        if not any(
            matches(_pattern(rule["EventPattern"], ""), json.loads(path.read_text()))
            for path in ON_THE_BUS
        )
    ]
    assert unused == []


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(changed("accept-release.codepipeline", state="FAILED"), id="failed pipeline"),
        pytest.param(changed("accept-release.codepipeline", state="STARTED"), id="begun pipeline"),
        pytest.param(
            changed("accept-release.codebuild", **{"build-status": "FAILED"}), id="failed build"
        ),
        pytest.param(changed("accept-release.codecommit", event="referenceDeleted"), id="deleted"),
        pytest.param(changed("accept-release.codecommit", referenceType="note"), id="a note"),
        pytest.param(
            changed("accept-release.ecr", **{"action-type": "DELETE"}), id="image deleted"
        ),
        pytest.param(changed("accept-release.ecr", result="FAILURE"), id="image not pushed"),
        pytest.param(changed("ring-doorbell.command", status="InProgress"), id="running command"),
        pytest.param(changed("ring-doorbell.instance", state="pending"), id="instance not yet up"),
        pytest.param(
            parameter("/ovenbird/fleets/web/image"),
            id="our own parameter: no loop",
        ),
        pytest.param(parameter("/acme/paused"), id="others' parameter"),
        pytest.param(parameter("/acme"), id="others' document"),
        pytest.param(changed("answer-alarm.event", state={"value": "OK"}), id="alarm is over"),
        pytest.param(changed("recover-rollout.failed", status="SUCCEEDED"), id="ended well"),
        pytest.param(changed("recover-rollout.failed", status="RUNNING"), id="begun"),
        pytest.param(
            changed("recover-rollout.failed", stateMachineArn=f"arn:aws:states:{HOME}:acme"),
            id="somebody else's state machine",
        ),
        pytest.param(
            {**sample("accept-release.s3"), "detail-type": "Object Deleted"}, id="object deleted"
        ),
        pytest.param(
            {**sample("move-address.launch"), "detail-type": "EC2 Instance Launch Unsuccessful"},
            id="launch failed",
        ),
        pytest.param(
            {**sample("accept-release.requested"), "detail-type": "Release Finished"},
            id="not our kind",
        ),
    ],
)
def test_what_is_not_for_us_starts_nothing(event: Event) -> None:
    assert reached(event) == set()


@pytest.mark.parametrize("status", ["Success", "Failed", "TimedOut", "Canceled", "Cancelled"])
def test_a_command_rings_however_it_ends(status: str) -> None:
    """EventBridge writes Canceled with one l, the API with two."""
    assert reached(changed("ring-doorbell.invocation", status=status)) == {"RingDoorbellFunction"}


@pytest.mark.parametrize("alarm", sorted(resources("AWS::CloudWatch::Alarm")))
def test_a_failure_of_answer_alarm_does_not_call_it_again(alarm: str) -> None:
    """Its own alarm, and that of the queue in which its dead letters lie."""
    name = resolver().resolve({"Ref": alarm})
    started = reached(changed("answer-alarm.event", alarmName=name))
    caused = alarm in ("AnswerAlarmAlarm", "DeadLettersAlarm")
    assert started == (set() if caused else {"AnswerAlarmFunction"})


def test_what_an_event_starts_makes_no_event_that_starts_it() -> None:
    """It writes the ledger, moves addresses, and starts or wakes machines: that is on no rule."""
    started = {
        target for rule in resources("AWS::Events::Rule").values() for target in targets_of(rule)
    }
    started.add("MoveAddressFunction")  # by its machine
    calls = {one.ask.action for one in recorded() if one.owner in started and not one.ask.also}
    assert {call for call in calls if not call.split(":")[1].startswith(("Describe", "Get"))} == {
        "dynamodb:UpdateItem",
        "ec2:AssociateAddress",
        "lambda:InvokeFunction",
        "sns:Publish",
        "states:SendTaskSuccess",
        "states:StartExecution",
    }
    of_step_functions = {
        **sample("ring-doorbell.instance"),
        "source": "aws.states",
        "detail-type": "Step Functions Execution Status Change",
        "detail": {"status": "RUNNING"},
    }
    assert reached(of_step_functions) == set()


def test_every_target_gives_up_at_some_time_and_leaves_the_event_in_the_queue() -> None:
    """Source: EventBridge user guide, Retry policy: a minute to a day, at most 185 times."""
    for name, rule in resources("AWS::Events::Rule").items():
        for target in rule["Targets"]:
            retries = target["RetryPolicy"]
            assert 3600 <= retries["MaximumEventAgeInSeconds"] <= 86400, name
            assert 0 < retries["MaximumRetryAttempts"] <= 185, name
            assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["DeadLetters", "Arn"]}}


def test_a_dead_letter_raises_an_alarm() -> None:
    watching = [
        alarm
        for alarm in resources("AWS::CloudWatch::Alarm").values()
        if alarm["Namespace"] == "AWS/SQS"
    ]
    assert [alarm["MetricName"] for alarm in watching] == ["ApproximateNumberOfMessagesVisible"]
    (alarm,) = watching
    name = {"Fn::GetAtt": ["DeadLetters", "QueueName"]}
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": name}]
    assert (alarm["Threshold"], alarm["EvaluationPeriods"]) == (1, 1)
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert alarm["AlarmActions"] == [{"Ref": "Topic"}]


def test_a_bucket_can_be_named() -> None:
    release = sample("accept-release.s3")
    assert reached(release, bucket="acme-releases") == {"AcceptReleaseFunction"}
    assert reached(release, bucket="another") == set()
