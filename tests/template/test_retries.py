"""What the state machines try again, catch, wait for and ask: compared whole, with literals.

A name or a number that is lost there breaks nothing that a story meets every day; it shows when AWS
throttles a step twice in a row. So every state is compared with what it must be, not with the
others.
"""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from tests.template.deployed import MACHINES, machine
from tests.template.test_statemachines import States, bells, states, steps

_PATIENT = {
    "IntervalSeconds": 2,
    "BackoffRate": 2,
    "MaxDelaySeconds": 60,
    "JitterStrategy": "FULL",
}
STEP: list[dict[str, Any]] = [
    {"ErrorEquals": ["Throttled", "Unavailable", "NotYetVisible"], "MaxAttempts": 8, **_PATIENT},
    {
        "ErrorEquals": [
            "Lambda.ServiceException",
            "Lambda.AWSLambdaException",
            "Lambda.SdkClientException",
            "Lambda.ClientExecutionTimeoutException",
            "Lambda.Unknown",
            "Runtime.ExitError",
            "Sandbox.Timedout",
            "States.Timeout",
        ],
        "MaxAttempts": 6,
        **_PATIENT,
    },
    # Longer than an hour, whatever the jitter (see below).
    {
        "ErrorEquals": ["Lambda.TooManyRequestsException"],
        "MaxAttempts": 100,
        **_PATIENT,
        "MaxDelaySeconds": 120,
    },
]
BELL = [
    {
        "ErrorEquals": [
            "DynamoDb.ProvisionedThroughputExceededException",
            "DynamoDb.RequestLimitExceededException",
            "DynamoDb.ThrottlingException",
            "DynamoDb.InternalServerErrorException",
            "DynamoDb.SdkClientException",
        ],
        "MaxAttempts": 8,
        **_PATIENT,
    }
]
ANYTHING = [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 8, **_PATIENT}]
OTHERS = {"TellPeople": ANYTHING}  # neither a step nor a wait

# How long each wait sleeps where no event comes: as its step has answered.
SECONDS = {
    "WaitForLane": "$.plan.look_again_after",
    "WaitForBakeSoon": "$.bake.look_again_after",
    "WaitForBake": "$.bake.look_again_after",
    "WaitForRollSoon": "$.roll.look_again_after",
    "WaitForRoll": "$.roll.look_again_after",
    "WaitForAddress": "$.addresses.look_again_after",
    "WaitForReturn": "$.returned.look_again_after",
    "WaitForUndoSoon": "$.undo.look_again_after",
    "WaitForUndo": "$.undo.look_again_after",
}
RESTS = {
    "RestBeforePlan": ("$.plan.rest_seconds", "PlanRollout"),
    "RestBeforeBake": ("$.bake.rest_seconds", "BakeImage"),
    "RestBeforeRoll": ("$.roll.rest_seconds", "RollGroup"),
    "RestBeforeAddress": ("$.addresses.rest_seconds", "MoveAddress"),
    "RestBeforeReturn": ("$.returned.rest_seconds", "ReturnAddress"),
    "RestBeforeUndo": ("$.undo.rest_seconds", "UndoRollout"),
}
# Each question's ways: the answer's ``next`` (and its ``sweep``, where it matters) → what follows.
WAYS: dict[str, dict[str, str]] = {
    "rollout.AfterBegin": {  # an execution that undoes another one is started with its failure
        "$.failure is there": "UndoRollout",
        "else": "PlanRollout",
    },
    "rollout.AfterPlan": {
        "$.plan.rest_seconds is there": "RestBeforePlan",
        "$.plan.next=wait": "WaitForLane",
        "$.plan.next=bake": "BakeImage",
        "$.plan.next=publish": "PublishTemplate",
        "$.plan.next=end": "RolloutEnded",
        "else": "UnknownAnswer",
    },
    "rollout.AfterBake": {
        "$.bake.rest_seconds is there": "RestBeforeBake",
        "$.bake.next=wait $.bake.sweep=soon": "WaitForBakeSoon",
        "$.bake.next=wait": "WaitForBake",
        "$.bake.next=done": "PublishTemplate",
        "else": "UnknownAnswer",
    },
    "rollout.AfterRoll": {
        "$.roll.rest_seconds is there": "RestBeforeRoll",
        "$.roll.detour is there": "TryAddress",
        "$.roll.next=wait $.roll.sweep=soon": "WaitForRollSoon",
        "$.roll.next=wait": "WaitForRoll",
        "$.roll.next=done": "MoveAddress",
        "else": "UnknownAnswer",
    },
    "rollout.AfterAddress": {
        "$.addresses.rest_seconds is there": "RestBeforeAddress",
        "$.addresses.next=wait": "WaitForAddress",
        "$.addresses.next=done": "SettleRollout",
        "else": "UnknownAnswer",
    },
    "rollout.AfterUndo": {
        "$.undo.rest_seconds is there": "RestBeforeUndo",
        "$.undo.detour is there": "ReturnAddress",
        "$.undo.next=wait $.undo.sweep=soon": "WaitForUndoSoon",
        "$.undo.next=wait": "WaitForUndo",
        "else": "RolloutFailed",
    },
    "rollout.AfterReturn": {
        "$.returned.rest_seconds is there": "RestBeforeReturn",
        "$.returned.next=wait": "WaitForReturn",
        "else": "UndoRollout",
    },
    "addresses.AfterAddress": {
        "$.addresses.next=wait": "WaitForAddress",
        "$.addresses.next=done": "AddressesDone",
        "else": "UnknownAnswer",
    },
}
TIMEOUT_SECONDS = {"rollout": None, "addresses": 14400}  # a queue may wait for a year


def of(machine_name: str, kind: str) -> States:
    return {k: s for k, s in states(machine_name).items() if s["Type"] == kind}


@pytest.mark.parametrize("name", MACHINES.values())
def test_every_state_that_can_be_tried_again_is_so_whole(name: str) -> None:
    for state, content in of(name, "Task").items():
        if state in steps(name):
            expected = STEP
        elif content["Resource"].endswith(".waitForTaskToken"):
            expected = BELL
        else:
            expected = OTHERS[state]
        assert content["Retry"] == expected, state


@pytest.mark.parametrize("name", bells())
def test_a_wait_writes_its_token_only_while_its_bell_has_not_rung(name: str) -> None:
    asked = bells()[name]["Parameters"]
    assert asked["TableName"] == "${TableName}"
    assert asked["ConditionExpression"] == "rings = :rings"
    assert asked["UpdateExpression"] == "SET #token = :token"
    assert asked["ExpressionAttributeNames"] == {"#token": "token"}
    assert asked["ExpressionAttributeValues"][":token"] == {"S.$": "$$.Task.Token"}
    assert set(asked["ExpressionAttributeValues"]) == {":token", ":rings"}
    assert set(asked["Key"]) == {"pk"}


def test_each_wait_sleeps_as_long_as_it_should() -> None:
    assert {name: bell["TimeoutSecondsPath"] for name, bell in bells().items()} == SECONDS
    assert of("addresses", "Wait")["WaitForAddress"]["SecondsPath"] == SECONDS["WaitForAddress"]
    assert {s: (c["SecondsPath"], c["Next"]) for s, c in of("rollout", "Wait").items()} == RESTS
    assert {name: machine(name).get("TimeoutSeconds") for name in TIMEOUT_SECONDS} == (
        TIMEOUT_SECONDS
    )


def _condition(choice: dict[str, Any]) -> str:
    if "IsPresent" in choice:
        assert choice["IsPresent"] is True, choice
        return f"{choice['Variable']} is there"
    parts = choice.get("And", [choice])
    assert all(set(part) - {"Next"} == {"Variable", "StringEquals"} for part in parts), choice
    return " ".join(f"{part['Variable']}={part['StringEquals']}" for part in parts)


def test_each_answer_leads_where_it_should() -> None:
    found = {
        f"{name}.{state}": {
            **{_condition(choice): choice["Next"] for choice in content["Choices"]},
            "else": content["Default"],
        }
        for name in MACHINES.values()
        for state, content in of(name, "Choice").items()
    }
    assert found == WAYS
    for state, ways in found.items():  # the first that fits is taken
        assert list(ways) == list(WAYS[state]), state


def test_too_many_requests_are_outlasted_for_an_hour() -> None:
    """The sum of so many delays, each drawn between nothing and its longest (JitterStrategy)."""
    rule = STEP[-1]
    draw = random.Random(1)
    longest = [min(2 * 2**n, rule["MaxDelaySeconds"]) for n in range(rule["MaxAttempts"])]
    sums = sorted(sum(draw.uniform(0, most) for most in longest) for _ in range(2000))
    assert sums[0] > 3600


def test_what_is_told_without_a_step_is_told_whole() -> None:
    assert of("rollout", "Fail") == {
        "RolloutFailed": {
            "Type": "Fail",
            "Comment": "The release was not rolled, and the fleet is as it was before.",
            "ErrorPath": "$.failure.Error",
            "CausePath": "$.failure.Cause",
        },
        "UndoFailed": {
            "Type": "Fail",
            "Comment": "The fleet could not be brought back by itself: a person is needed now.",
            "Error": "UndoFailed",
            "CausePath": "$.undo.Cause",
        },
    }
    unknown = states("rollout")["UnknownAnswer"]
    assert unknown["ResultPath"] == "$.failure"
    assert unknown["Result"]["Error"] == "UnknownAnswer"
    assert json.loads(unknown["Result"]["Cause"]) == {
        "errorMessage": "A step answered something that the state machine does not know."
    }
    notice = states("rollout")["TellPeople"]
    assert (notice["ResultPath"], notice["Catch"]) == (
        None,
        [{"ErrorEquals": ["States.ALL"], "ResultPath": None, "Next": "UndoFailed"}],
    )
    assert notice["Parameters"]["Subject"] == (
        "Ovenbird: a rollout failed and was not undone (UndoFailed)"
    )


def test_each_step_writes_where_the_others_read() -> None:
    assert {s: c["ResultPath"] for s, c in steps("rollout").items()} == {
        "PlanRollout": "$.plan",
        "BakeImage": "$.bake",
        "PublishTemplate": "$.version",
        "RollGroup": "$.roll",
        "TryAddress": None,  # nothing of it is kept: what counts is that it does not fail
        "MoveAddress": "$.addresses",
        "ReturnAddress": "$.returned",  # what the rollout itself had answered stays
        "SettleRollout": "$.settle",
        "UndoRollout": "$.undo",
    }
    assert {s: c["ResultPath"] for s, c in steps("addresses").items()} == {
        "MoveAddress": "$.addresses"
    }
    after = {s: c["Next"] for s, c in steps("rollout").items() if not c["Next"].startswith("After")}
    assert after == {
        "PublishTemplate": "RollGroup",
        "TryAddress": "RollGroup",
        "SettleRollout": "RolloutDone",
    }
