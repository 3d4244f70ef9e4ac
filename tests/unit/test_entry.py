"""The entry point: logs, counts, names the failure, and lets it out."""

from __future__ import annotations

import contextlib
import json
import sys
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest

from ovenbird import answers
from ovenbird.entry import entry, logger, short
from ovenbird.errors import BakeFailed, Throttled

EVENT = {"rollout": "web-1", "fleet": "web", "token": "the task token"}


def run(
    capsys: pytest.CaptureFixture[str], step: Any, event: Any = EVENT
) -> tuple[dict[str, Any], dict[str, Any], str]:
    """The log line, the metrics line and everything that was written, of one invocation."""
    (output,) = logger.handlers  # it was opened before pytest began to listen
    with mock.patch.object(output, "stream", sys.stdout), contextlib.suppress(Exception):
        entry("bake_image", step)(event, SimpleNamespace(aws_request_id="r-1"))
    written = capsys.readouterr().out
    lines = [json.loads(line) for line in written.splitlines()]
    (log,) = [line for line in lines if "_aws" not in line]
    metrics = next(line for line in lines if "Outcome" in line)
    return log, metrics, written


def wait(event: dict[str, Any], now: datetime) -> answers.Answer:
    assert now.tzinfo is not None
    return answers.wait(event, "bake", "ami-1", 3, "ami-1 is pending", now=now)


def failing(failure: Exception) -> Any:
    def step(event: dict[str, Any], now: datetime) -> answers.Answer:
        raise failure

    return step


def test_logs_who_and_why_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    log, _, written = run(capsys, wait)
    assert {name: log[name] for name in ("level", "message", "step", "rollout", "fleet")} == {
        "level": "INFO",
        "message": "ami-1 is pending",
        "step": "bake_image",
        "rollout": "web-1",
        "fleet": "web",
    }
    assert (log["execution"], log["request"], log["result"]) == ("web-1", "r-1", "wait")
    assert "the task token" not in written


def test_counts_one_outcome(capsys: pytest.CaptureFixture[str]) -> None:
    _, metrics, _ = run(capsys, wait)
    (told,) = metrics["_aws"]["CloudWatchMetrics"]
    assert told == {
        "Namespace": "Ovenbird",
        "Dimensions": [["step", "result"]],
        "Metrics": [{"Name": "Outcome", "Unit": "Count"}],
    }
    assert (metrics["step"], metrics["result"], metrics["Outcome"]) == ("bake_image", "wait", [1.0])


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        pytest.param(answers.done("x"), "done", id="done"),
        pytest.param(answers.done("x", ignored="not ours", accepted=[]), "ignored", id="ignored"),
        pytest.param(answers.done("x", ignored="b", accepted=["a"]), "done", id="one accepted"),
        pytest.param({"next": "bake", "reason": "x"}, "bake", id="plan"),
    ],
)
def test_names_the_result(
    capsys: pytest.CaptureFixture[str], answer: answers.Answer, result: str
) -> None:
    _, metrics, _ = run(capsys, lambda event, now: answer)
    assert metrics["result"] == result


def test_a_step_may_count_more(capsys: pytest.CaptureFixture[str]) -> None:
    answer = answers.done("x", counts={"StaleTokens": 2, "BadFleets": 0})
    _, outcome, written = run(capsys, lambda event, now: answer)
    (counted,) = [
        each for line in written.splitlines() if "StaleTokens" in (each := json.loads(line))
    ]
    assert counted["_aws"]["CloudWatchMetrics"] == [
        {
            "Namespace": "Ovenbird",
            "Dimensions": [["step"]],
            "Metrics": [{"Name": "StaleTokens", "Unit": "Count"}],
        }
    ]
    assert (counted["step"], counted["StaleTokens"]) == ("bake_image", [2.0])
    assert "StaleTokens" not in outcome
    assert "BadFleets" not in written


@pytest.mark.parametrize(
    ("failure", "level", "trace"),
    [
        pytest.param(BakeFailed("exit code 1"), "ERROR", False, id="terminal"),
        pytest.param(Throttled("slow down"), "WARNING", False, id="retryable"),
        pytest.param(ZeroDivisionError("oh"), "ERROR", True, id="unknown"),
    ],
)
def test_a_failure_is_named_counted_and_raised(
    capsys: pytest.CaptureFixture[str], failure: Exception, level: str, trace: bool
) -> None:
    with pytest.raises(type(failure)):
        entry("bake_image", failing(failure))(EVENT, None)
    capsys.readouterr()
    log, metrics, _ = run(capsys, failing(failure))
    assert (log["level"], log["failure"]) == (level, type(failure).__name__)
    assert ("exception" in log) == trace
    assert (metrics["result"], metrics["failure"]) == ("failed", type(failure).__name__)
    assert metrics["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [
        ["step", "result"],
        ["failure"],
    ]


def test_an_invocation_leaves_nothing_to_the_next(capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, failing(BakeFailed("x")))
    log, metrics, _ = run(capsys, lambda event, now: answers.done("x"), {"source": "aws.s3"})
    assert (log["rollout"], log["fleet"]) == ("", "")
    assert "failure" not in metrics


def test_an_event_that_is_no_object_is_refused_and_logged(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log, _, _ = run(capsys, wait, ["not", "an", "object"])
    assert (log["rollout"], log["failure"]) == ("", "BadEvent")


def test_foreign_text_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    log, _, _ = run(capsys, failing(BakeFailed("ü" * 9000)))
    assert len(log["message"].encode()) <= 4096
    assert log["message"].endswith(" …")


@pytest.mark.parametrize("text", ["", "x" * 4096, "ü" * 2048])
def test_what_fits_is_not_cut(text: str) -> None:
    assert short(text) == text
