"""A state machine's definition, checked before anything runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.stories.asl import choices, paths, templates
from tests.stories.asl.failures import BadDefinition

State = dict[str, Any]

_COMMON = {"Type", "Comment"}
_FLOW = {"Next", "End"}
_PATHS = {"InputPath", "OutputPath"}
_TIMEOUTS = {"TimeoutSeconds", "TimeoutSecondsPath"}
_TASK = {"Parameters", "ResultSelector", "ResultPath", "Retry", "Catch"} | _TIMEOUTS
_FIELDS = {
    "Task": _COMMON | _FLOW | _PATHS | _TASK | {"Resource"},
    "Choice": _COMMON | _PATHS | {"Choices", "Default"},
    "Wait": _COMMON | _FLOW | _PATHS | {"Seconds", "SecondsPath"},
    "Pass": _COMMON | _FLOW | _PATHS | {"Parameters", "Result", "ResultPath"},
    "Succeed": _COMMON | _PATHS,
    "Fail": _COMMON | {"Error", "ErrorPath", "Cause", "CausePath"},
}
_RETRY = {
    "ErrorEquals",
    "IntervalSeconds",
    "BackoffRate",
    "MaxAttempts",
    "MaxDelaySeconds",
    "JitterStrategy",
    "Comment",
}
_CATCH = {"ErrorEquals", "Next", "ResultPath", "Comment"}
DYNAMODB_TOKEN = "arn:aws:states:::aws-sdk:dynamodb:updateItem.waitForTaskToken"
LAMBDA_INVOKE = "arn:aws:states:::lambda:invoke"
SNS_PUBLISH = "arn:aws:states:::sns:publish"
_RESOURCES = (DYNAMODB_TOKEN, LAMBDA_INVOKE, SNS_PUBLISH)


@dataclass(frozen=True)
class Definition:
    """States by name, and where to begin; ``timeout_seconds`` of the whole execution."""

    start_at: str
    states: dict[str, State]
    timeout_seconds: int | None = None


def parse(document: dict[str, Any]) -> Definition:
    """Check a definition.

    Raises:
        BadDefinition: Names the state and the field that is wrong or not known here.
    """
    _only(document, {"Comment", "StartAt", "States", "TimeoutSeconds", "QueryLanguage"}, "top")
    if document.get("QueryLanguage", "JSONPath") != "JSONPath":
        raise BadDefinition("only JSONPath is known here")
    states: dict[str, State] = document["States"]
    for name, state in states.items():
        _check(name, state)
    reached, ahead = set(), [document["StartAt"]]
    while ahead:
        name = ahead.pop()
        if name not in states:
            raise BadDefinition(f"there is no state {name!r}")
        if name not in reached:
            reached.add(name)
            ahead += _followers(states[name])
    if reached != set(states):
        raise BadDefinition(f"states never reached: {sorted(set(states) - reached)}")
    return Definition(document["StartAt"], states, document.get("TimeoutSeconds"))


def _check(name: str, state: State) -> None:
    kind = state.get("Type")
    if kind not in _FIELDS:
        raise BadDefinition(f"{name}: the type {kind!r} is not known here")
    _only(state, _FIELDS[kind], name)
    if kind in ("Task", "Wait", "Pass") and ("Next" in state) == bool(state.get("End")):
        raise BadDefinition(f"{name}: exactly one of Next and End")
    for field in (
        "InputPath",
        "OutputPath",
        "ResultPath",
        "SecondsPath",
        "TimeoutSecondsPath",
        "ErrorPath",
        "CausePath",
    ):
        if isinstance(state.get(field), str) and state[field].startswith("$"):
            paths.steps(state[field])
    templates.check(state.get("Parameters"))
    templates.check(state.get("ResultSelector"))
    if kind == "Task":
        _check_task(name, state)
    elif kind == "Choice":
        for rule in state["Choices"]:
            choices.check(rule)
    elif kind == "Wait" and ("Seconds" in state) == ("SecondsPath" in state):
        raise BadDefinition(f"{name}: exactly one of Seconds and SecondsPath")


def _check_task(name: str, state: State) -> None:
    resource: str = state["Resource"]
    if ":function:" not in resource and resource not in _RESOURCES:
        raise BadDefinition(f"{name}: the resource {resource!r} is not known here")
    if len(_TIMEOUTS & set(state)) > 1:
        raise BadDefinition(f"{name}: at most one of TimeoutSeconds and TimeoutSecondsPath")
    if resource.endswith(".waitForTaskToken") and not _TIMEOUTS & set(state):
        raise BadDefinition(f"{name}: waits for a token without TimeoutSeconds, so for a year")
    for retrier in state.get("Retry", ()):
        _only(retrier, _RETRY, f"{name}.Retry")
    for catcher in state.get("Catch", ()):
        _only(catcher, _CATCH, f"{name}.Catch")
    for rules in (state.get("Retry", []), state.get("Catch", [])):
        for index, rule in enumerate(rules):
            if "States.ALL" in rule["ErrorEquals"] and (
                len(rule["ErrorEquals"]) > 1 or index + 1 < len(rules)
            ):
                raise BadDefinition(f"{name}: States.ALL must stand alone and last")


def _followers(state: State) -> list[str]:
    ahead = [state["Next"]] if "Next" in state else []
    ahead += [state["Default"]] if "Default" in state else []
    ahead += [rule["Next"] for rule in state.get("Choices", ())]
    return ahead + [rule["Next"] for rule in state.get("Catch", ())]


def _only(document: dict[str, Any], known: set[str], where: str) -> None:
    if unknown := set(document) - known:
        raise BadDefinition(f"{where}: {sorted(unknown)} not known here")
