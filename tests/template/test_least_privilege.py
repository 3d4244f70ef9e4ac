"""Every role may do what the stories do, and nothing else: decided by an evaluator of IAM.

What is asked comes from the stories, with the tags that things have at that moment; what is
answered comes from the translated template. See :mod:`tests.template.permissions`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache

import pytest

from tests.stories.intrinsics import REGION, arn
from tests.template import calls
from tests.template.deployed import MACHINES, functions, resources
from tests.template.permissions import foreign
from tests.template.permissions.asks import Ask, keyed, keyed_machine, keyed_volumes
from tests.template.permissions.foreign import Foreign
from tests.template.permissions.recording import Recorded, recorded
from tests.template.permissions.roles import Grain, Role, grains, resolver, roles
from tests.template.permissions.simulator import (
    Action,
    Answer,
    Question,
    decide,
    of_roles,
    of_statement,
)

KEY = arn("kms", "key/11111111-2222-4333-8444-555555555555")
VOLUME_KEY = arn("kms", "key/66666666-7777-4888-8999-000000000000")
with_and_without_keys = pytest.mark.parametrize(
    ("key", "volume_key"),
    [("", ""), (KEY, ""), ("", VOLUME_KEY)],
    ids=["as it is", "with a key", "with a key of the volumes"],
)
# They change something and know no resources (Service Authorization Reference).
# A task token is a capability; the others are asked for by Step Functions' logs and by X-Ray.
CANNOT_BE_FENCED = {
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "states:SendTaskSuccess",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}


@dataclass(frozen=True)
class Judged:
    """A stack's roles, what was asked of them, and what each single grain of them allows."""

    roles: dict[str, Role]
    asked: Sequence[Recorded]
    answers: Sequence[Answer]
    grains: dict[Grain, list[Recorded]]
    actions: dict[str, Action]

    @property
    def granting(self) -> Iterable[tuple[Recorded, list[Grain]]]:
        """One of each kind that was asked, with the grains that allow it."""
        for one in foreign.kinds(self.asked):
            yield one, [grain for grain, used in self.grains.items() if one in used]


@cache
def judged(key: str, volume_key: str) -> Judged:
    stack = roles(KmsKeyArn=key, VolumeKmsKeyArn=volume_key)
    asked = list(recorded())
    for used, asks in ((key, keyed), (volume_key, keyed_volumes)):
        if used:
            also = [Recorded(one.owner, ask) for one in recorded() for ask in asks(one.ask, used)]
            asked += dict.fromkeys(also)
    if key:
        for machine in MACHINES:
            arn_of = resolver().resolve({"Ref": machine})
            asked += [Recorded(machine, ask) for ask in keyed_machine(arn_of, key)]
    answers, actions = decide(
        of_roles(stack.values()), [Question(one.owner, one.ask) for one in asked]
    )
    found: dict[Grain, list[Recorded]] = {
        grain: [] for role in stack.values() for grain in grains(role)
    }
    tried = [
        (grain, one)
        for grain in found
        for one in asked
        if (one.owner, one.ask.action) == (grain.owner, grain.action)
    ]
    names = {grain: str(number) for number, grain in enumerate(found)}
    alone = {name: of_statement(grain.statement()) for grain, name in names.items()}
    decided, _ = decide(alone, [Question(names[grain], one.ask) for grain, one in tried])
    for (grain, one), answer in zip(tried, decided, strict=True):
        if answer.allowed:
            found[grain].append(one)
    return Judged(stack, asked, answers, found, actions)


def told(one: Recorded | Foreign) -> str:
    because = f" ({one.because})" if isinstance(one, Foreign) else ""
    return f"{one.owner}: {one.ask.action} on {one.ask.resource} {dict(one.ask.context)}{because}"


def not_denied(asked: Sequence[Foreign], stack: dict[str, Role]) -> list[str]:
    answers, _ = decide(of_roles(stack.values()), [Question(one.owner, one.ask) for one in asked])
    return [
        f"{told(one)}: {answer.result}"
        for one, answer in zip(asked, answers, strict=True)
        if not answer.denied
    ]


@with_and_without_keys
def test_every_call_of_the_stories_is_allowed(key: str, volume_key: str) -> None:
    stack = judged(key, volume_key)
    refused = [
        f"{told(one)}: {answer.result}"
        for one, answer in zip(stack.asked, stack.answers, strict=True)
        if not answer.allowed
    ]
    assert refused == []


@with_and_without_keys
def test_the_questions_are_those_that_aws_asks(key: str, volume_key: str) -> None:
    """A context key that the action does not know would make a condition look stronger."""
    stack = judged(key, volume_key)
    odd = [
        f"{told(one)}: {answer.ignored}"
        for one, answer in zip(stack.asked, stack.answers, strict=True)
        if answer.ignored
    ]
    assert odd == []


@pytest.mark.parametrize("step", sorted(functions()))
def test_the_stories_do_all_that_the_code_can(step: str) -> None:
    """What the docstrings declare, and beside it only what running itself needs."""
    asked = {one.ask.action for one in recorded() if one.owner == functions()[step]}
    running = {action for action in asked if action.startswith(("logs:", "sqs:", "xray:"))}
    assert asked - running == calls.actions(step)


@with_and_without_keys
def test_nothing_is_granted_that_no_story_uses(key: str, volume_key: str) -> None:
    unused = [
        f"{grain.owner}: {grain.sid} {grain.action} on {grain.resource}"
        for grain, used in judged(key, volume_key).grains.items()
        if not used
    ]
    assert unused == []


@with_and_without_keys
def test_nothing_that_changes_is_without_a_fence(key: str, volume_key: str) -> None:
    """A stranger's thing of the same kind, in a stranger's context, is out of reach."""
    stack = judged(key, volume_key)
    changing = [one for one in foreign.kinds(stack.asked) if stack.actions[one.ask.action].changes]
    twins = [Foreign(one.owner, foreign.twin(one.ask), "somebody else's") for one in changing]
    answers, _ = decide(of_roles(stack.roles.values()), [Question(t.owner, t.ask) for t in twins])
    unfenced = {
        twin.ask.action for twin, answer in zip(twins, answers, strict=True) if not answer.denied
    }
    assert unfenced == CANNOT_BE_FENCED
    assert not any(stack.actions[action].resources for action in unfenced)


@with_and_without_keys
def test_nothing_of_strangers_is_allowed(key: str, volume_key: str) -> None:
    stack = judged(key, volume_key)
    asked = foreign.of_strangers(foreign.kinds(stack.asked))
    assert not_denied([*asked], stack.roles) == []


@with_and_without_keys
def test_every_condition_is_needed(key: str, volume_key: str) -> None:
    stack = judged(key, volume_key)
    asked = [*foreign.without_their_fences(stack.granting)]
    assert len(asked) > 100
    assert not_denied(asked, stack.roles) == []


def test_no_role_does_the_work_of_another() -> None:
    stack = judged("", "")
    asked = [*foreign.of_other_roles(stack.asked, stack.roles)]
    assert not_denied(asked, stack.roles) == []


def test_what_is_nobodys_business_is_denied_to_all() -> None:
    stack = judged("", "")
    fill = resolver().resolve
    things = {
        "instance": arn("ec2", "instance/i-0123456789abcdef0"),
        "group": arn("autoscaling", "autoScalingGroup:uuid:autoScalingGroupName/web"),
        "table": fill({"Fn::GetAtt": ["Ledger", "Arn"]}),
        "topic": fill({"Ref": "Topic"}),
        "queue": fill({"Fn::GetAtt": ["DeadLetters", "Arn"]}),
        "machine": fill({"Ref": "RolloutStateMachine"}),
    }
    assert not_denied([*foreign.of_nobody(stack.roles, things)], stack.roles) == []


def test_only_the_named_instance_roles_are_passed_where_they_are_named() -> None:
    web, other = (arn("iam", f"role/{name}", region="") for name in ("web", "other"))
    stack = roles(InstanceRoleArns=[web])
    to_ec2 = (("iam:PassedToService", ("ec2.amazonaws.com",)),)
    passing = {one.owner for one in recorded() if one.ask.action == "iam:PassRole"}
    assert passing
    for role, allowed in ((web, True), (other, False)):
        questions = [Question(owner, Ask("iam:PassRole", role, to_ec2)) for owner in passing]
        answers, _ = decide(of_roles(stack.values()), questions)
        assert {answer.allowed for answer in answers} == {allowed}


def test_a_boundary_bounds_every_role() -> None:
    boundary = arn("iam", "policy/boundary", region="")
    assert {role.boundary for role in roles(PermissionsBoundaryArn=boundary).values()} == {boundary}
    assert {role.boundary for role in roles().values()} == {""}


def test_every_role_is_judged() -> None:
    """And each belongs to one function, machine or rule."""
    owners = {one.owner for one in recorded()}
    assert owners == set(roles())
    assert len(owners) == len(resources("AWS::IAM::Role"))


def test_a_key_of_ones_own_encrypts_all_that_is_kept() -> None:
    fill = resolver((("KmsKeyArn", KEY),)).resolve
    (table,) = resources("AWS::DynamoDB::Table").values()
    (queue,) = resources("AWS::SQS::Queue").values()
    (topic,) = resources("AWS::SNS::Topic").values()
    expected = {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": KEY}
    assert fill(table["SSESpecification"]) == expected
    assert fill(topic)["KmsMasterKeyId"] == KEY
    assert fill(queue)["KmsMasterKeyId"] == KEY
    assert "SqsManagedSseEnabled" not in fill(queue)
    for group in resources("AWS::Logs::LogGroup").values():
        assert fill(group)["KmsKeyId"] == KEY


def test_without_a_key_nothing_is_asked_of_one() -> None:
    granted = {grain.action for grain in judged("", "").grains}
    assert not any(action.startswith("kms:") for action in granted)
    (queue,) = resources("AWS::SQS::Queue").values()
    assert resolver().resolve(queue)["SqsManagedSseEnabled"] is True


def test_only_the_bake_uses_the_key_of_the_volumes_and_only_through_ec2() -> None:
    other, third = (arn("kms", f"key/{digit * 8}-2222-4333-8444-555555555555") for digit in "23")
    stack = roles(KmsKeyArn=KEY, VolumeKmsKeyArn=[VOLUME_KEY, other])
    volumes = {
        ask: None
        for one in recorded()
        for ask in keyed_volumes(one.ask, VOLUME_KEY)
        if one.owner == "BakeImageFunction"
    }
    assert {ask.action for ask in volumes} > {"kms:CreateGrant", "kms:Decrypt"}
    ours = [replace(ask, resource=key) for key in (VOLUME_KEY, other) for ask in volumes]
    answers, _ = decide(
        of_roles(stack.values()), [Question("BakeImageFunction", ask) for ask in ours]
    )
    assert {answer.result for answer in answers} == {"Allowed"}

    def instead(ask: Ask, name: str, value: str) -> Ask:
        rest = [(key, values) for key, values in ask.context if key != name]
        return replace(ask, context=(*rest, (name, (value,))))

    grants = [ask for ask in volumes if ask.action == "kms:CreateGrant"]
    services = (f"{service}.amazonaws.com" for service in (f"sns.{REGION}", "ec2.eu-west-9"))
    denied = {
        "another key": [replace(ask, resource=key) for ask in volumes for key in (KEY, third)],
        "another service": [
            instead(ask, "kms:ViaService", each) for each in services for ask in volumes
        ],
        "no service": [replace(ask, context=()) for ask in volumes],
        "a grant for somebody": [instead(g, "kms:GrantIsForAWSResource", "false") for g in grants],
    }
    foreigners = [
        Foreign("BakeImageFunction", ask, because)
        for because, asked in denied.items()
        for ask in asked
    ]
    foreigners += [
        Foreign(owner, ask, "another role's")
        for owner in stack
        if owner != "BakeImageFunction"
        for ask in ours
    ]
    assert all(denied.values())
    assert not_denied(foreigners, stack) == []


def test_every_rule_and_nobody_else_may_leave_a_dead_letter() -> None:
    (policy,) = resources("AWS::SQS::QueuePolicy").values()
    fill = resolver().resolve
    queue = fill({"Fn::GetAtt": ["DeadLetters", "Arn"]})
    deciding = {"queue": {"resource": fill(policy["PolicyDocument"])}}

    ours = {
        (fill({"Fn::GetAtt": [name, "Arn"]}), "events.amazonaws.com")
        for name in resources("AWS::Events::Rule")
    }
    others = {
        (arn("events", "rule/somebody-elses"), "events.amazonaws.com"),
        (arn("events", "rule/ovenbird-somebody-elses"), "events.amazonaws.com"),
        (min(ours)[0], "sns.amazonaws.com"),
    }
    senders = sorted(ours | others)
    questions = [
        Question("queue", Ask("sqs:SendMessage", queue, (("aws:SourceArn", (rule,)),)), principal)
        for rule, principal in senders
    ]
    answers, _ = decide(deciding, questions)
    assert all(answer.allowed or answer.denied for answer in answers)
    assert {
        sender for sender, answer in zip(senders, answers, strict=True) if answer.allowed
    } == ours


@pytest.mark.parametrize("step", sorted(functions()))
def test_only_its_own_rules_invoke_a_function(step: str) -> None:
    own = {
        (rule, "Arn")
        for rule, properties in resources("AWS::Events::Rule").items()
        for target in properties["Targets"]
        if target["Arn"] == {"Fn::GetAtt": [functions()[step], "Arn"]}
    }
    permitted = {
        tuple(permission["SourceArn"]["Fn::GetAtt"])
        for permission in resources("AWS::Lambda::Permission").values()
        if permission["FunctionName"] == {"Ref": functions()[step]}
        and permission["Principal"] == "events.amazonaws.com"
    }
    assert permitted == own
