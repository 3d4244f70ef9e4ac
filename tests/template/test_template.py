"""The template: what CloudFormation would say, and what the house asks of every function."""

from __future__ import annotations

import json
import re
import tomllib

import pytest
from cfnlint.api import lint  # type: ignore[import-untyped]  # it ships no types

from ovenbird import settings
from tests.template.deployed import (
    REGION,
    ROOT,
    functions,
    resources,
    targets_of,
    translated,
    written,
)

STEPS = sorted(functions())
STARTED_BY_EVENTS = {
    "accept_release",
    "answer_alarm",
    "check_fleet",
    "recover_rollout",
    "ring_doorbell",
}


def test_the_translated_template_has_no_findings() -> None:
    found = lint(json.dumps(translated(), indent=1), config={"regions": [REGION]})
    assert [f"{match.rule.id} {match.message}" for match in found] == []


@pytest.mark.parametrize("step", STEPS)
def test_every_function_is_made_alike(step: str) -> None:
    function = resources("AWS::Lambda::Function")[functions()[step]]
    assert function["Runtime"] == "python3.13"
    assert function["Architectures"] == ["arm64"]
    assert function["TracingConfig"] == {"Mode": "Active"}
    assert function["LoggingConfig"] == {"LogFormat": "JSON", "LogGroup": {"Ref": "FunctionLogs"}}
    assert function["Role"] == {"Fn::GetAtt": [f"{functions()[step]}Role", "Arn"]}


@pytest.mark.parametrize("step", STEPS)
def test_every_function_gets_the_settings_that_are_read(step: str) -> None:
    variables = resources("AWS::Lambda::Function")[functions()[step]]["Environment"]["Variables"]
    assert {name for name in variables if name.startswith("OVENBIRD_")} == set(settings._RULES)


@pytest.mark.parametrize("step", STEPS)
def test_every_function_has_an_alarm_that_is_told_to_the_topic(step: str) -> None:
    watching = [
        alarm
        for alarm in resources("AWS::CloudWatch::Alarm").values()
        if {"Name": "FunctionName", "Value": {"Ref": functions()[step]}} in alarm["Dimensions"]
    ]
    assert [alarm["MetricName"] for alarm in watching] == ["Errors"]
    assert watching[0]["AlarmActions"] == [{"Ref": "Topic"}]


def test_every_failed_execution_raises_an_alarm() -> None:
    watched = {
        alarm["Dimensions"][0]["Value"]["Ref"]
        for alarm in resources("AWS::CloudWatch::Alarm").values()
        if alarm["MetricName"] == "ExecutionsFailed"
    }
    assert watched == set(resources("AWS::StepFunctions::StateMachine"))


def test_what_runs_unwatched_leaves_its_event_behind() -> None:
    """Asynchronous functions have a failure destination, every rule a dead-letter queue."""
    queue = {"Fn::GetAtt": ["DeadLetters", "Arn"]}
    left = {
        configuration["FunctionName"]["Ref"]: configuration["DestinationConfig"]["OnFailure"]
        for configuration in resources("AWS::Lambda::EventInvokeConfig").values()
    }
    started = {
        target
        for rule in resources("AWS::Events::Rule").values()
        for target in targets_of(rule)
        if target.endswith("Function")
    }
    assert {functions()[step] for step in STARTED_BY_EVENTS} == started
    assert left == {function: {"Destination": queue} for function in started}
    for name, rule in resources("AWS::Events::Rule").items():
        for target in rule["Targets"]:
            assert target["DeadLetterConfig"] == {"Arn": queue}, name
            assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] >= 3600, name


def test_logs_do_not_stay_for_ever() -> None:
    groups = resources("AWS::Logs::LogGroup")
    assert groups
    assert all(group["RetentionInDays"] == {"Ref": "LogRetentionDays"} for group in groups.values())


def test_the_ledger_is_kept_safe() -> None:
    (ledger,) = resources("AWS::DynamoDB::Table").values()
    assert ledger["SSESpecification"]["SSEEnabled"] is True
    assert ledger["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert ledger["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    assert written()["Resources"]["Ledger"]["UpdateReplacePolicy"] == "Retain"


def test_alarms_may_publish_to_the_encrypted_topic() -> None:
    """CloudWatch cannot use the AWS managed key (CloudWatch user guide, Alarm actions)."""
    (topic,) = resources("AWS::SNS::Topic").values()
    _, _, own = topic["KmsMasterKeyId"]["Fn::If"]
    key = resources("AWS::KMS::Key")[own["Ref"]]
    allowed = [
        statement
        for statement in key["KeyPolicy"]["Statement"]
        if statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    ]
    assert [statement["Action"] for statement in allowed] == [
        ["kms:Decrypt", "kms:GenerateDataKey*"]
    ]


def test_an_alarm_may_start_the_function_itself() -> None:
    permission = resources("AWS::Lambda::Permission")["AnswerAlarmPermission"]
    assert permission["Principal"] == "lambda.alarms.cloudwatch.amazonaws.com"
    assert permission["SourceAccount"] == {"Ref": "AWS::AccountId"}


def test_layers_have_the_target_that_sam_calls() -> None:
    layers = {
        name: resource["Properties"]["ContentUri"]
        for name, resource in written()["Resources"].items()
        if resource["Type"] == "AWS::Serverless::LayerVersion"
    }
    assert set(layers) == {"OvenbirdLayer", "VendorLayer"}
    for name, folder in layers.items():
        assert re.search(rf"^build-{name}:", (ROOT / folder / "Makefile").read_text(), re.M)


def test_tests_and_lambdas_use_the_same_boto3_and_powertools() -> None:
    def pins(file: str) -> dict[str, str]:
        found = re.findall(r"^([a-z0-9.-]+)==(\S+)", (ROOT / file).read_text(), re.M)
        return dict(found)

    vendored = pins("layers/vendor/requirements.txt")
    assert {"boto3", "botocore", "aws-lambda-powertools"} <= set(vendored)
    assert vendored.items() <= pins("requirements/dev.txt").items()


@pytest.mark.parametrize(
    "file",
    [
        "requirements/dev.txt",
        "requirements/tools.txt",
        "requirements/uv.txt",
        "layers/vendor/requirements.txt",
    ],
)
def test_requirements_are_pinned_by_hash_and_say_no_address(file: str) -> None:
    text = (ROOT / file).read_text()
    assert "://" not in text
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.M)[1:]
    assert entries
    assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []


def test_deployments_ask_for_no_more_than_they_need() -> None:
    environments = tomllib.loads((ROOT / "samconfig.toml").read_text())
    environments.pop("version")
    for name, commands in environments.items():
        assert commands["deploy"]["parameters"]["capabilities"] == "CAPABILITY_IAM", name
        assert commands["deploy"]["parameters"]["resolve_s3"] is True, name
