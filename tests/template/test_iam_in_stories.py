"""The evaluator that judges calls within stories, held to one that nobody here wrote."""

from __future__ import annotations

import pytest

from tests.stories import iam
from tests.template.permissions import foreign
from tests.template.permissions.asks import Ask
from tests.template.permissions.recording import recorded
from tests.template.permissions.roles import Role, roles
from tests.template.permissions.simulator import Question, decide, of_roles, of_statement
from tests.template.test_least_privilege import judged


def test_both_evaluators_agree_on_all_that_is_asked() -> None:
    """What the stories ask, what strangers ask, and each without one of its fences."""
    stack, asked = roles(), list(recorded())
    others = [
        *foreign.of_strangers(foreign.kinds(asked)),
        *foreign.without_their_fences(judged("", "").granting),
        *foreign.of_other_roles(asked, stack),
    ]
    questions = [*((one.owner, one.ask) for one in asked), *((o.owner, o.ask) for o in others)]
    answers, _ = decide(of_roles(stack.values()), [Question(*each) for each in questions])
    different = [
        f"{owner}: {ask}: {answer.result}"
        for (owner, ask), answer in zip(questions, answers, strict=True)
        if iam.allows(stack[owner], ask) is not answer.allowed
    ]
    assert len(questions) > 1000
    assert {answer.allowed for answer in answers} == {True, False}
    assert different == []


CONDITIONS = {
    "Null": {"aws:ResourceTag/aws:autoscaling:groupName": "true"},
    "StringEquals": {"aws:ResourceTag/ovenbird:role": "builder"},
    "StringLike": {"aws:ResourceTag/ovenbird:role": ["build?r", "b*"]},
}


@pytest.mark.parametrize("operator", CONDITIONS)
@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"ovenbird:role": "builder"},
        {"ovenbird:role": "Builder"},
        {"ovenbird:role": ""},
        {"aws:autoscaling:groupName": "web"},
        {"ovenbird:role": "builder", "aws:autoscaling:groupName": "web"},
    ],
)
def test_both_agree_on_each_operator(operator: str, tags: dict[str, str]) -> None:
    context = tuple((f"aws:ResourceTag/{key}", (value,)) for key, value in tags.items())
    ask = Ask("ec2:TerminateInstances", "arn:aws:ec2:us-east-1:000000000000:instance/i-1", context)
    statement = {
        "Effect": "Allow",
        "Action": ask.action,
        "Resource": "arn:aws:ec2:*:*:instance/*",
        "Condition": {operator: CONDITIONS[operator]},
    }
    (answer,), _ = decide({"one": of_statement(statement)}, [Question("one", ask)])
    role = Role("one", {"one": {"Statement": [statement]}})
    assert iam.allows(role, ask) is answer.allowed
