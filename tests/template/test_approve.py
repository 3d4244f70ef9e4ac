"""The page for approvers: every right is judged, and its policy does what it says."""

from __future__ import annotations

import pytest

from tests.stories.intrinsics import ACCOUNT
from tests.template.deployed import functions, resources, translated
from tests.template.permissions import approve
from tests.template.permissions.asks import Ask, Context
from tests.template.permissions.simulator import Question, decide

PEOPLE = ("reader", "releaser", "operator", "")
OURS = "eu-west-1:111122223333"


def test_the_page_says_what_the_template_has() -> None:
    """``python -m tests.template.permissions.approve`` writes it."""
    text = approve.PAGE.read_text()
    assert approve.with_tables(text) == text
    assert [text.count(f"<!-- table: {name} -->") for name in approve.TABLES] == [1, 1]


def test_every_right_on_the_stack_is_judged() -> None:
    """A new function, machine, queue, rule … without a row fails here, and so does an old row."""
    assert set(approve.OPENS) == set(approve.doors())


def test_every_right_of_the_stack_is_judged() -> None:
    assert set(approve.LED) == set(approve.changing())


def test_every_kind_of_resource_is_looked_at() -> None:
    """Others carry no data and start nothing; a new kind has to be thought about."""
    known = {
        "AWS::CloudWatch::Alarm",
        "AWS::Events::Rule",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Role",
        "AWS::Lambda::EventInvokeConfig",
        "AWS::Lambda::LayerVersion",
        "AWS::Lambda::Permission",
        "AWS::SNS::Subscription",
        "AWS::SQS::QueuePolicy",
    }
    assert {each["Type"] for each in translated()["Resources"].values()} == known | set(approve._ON)


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{OURS}:{resource}"


def function(name: str) -> Ask:
    return Ask("lambda:InvokeFunction", arn("lambda", f"function:ovenbird-{name}-0123456789AB"))


def event(source: str, *kinds: str) -> Ask:
    """One request, with an event for each detail type."""
    context = (
        ("events:source", (source,)),
        ("events:detail-type", kinds or ("Release Requested",)),
    )
    return Ask("events:PutEvents", arn("events", "event-bus/default"), context)


def tagging(action: str, key: str, resource: str) -> Ask:
    return Ask(action, resource, (("aws:TagKeys", (key,)),))


FLEET = arn("ssm", "parameter/ovenbird/fleets/web")
LEDGER = arn("dynamodb", "table/ovenbird-Ledger-0123456789AB")
EXECUTION = arn("states", "execution:ovenbird-rollout:web-0123")
ROLLOUTS = arn("states", "stateMachine:ovenbird-rollout")
DEAD = arn("sqs", "ovenbird-DeadLetters-0123456789AB")
READ = ("reader", "releaser", "operator")
# What is asked, and who may.
TABLE: list[tuple[Ask, tuple[str, ...]]] = [
    (Ask("states:DescribeExecution", EXECUTION), READ),
    (Ask("states:ListExecutions", ROLLOUTS), READ),
    (Ask("ssm:GetParameter", FLEET), READ),
    (Ask("ec2:DescribeInstances"), READ),
    (Ask("s3:PutObject", "arn:aws:s3:::acme-releases/web/2.tar.gz"), ("releaser",)),
    (Ask("s3:PutObject", "arn:aws:s3:::acme-releases/shop/2.tar.gz"), ()),
    (Ask("s3:PutObject", "arn:aws:s3:::acme-other/web/2.tar.gz"), ()),
    (event("ovenbird"), ("releaser",)),
    (event("acme"), ()),
    (event("ovenbird", "Release Requested", "Something Else"), ()),
    (Ask("events:PutEvents", event("ovenbird").resource), ()),
    (event("ovenbird", "Something Else"), ()),
    (function("AcceptReleaseFunction"), ("operator",)),
    (function("PlanRolloutFunction"), ("operator",)),
    (function("CheckFleetFunction"), ("operator",)),
    (Ask("lambda:InvokeFunction", arn("lambda", "function:acme-other")), ()),
    (Ask("ssm:PutParameter", f"{FLEET}/paused"), ("operator",)),
    (Ask("ssm:DeleteParameter", f"{FLEET}/paused"), ("operator",)),
    (Ask("ssm:PutParameter", FLEET), ()),
    (Ask("ssm:PutParameter", f"{FLEET}/image"), ()),
    (Ask("states:GetExecutionHistory", EXECUTION), ("operator",)),
    (Ask("sqs:ReceiveMessage", DEAD), ("operator",)),
    (Ask("sqs:SendMessage", DEAD), ()),
    (Ask("dynamodb:GetItem", LEDGER), ("operator",)),
    (Ask("dynamodb:PutItem", LEDGER), ()),
    (Ask("dynamodb:UpdateItem", LEDGER), ()),
    (Ask("states:StartExecution", ROLLOUTS), ()),
    (Ask("states:StopExecution", EXECUTION), ()),
    (Ask("states:SendTaskSuccess"), ()),
    (Ask("states:SendTaskFailure"), ()),
    (Ask("lambda:UpdateFunctionCode", function("BakeImageFunction").resource), ()),
    (Ask("cloudwatch:SetAlarmState", arn("cloudwatch", "alarm:web-5xx")), ()),
    (Ask("sns:Publish", arn("sns", "ovenbird-Topic-0123456789AB")), ()),
    (tagging("ec2:CreateTags", "ovenbird:fleet", arn("ec2", "instance/i-1")), ()),
]
BY_HAND = {"AcceptReleaseFunction", "CheckFleetFunction", "PlanRolloutFunction"}
STEPS = sorted(set(functions().values()) - BY_HAND)


def allowed(ask: Ask, more: bool = False) -> set[str]:
    """Who may; ``more`` gives everybody everything else besides."""
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    also = [{"Version": "2012-10-17", "Statement": [everything]}] if more else []
    policies = {"people": {"identity": [approve.policy(), *also]}}
    questions = []
    for who in PEOPLE:
        tag: Context = (("aws:PrincipalTag/ovenbird", (who,)),) if who else ()
        asked = Ask(ask.action, ask.resource, (*ask.context, *tag))
        questions.append(Question("people", asked, f"arn:aws:iam::{ACCOUNT}:role/person"))
    answers, _ = decide(policies, questions)
    assert all(answer.allowed or answer.denied for answer in answers), answers
    return {who for who, answer in zip(PEOPLE, answers, strict=True) if answer.allowed}


@pytest.mark.parametrize(("ask", "may"), TABLE, ids=lambda each: getattr(each, "action", ""))
def test_the_policy_fences_people_apart(ask: Ask, may: tuple[str, ...]) -> None:
    assert allowed(ask) == set(may)


@pytest.mark.parametrize("step", STEPS)
def test_nobody_plays_a_step_whatever_else_they_may(step: str) -> None:
    """Not even somebody whose other policies allow everything."""
    assert allowed(function(step), more=True) == set()


@pytest.mark.parametrize(
    "ask",
    [
        Ask("states:StartExecution", ROLLOUTS),
        Ask("states:SendTaskFailure"),
        Ask("dynamodb:PutItem", LEDGER),
        Ask("lambda:UpdateFunctionCode", function("RollGroupFunction").resource),
        tagging("ec2:CreateTags", "ovenbird:role", arn("ec2", "instance/i-1")),
        tagging("ec2:DeleteTags", "ovenbird:bad", f"arn:aws:ec2:{OURS.split(':')[0]}::image/ami-1"),
        tagging(
            "autoscaling:CreateOrUpdateTags",
            "ovenbird:fleet",
            arn("autoscaling", "autoScalingGroup:uuid:autoScalingGroupName/web"),
        ),
    ],
    ids=lambda ask: ask.action,
)
def test_what_is_denied_is_denied_to_administrators_too(ask: Ask) -> None:
    assert allowed(ask, more=True) == set()


def test_other_tags_and_other_functions_stay_free() -> None:
    instance = arn("ec2", "instance/i-1")
    assert allowed(tagging("ec2:CreateTags", "team", instance), more=True) == set(PEOPLE)
    other = Ask("lambda:InvokeFunction", arn("lambda", "function:acme-other"))
    assert allowed(other, more=True) == set(PEOPLE)


def test_the_policy_knows_every_function() -> None:
    named = str(approve.policy())
    assert [name for name in resources("AWS::Lambda::Function") if f"-{name}-*" not in named] == []
