"""The state machines: valid to a validator that nobody here wrote, and wired as the house wants."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import Any

import pytest

from ovenbird import errors
from ovenbird.core import notices
from tests.template.deployed import (
    ALSO,
    MACHINES,
    ROOT,
    functions,
    machine,
    many,
    resources,
    statements,
    step_of,
    written,
)

# Source: Step Functions developer guide, "Handling errors"; Lambda developer guide, "Runtime
# errors"; DynamoDB API reference, UpdateItem, Errors (the SDK integration adds the prefix).
AWS_ERRORS = {
    "States.ALL",
    "States.Timeout",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.Unknown",
    "Runtime.ExitError",
    "Sandbox.Timedout",
    "DynamoDb.ConditionalCheckFailedException",
    "DynamoDB.ConditionalCheckFailedException",
    "DynamoDb.ProvisionedThroughputExceededException",
    "DynamoDb.RequestLimitExceededException",
    "DynamoDb.ThrottlingException",
    "DynamoDb.InternalServerErrorException",
    "DynamoDb.SdkClientException",
}
DOORBELL = "arn:aws:states:::aws-sdk:dynamodb:updateItem.waitForTaskToken"
States = dict[str, dict[str, Any]]


def states(name: str) -> States:
    found: States = machine(name)["States"]
    return found


def steps(name: str) -> States:
    """The states that run a function."""
    return {k: s for k, s in states(name).items() if s.get("Resource", "").startswith("${")}


def bells() -> States:
    return {k: s for k, s in states("rollout").items() if s.get("Resource") == DOORBELL}


def following(state: dict[str, Any]) -> set[str]:
    """Every state that may come next, also after a failure."""
    routes = [state, *state.get("Catch", []), *state.get("Choices", [])]
    found = {route["Next"] for route in routes if "Next" in route}
    return found | ({state["Default"]} if "Default" in state else set())


def reachable(name: str, start: str) -> set[str]:
    seen, ahead = set[str](), [start]
    while ahead:
        state = ahead.pop()
        if state not in seen:
            seen.add(state)
            ahead += following(states(name)[state])
    return seen


@pytest.mark.parametrize("name", MACHINES.values())
def test_a_validator_finds_nothing(name: str) -> None:
    node = shutil.which("node")
    assert node, "node is not on the PATH; run the tests with make, which installs it"
    validator = ROOT / "node_modules/asl-validator/dist/bin/asl-validator.js"
    file = ROOT / f"statemachine/{name}.asl.json"
    ran = subprocess.run(
        [node, validator, "--json-path", file], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("name", MACHINES.values())
def test_every_error_that_is_matched_exists(name: str) -> None:
    ours = {
        failure.__name__
        for failure in vars(errors).values()
        if isinstance(failure, type) and issubclass(failure, errors.OvenbirdError)
    }
    for state, content in states(name).items():
        for rule in [*content.get("Retry", []), *content.get("Catch", [])]:
            assert set(rule["ErrorEquals"]) <= ours | AWS_ERRORS, state


@pytest.mark.parametrize("name", MACHINES.values())
def test_steps_are_tried_again_for_what_may_pass_and_for_nothing_else(name: str) -> None:
    passing = {failure.__name__ for failure in errors.Retryable.__subclasses__()}
    for state, content in steps(name).items():
        retried = {error for rule in content["Retry"] for error in rule["ErrorEquals"]}
        assert {error for error in retried if "." not in error} == passing, state
        # Without these a killed or timed-out Lambda would fail a healthy rollout.
        assert {"Runtime.ExitError", "Sandbox.Timedout", "Lambda.Unknown"} <= retried, state


@pytest.mark.parametrize(("logical_id", "name"), MACHINES.items())
def test_the_template_fills_every_placeholder(logical_id: str, name: str) -> None:
    properties = written()["Resources"][logical_id]["Properties"]
    text = (ROOT / f"statemachine/{name}.asl.json").read_text()
    assert properties["DefinitionS3Location"] == f"statemachine/{name}.asl.json"
    assert set(properties["DefinitionSubstitutions"]) == set(re.findall(r"\$\{(\w+)\}", text))


@pytest.mark.parametrize(("logical_id", "name"), MACHINES.items())
def test_a_machine_may_start_its_own_steps_and_no_others(logical_id: str, name: str) -> None:
    allowed = [
        arn["Fn::GetAtt"][0]
        for statement in statements(logical_id)
        if "lambda:InvokeFunction" in many(statement["Action"])
        for arn in many(statement["Resource"])
    ]
    assert sorted(allowed) == sorted({functions()[step_of(state)] for state in steps(name)})


@pytest.mark.parametrize(("logical_id", "name"), MACHINES.items())
def test_a_state_has_the_name_of_its_function(logical_id: str, name: str) -> None:
    assert resources("AWS::StepFunctions::StateMachine")[logical_id]
    for state, content in steps(name).items():
        assert content["Resource"] == f"${{{ALSO.get(state, state)}FunctionArn}}"
        assert step_of(state) in functions()


def test_whatever_fails_is_undone_and_ends_red() -> None:
    """No way leads from the undoing to a green end."""
    ends = {s for s, content in states("rollout").items() if content["Type"] in ("Succeed", "Fail")}
    assert reachable("rollout", "UndoRollout") & ends == {"RolloutFailed", "UndoFailed"}
    assert all(states("rollout")[s]["Type"] == "Fail" for s in ("RolloutFailed", "UndoFailed"))
    for name, content in (steps("rollout") | bells()).items():
        last = content["Catch"][-1]
        assert last["ErrorEquals"] == ["States.ALL"], name
        undoing = "Undo" in name
        caught = "$.unreturned" if "Return" in name else "$.failure"  # the failure is known then
        assert last["Next"] == ("TellPeople" if undoing else "UndoRollout"), name
        assert last["ResultPath"] == ("$.undo" if undoing else caught), name


def test_an_undo_that_fails_is_told_by_the_machine_unless_the_step_has_told_it() -> None:
    """UndoFailed is raised after the notice; whatever else fails may have come before it."""
    told, untold = states("rollout")["UndoRollout"]["Catch"]
    assert (told["ErrorEquals"], told["Next"]) == (["UndoFailed"], "UndoFailed")
    assert untold["Next"] == "TellPeople"
    notice = states("rollout")["TellPeople"]
    assert following(notice) == {"UndoFailed"}
    assert notice["Parameters"]["TopicArn"] == "${TopicArn}"
    assert notices.advice("UndoFailed") in notice["Parameters"]["Message.$"]
    # What is not in the state is no failure that can be caught, and then nobody would be told.
    named = set(re.findall(r"\$[\w.$]+", notice["Parameters"]["Message.$"]))
    assert named == {"$.failure.Error", "$.undo", "$$.Execution.Id", "$$.Execution.Name"}


def test_who_runs_a_rollout_is_said_by_step_functions_before_any_step() -> None:
    begin = states("rollout")["BeginRollout"]
    assert machine("rollout")["StartAt"] == "BeginRollout"
    assert (begin["Type"], begin["ResultPath"]) == ("Pass", "$.execution")
    assert begin["Parameters"] == {
        "id.$": "$$.Execution.Id",
        "name.$": "$$.Execution.Name",
        "began.$": "$$.Execution.StartTime",
    }
    paths = {content.get("ResultPath") for content in steps("rollout").values()}
    assert "$.execution" not in paths


def test_an_execution_that_begins_with_a_failure_undoes_it() -> None:
    assert states("rollout")["BeginRollout"]["Next"] == "AfterBegin"
    (rule,) = states("rollout")["AfterBegin"]["Choices"]
    assert rule == {"Variable": "$.failure", "IsPresent": True, "Next": "UndoRollout"}


def test_an_answer_that_no_state_knows_is_a_failure() -> None:
    for name, content in states("rollout").items():
        if content["Type"] == "Choice":
            others = {
                "AfterUndo": "RolloutFailed",
                "AfterReturn": "UndoRollout",
                "AfterBegin": "PlanRollout",
            }
            assert content["Default"] == others.get(name, "UnknownAnswer")
    assert states("rollout")["UnknownAnswer"]["Next"] == "UndoRollout"


@pytest.mark.parametrize("name", bells())
def test_a_wait_costs_three_transitions(name: str) -> None:
    """Step, question, doorbell, and back to the same step, however it ends."""
    bell = bells()[name]
    (question,) = (
        k for k, s in states("rollout").items() if s["Type"] == "Choice" and name in following(s)
    )
    (step,) = (k for k, s in steps("rollout").items() if s["Next"] == question)
    assert bell["Next"] == step
    assert bell["Catch"][0] == {
        # Public code shows both spellings for DynamoDB; nothing of AWS's says which one is right.
        "ErrorEquals": [
            "DynamoDb.ConditionalCheckFailedException",
            "DynamoDB.ConditionalCheckFailedException",
            "States.Timeout",
        ],
        "ResultPath": None,
        "Next": step,
    }
    # The doorbell is the one that this very step has answered.
    answer = steps("rollout")[step]["ResultPath"]
    key = bell["Parameters"]["Key"]["pk"]["S.$"]
    assert key == f"States.Format('doorbell#{{}}', {answer}.doorbell)"
    values = bell["Parameters"]["ExpressionAttributeValues"]
    assert values[":rings"] == {"N.$": f"{answer}.rings"}


@pytest.mark.parametrize("name", bells())
def test_a_wait_ends_without_its_event_too(name: str) -> None:
    """After as many seconds as its own step has answered."""
    step = bells()[name]["Next"]
    path = bells()[name]["TimeoutSecondsPath"]
    assert path == f"{steps('rollout')[step]['ResultPath']}.look_again_after"
    assert bells()[name]["ResultPath"] is None


def test_looks_that_come_too_fast_rest_before_the_next_one() -> None:
    """Asked first, whatever is waited for; each step has its own rest."""
    for question, content in states("rollout").items():
        if content["Type"] != "Choice" or question == "AfterBegin":
            continue
        (step,) = (k for k, s in steps("rollout").items() if s["Next"] == question)
        first = content["Choices"][0]
        answer = steps("rollout")[step]["ResultPath"]
        assert (first["Variable"], first["IsPresent"]) == (f"{answer}.rest_seconds", True)
        rest = states("rollout")[first["Next"]]
        assert rest["Type"] == "Wait"
        assert (rest["SecondsPath"], rest["Next"]) == (first["Variable"], step)


def test_executions_keep_the_task_tokens_out_of_the_log() -> None:
    for name, properties in resources("AWS::StepFunctions::StateMachine").items():
        assert properties["LoggingConfiguration"]["IncludeExecutionData"] is False, name
        assert properties["StateMachineType"] == "STANDARD", name
        assert properties["TracingConfiguration"] == {"Enabled": True}, name


def test_definitions_are_far_below_the_limit() -> None:
    """1 MB (Step Functions developer guide, Quotas)."""
    assert all(len(json.dumps(machine(name))) < 100_000 for name in MACHINES.values())
