"""The interpreter of the stories: states, errors, tokens, and what it refuses."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from sandbox.cloud.clock import VirtualClock
from sandbox.cloud.errors import AwsError
from sandbox.cloud.timeline import Timeline
from tests.stories.asl import paths, templates
from tests.stories.asl.definition import DYNAMODB_TOKEN, parse
from tests.stories.asl.execution import Execution
from tests.stories.asl.failures import BadDefinition, StateFailed
from tests.stories.asl.stepfunctions import StepFunctions

MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:Rollout"
KIND = "Step Functions Execution Status Change"
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:Work"


class World:
    """A world of one function and one table."""

    def __init__(self, *answers: Any) -> None:
        self.clock = VirtualClock()
        self.timeline = Timeline(self.clock)
        self.answers, self.asked = list(answers), list[Any]()
        self.written: list[dict[str, Any]] = []
        self.told: list[tuple[str, str | None]] = []
        self.refuse_writes = ""
        self.states = StepFunctions(self, random.Random(0))

    now = property(lambda self: self.clock.now)

    def after(self, delay: timedelta, action: Callable[[], None]) -> None:
        self.timeline.after(delay, action)

    def invoke(self, function_arn: str, payload: Any) -> Any:
        self.asked.append(payload)
        answer = self.answers.pop(0)
        if isinstance(answer, StateFailed):
            raise answer
        return answer

    def integrate(self, service: str, operation: str, arguments: dict[str, Any]) -> Any:
        if self.refuse_writes:
            raise StateFailed(self.refuse_writes)
        self.written.append(arguments)
        return {}

    def tell(self, kind: str, detail: dict[str, Any], resource: str) -> None:
        assert (kind, resource) == (KIND, detail["executionArn"])
        self.told.append((detail["status"], detail["error"]))

    def run(self, seconds: float = 10**9) -> None:
        end = self.clock.now() + timedelta(seconds=seconds)
        while (due := self.timeline.next_due) and due <= end:
            self.clock.advance_to(due)
            self.timeline.run_due()
        self.clock.advance_to(end)

    def begin(self, states: dict[str, Any], given: Any = None, name: str = "one") -> Execution:
        self.states.add(MACHINE, {"StartAt": next(iter(states)), "States": states})
        started = self.states.start(
            {"stateMachineArn": MACHINE, "name": name, "input": json.dumps(given or {})}
        )
        return self.states.executions[started["executionArn"]]


def run(states: dict[str, Any], given: Any = None, *answers: Any) -> Execution:
    world = World(*answers)
    execution = world.begin(states, given)
    world.run()
    assert not execution.running
    return execution


def task(**fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": FUNCTION, "End": True} | fields


WAIT_FOR_TOKEN = {
    "Type": "Task",
    "Resource": DYNAMODB_TOKEN,
    "Parameters": {"Key": {"pk": {"S.$": "$.bell"}}, "token.$": "$$.Task.Token"},
    "TimeoutSeconds": 300,
    "ResultPath": None,
    "Catch": [{"ErrorEquals": ["States.Timeout"], "ResultPath": "$.late", "Next": "Late"}],
    "Next": "Rung",
}
DOORBELL = {"Ask": WAIT_FOR_TOKEN, "Rung": {"Type": "Succeed"}, "Late": {"Type": "Succeed"}}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("$", {"a": [1, {"b-c": "x"}]}),
        ("$.a[1].b-c", "x"),
        ("$['a'][0]", 1),
        ("$$.Execution.Name", "run"),
        ("States.Format('{}: {} \\{\\}', $$.Execution.Name, $.a[0])", "run: 1 {}"),
        ("States.Format('it\\'s {}', States.MathAdd($.a[0], 2))", "it's 3"),
        ("States.JsonToString($.a)", '[1,{"b-c":"x"}]'),
        ("States.StringToJson('[1]')", [1]),
        ("States.Array('x', true)", ["x", True]),
    ],
)
def test_evaluates(expression: str, expected: Any) -> None:
    state, context = {"a": [1, {"b-c": "x"}]}, {"Execution": {"Name": "run"}}
    templates.check({"it.$": expression})
    assert templates.fill({"it.$": expression}, state, context) == {"it": expected}


@pytest.mark.parametrize(
    "expression", ["a.b", "$.a[*]", "$..a", "States.UUID()", "States.Format('x' $.a)", "'text'"]
)
def test_refuses_an_expression_that_it_does_not_know(expression: str) -> None:
    with pytest.raises(BadDefinition):
        templates.check({"it.$": expression})


def test_a_missing_path_is_an_error_of_the_definition_and_never_caught() -> None:
    execution = run(
        {"T": task(InputPath="$.nothing", Catch=[catch("States.ALL", "T2")]), "T2": END}
    )
    assert (execution.status, execution.error) == ("FAILED", "States.Runtime")


END = {"Type": "Succeed"}


def catch(error: str, following: str) -> dict[str, Any]:
    return {"ErrorEquals": [error], "ResultPath": "$.failure", "Next": following}


def test_a_result_path_makes_its_parents_and_leaves_the_input_alone() -> None:
    given = {"a": {"b": 1}}
    assert paths.place("$.a.c.d", given, 2) == {"a": {"b": 1, "c": {"d": 2}}}
    assert paths.place(None, given, 2) == {"a": {"b": 1}} == given
    assert paths.place("$", given, 2) == 2
    with pytest.raises(StateFailed, match="ResultPathMatchFailure"):
        paths.place("$.a.b.c", given, 2)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"Variable": "$.s", "StringEquals": "wait"}, True),
        ({"Variable": "$.s", "StringMatches": "w*t"}, True),
        ({"Variable": "$.n", "NumericGreaterThan": 3}, False),
        ({"Variable": "$.n", "StringEquals": "3"}, False),
        ({"Variable": "$.b", "BooleanEquals": True}, True),
        ({"Variable": "$.no", "IsPresent": False}, True),
        ({"Variable": "$.null", "IsNull": True}, True),
        ({"Variable": "$.n", "NumericEqualsPath": "$.m"}, True),
        ({"Not": {"Variable": "$.s", "StringEquals": "wait"}}, False),
        (
            {
                "And": [
                    {"Variable": "$.no", "IsPresent": True},
                    {"Variable": "$.no", "StringEquals": "x"},
                ]
            },
            False,
        ),
        (
            {
                "Or": [
                    {"Variable": "$.n", "NumericEquals": 3},
                    {"Variable": "$.no", "StringEquals": "x"},
                ]
            },
            True,
        ),
    ],
)
def test_chooses(rule: dict[str, Any], expected: bool) -> None:
    states = {
        "C": {"Type": "Choice", "Choices": [{**rule, "Next": "Yes"}], "Default": "No"},
        "Yes": END,
        "No": END,
    }
    given = {"s": "wait", "n": 3, "m": 3.0, "b": True, "null": None}
    assert run(states, given).visited[-1] == ("Yes" if expected else "No")


def test_a_choice_fails_on_a_missing_variable_and_without_a_match() -> None:
    rule = {"Variable": "$.x", "StringEquals": "y", "Next": "Yes"}
    states = {"C": {"Type": "Choice", "Choices": [rule]}, "Yes": END}
    assert run(states).error == "States.Runtime"
    assert run(states, {"x": "z"}).error == "States.NoChoiceMatched"


def test_a_task_gets_its_parameters_and_puts_its_result_where_it_belongs() -> None:
    world = World({"answer": 42, "rest": "x"})
    fields = {
        "InputPath": "$.inner",
        "Parameters": {"n.$": "$.n", "fixed": 1},
        "ResultSelector": {"only.$": "$.answer"},
        "ResultPath": "$.result",
        "OutputPath": "$.result",
    }
    execution = world.begin({"T": task(**fields)}, {"inner": {"n": 7}})
    world.run()
    assert world.asked == [{"n": 7, "fixed": 1}]
    assert execution.output == {"only": 42}


def test_counts_as_aws_counts() -> None:
    states = {"P": {"Type": "Pass", "Next": "T"}, "T": task(Next="S"), "S": END}
    del states["T"]["End"]
    execution = run(states, {}, {})
    assert execution.transitions == 3
    assert [event.kind for event in execution.history] == [
        "ExecutionStarted",
        "PassStateEntered",
        "PassStateExited",
        "TaskStateEntered",
        "LambdaFunctionScheduled",
        "LambdaFunctionStarted",
        "LambdaFunctionSucceeded",
        "TaskStateExited",
        "SucceedStateEntered",
        "SucceedStateExited",
        "ExecutionSucceeded",
    ]


def test_retries_with_backoff_up_to_its_ceiling_then_catches() -> None:
    throttled = StateFailed("Throttled", "slow down")
    retry = {
        "ErrorEquals": ["Throttled"],
        "IntervalSeconds": 2,
        "BackoffRate": 3,
        "MaxAttempts": 3,
        "MaxDelaySeconds": 10,
    }
    states = {"T": task(Retry=[retry], Catch=[catch("States.ALL", "U")]), "U": END}
    execution = run(states, {"a": 1}, throttled, throttled, throttled, throttled)
    tried = [event.at for event in execution.history if event.kind == "LambdaFunctionStarted"]
    gaps = [(b - a).total_seconds() for a, b in pairwise(tried)]
    assert gaps == [2, 6, 10]
    assert execution.transitions == 5  # two states and three retries
    assert execution.output == {"a": 1, "failure": {"Error": "Throttled", "Cause": "slow down"}}


def test_a_retrier_has_its_own_count_and_a_new_visit_begins_again() -> None:
    a, b = StateFailed("A"), StateFailed("B")
    retry = [
        {"ErrorEquals": ["A"], "MaxAttempts": 1},
        {"ErrorEquals": ["B"], "MaxAttempts": 1},
    ]
    assert run({"T": task(Retry=retry)}, {}, a, b, {}).status == "SUCCEEDED"
    assert run({"T": task(Retry=retry)}, {}, a, b, a).error == "A"
    loop = {
        "T": task(Retry=retry, ResultPath="$") | {"Next": "C"},
        "C": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.again", "BooleanEquals": True, "Next": "T"}],
            "Default": "S",
        },
        "S": END,
    }
    del loop["T"]["End"]
    assert run(loop, {}, a, {"again": True}, a, {"again": False}).status == "SUCCEEDED"


@pytest.mark.parametrize(
    ("error", "names", "caught"),
    [
        ("Anything", "States.ALL", True),
        ("Anything", "States.TaskFailed", True),
        ("States.Timeout", "States.TaskFailed", False),
        ("States.Timeout", "States.ALL", True),
        ("States.DataLimitExceeded", "States.ALL", False),
        ("States.Runtime", "States.ALL", False),
        ("Other", "Anything", False),
    ],
)
def test_catches_what_aws_would_catch(error: str, names: str, caught: bool) -> None:
    states = {"T": task(Catch=[catch(names, "U")]), "U": END}
    assert (run(states, {}, StateFailed(error)).status == "SUCCEEDED") is caught


def test_fails_with_the_error_and_cause_of_the_state() -> None:
    states = {"F": {"Type": "Fail", "ErrorPath": "$.e", "CausePath": "States.Format('so {}', $.c)"}}
    execution = run(states, {"e": "RollFailed", "c": "it stalled"})
    assert (execution.status, execution.error) == ("FAILED", "RollFailed")
    assert execution.cause == "so it stalled"


def test_a_token_rung_while_waiting_goes_on_at_once() -> None:
    world = World()
    execution = world.begin(DOORBELL, {"bell": "ami-1"})
    world.run(60)
    (written,) = world.written
    assert written["Key"] == {"pk": {"S": "ami-1"}}
    world.states.send_success({"taskToken": written["token"], "output": "{}"})
    with pytest.raises(AwsError, match="TaskTimedOut"):
        world.states.send_success({"taskToken": written["token"], "output": "{}"})
    world.run(1)
    assert execution.output == {"bell": "ami-1"}
    assert [e.kind for e in execution.history][2:7] == [
        "TaskScheduled",
        "TaskStarted",
        "TaskSubmitted",
        "TaskSucceeded",
        "TaskStateExited",
    ]
    with pytest.raises(AwsError, match="TaskDoesNotExist"):
        world.states.send_success({"taskToken": written["token"], "output": "{}"})
    with pytest.raises(AwsError, match="InvalidToken"):
        world.states.send_success({"taskToken": "nonsense", "output": "{}"})


def test_a_token_never_rung_times_out_and_is_stale_then() -> None:
    world = World()
    states = {**DOORBELL, "Late": {"Type": "Wait", "Seconds": 60, "End": True}}
    execution = world.begin(states, {"bell": "ami-1"})
    world.run(310)
    with pytest.raises(AwsError, match="TaskTimedOut"):
        world.states.send_success({"taskToken": world.written[0]["token"], "output": "{}"})
    world.run()
    assert execution.visited == ["Ask", "Late"]
    assert execution.output["late"]["Error"] == "States.Timeout"


def test_a_refused_write_is_an_error_that_can_be_caught() -> None:
    world = World()
    world.refuse_writes = "DynamoDb.ConditionalCheckFailedException"
    rules = [catch("DynamoDb.ConditionalCheckFailedException", "Late")]
    execution = world.begin({**DOORBELL, "Ask": {**WAIT_FOR_TOKEN, "Catch": rules}}, {"bell": "x"})
    world.run(1)
    assert execution.visited == ["Ask", "Late"]


def test_the_same_name_is_the_same_execution_only_while_it_runs_with_the_same_input() -> None:
    world = World()
    first = world.begin(DOORBELL, {"bell": "x"})
    same = {"stateMachineArn": MACHINE, "name": "one", "input": '{ "bell": "x" }'}
    assert world.states.start(same)["executionArn"] == first.arn
    with pytest.raises(AwsError, match="ExecutionAlreadyExists"):
        world.states.start({**same, "input": '{"bell": "y"}'})
    world.states.stop({"executionArn": first.arn, "error": "Mine", "cause": "by hand"})
    described = world.states.describe({"executionArn": first.arn})
    assert (described["status"], described["error"]) == ("ABORTED", "Mine")
    with pytest.raises(AwsError, match="ExecutionAlreadyExists"):
        world.states.start(same)
    with pytest.raises(AwsError, match="InvalidName"):
        world.states.start({**same, "name": "a:b"})
    with pytest.raises(AwsError, match="StateMachineDoesNotExist"):
        world.states.start({**same, "stateMachineArn": MACHINE + "x"})


def test_refuses_more_than_256_kib() -> None:
    execution = run({"T": task()}, {}, {"much": "x" * 262_144})
    assert execution.error == "States.DataLimitExceeded"


def test_ends_a_loop_that_fills_its_history() -> None:
    execution = run({"P": {"Type": "Pass", "Next": "Q"}, "Q": {"Type": "Pass", "Next": "P"}})
    assert execution.error == "States.Runtime"


@pytest.mark.parametrize(
    ("states", "complaint"),
    [
        ({"T": task(HeartbeatSeconds=5)}, "HeartbeatSeconds"),
        ({"T": task(Next="T")}, "exactly one of Next and End"),
        ({"T": {"Type": "Parallel", "Branches": []}}, "Parallel"),
        ({"T": task(Resource="arn:aws:states:::sqs:sendMessage")}, "sqs"),
        ({"T": {**WAIT_FOR_TOKEN, "Next": "no"}}, "no"),
        ({"T": task(Catch=[catch("States.ALL", "T"), catch("A", "T")])}, "States.ALL"),
        ({"T": END, "U": END}, "never reached"),
        ({"T": {k: v for k, v in WAIT_FOR_TOKEN.items() if k != "TimeoutSeconds"}}, "for a year"),
        (
            {"C": {"Type": "Choice", "Choices": [{"Variable": "$.a", "Like": "x", "Next": "C"}]}},
            "Like",
        ),
        ({"W": {"Type": "Wait", "End": True}}, "Seconds"),
    ],
)
def test_refuses_a_definition_that_it_does_not_know(states: dict[str, Any], complaint: str) -> None:
    with pytest.raises(BadDefinition, match=complaint):
        parse({"StartAt": next(iter(states)), "States": states})
