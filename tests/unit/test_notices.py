"""Notices: what happened, why, and what to do, in a text that SNS takes."""

from __future__ import annotations

import inspect
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovenbird import errors
from ovenbird.core import notices
from ovenbird.core.notices import Notice, Told

RELEASE = Told("web", "web-1", "release", "4f1c2d7", "branch main of web")
QUOTED = (
    "Lines that begin with > are what somebody else or a script wrote; their links are broken up."
)
BACK = Told("web", "web-back-1", "roll-back", asked="5xx since ten")


def released(told: Told = RELEASE, *, baked: bool = True, too_late: str = "") -> Notice:
    return notices.released(
        told,
        group="web-asg",
        instances=4,
        image=("ami-1", "ami-2"),
        version=("lt-web version 3", "lt-web version 4"),
        baked=baked,
        took=timedelta(minutes=12),
        too_late=too_late,
    )


def test_a_release() -> None:
    notice = released()
    assert notice.subject == "Ovenbird: web runs 4f1c2d7"
    assert notice.text.splitlines() == [
        "Fleet web runs a new release.",
        "",
        "What: release 4f1c2d7",
        "> branch main of web",
        "Group: web-asg, 4 instances on the new version",
        "Image: ami-2 (before: ami-1), baked for this release",
        "Launch template: lt-web version 4 (before: lt-web version 3)",
        "Took: 12 min",
        "Rollout: web-1",
        "",
        "What to do: nothing. To return to the version before, ask for a roll-back: "
        '{"action": "roll-back", "fleet": "web"}',
        "",
        QUOTED,
    ]


def test_a_reused_image_is_told() -> None:
    assert "ami-2 (before: ami-1), reused: the same content" in released(baked=False).text


def test_a_roll_back() -> None:
    notice = released(BACK)
    assert notice.subject == "Ovenbird: web was rolled back"
    assert "What: a roll-back by hand\n> 5xx since ten\n" in notice.text
    assert "which the fleet ran before" in notice.text


def test_a_stop_that_came_too_late_is_told() -> None:
    assert (
        "\n\nMary asked to stop it, but it was over by then; ask again.\n"
        in released(too_late="Mary").text
    )


def test_a_failure_says_what_why_now_and_what_to_do() -> None:
    cause = json.dumps({"errorMessage": "exit code 1", "errorType": "BakeFailed", "stackTrace": []})
    notice = notices.failed(
        RELEASE, error="BakeFailed", cause=cause, undone="Nothing was touched.", took=None
    )
    assert notice.subject == "Ovenbird: web: 4f1c2d7 failed (BakeFailed)"
    assert notice.text.splitlines() == [
        "The rollout of fleet web failed: BakeFailed.",
        "",
        "What: release 4f1c2d7",
        "> branch main of web",
        "Why: exit code 1",
        "Now: Nothing was touched.",
        "Rollout: web-1",
        "",
        f"What to do: {notices.advice('BakeFailed')}",
        "",
        QUOTED,
    ]


def test_a_notice_without_the_words_of_others_explains_no_marks() -> None:
    bare = Told("web", "web-1", "release", "4f1c2d7")
    assert QUOTED not in released(bare).text


def test_a_failed_roll_back_and_its_duration() -> None:
    notice = notices.failed(
        BACK, error="RollFailed", cause="late", undone="x", took=timedelta(hours=1, minutes=4)
    )
    assert notice.subject == "Ovenbird: web: roll-back failed (RollFailed)"
    assert "Took: 1 h 4 min" in notice.text


def test_every_failure_has_its_own_advice() -> None:
    names = [
        name
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.OvenbirdError) and not kind.__subclasses__()
    ]
    unknown = notices.advice("SomethingElse")
    assert names
    assert [name for name in names if notices.advice(name) == unknown] == []


@pytest.mark.parametrize(
    "error", ["Sandbox.Timedout", "Runtime.ExitError", "Lambda.Unknown", "States.Timeout"]
)
def test_a_failure_that_aws_has_named_is_told_from_one_of_ours(error: str) -> None:
    assert "AWS could not run a step" in notices.advice(error)


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        pytest.param("a sentence", "a sentence", id="text"),
        pytest.param('{"errorMessage": "m", "errorType": "T"}', "m", id="Lambda's"),
        pytest.param('{"errorType": "T"}', "T", id="no message"),
        pytest.param('{"other": 1}', '{"other": 1}', id="other JSON"),
        pytest.param("7", "7", id="a number"),
        pytest.param("x" * 9000, "x" * 2999 + "…", id="too long"),
    ],
)
def test_the_reason_in_a_cause(cause: str, reason: str) -> None:
    assert notices.reason(cause) == reason


@given(st.text())
def test_a_subject_is_what_sns_takes(text: str) -> None:
    subject = notices.subject(text)
    assert subject.isascii()
    assert subject.isprintable()
    assert len(subject) <= 100


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0 s"), (45, "45 s"), (60, "1 min"), (3599, "1 h 0 min"), (3840, "1 h 4 min")],
)
def test_durations(seconds: int, text: str) -> None:
    assert notices.duration(timedelta(seconds=seconds)) == text


def test_since() -> None:
    now = datetime(2026, 1, 5, 12, tzinfo=UTC)
    assert notices.since("2026-01-05T11:00:00+00:00", now) == timedelta(hours=1)


def test_what_is_left_beside_a_group_that_is_well_is_no_alarm_about_the_group() -> None:
    def told(*, well: bool) -> str:
        return notices.failed(
            RELEASE, error="UndoFailed", cause="x", undone="y", took=None, group_is_well=well
        ).text

    assert "may run two versions" in told(well=False)
    assert "may run two versions" not in told(well=True)
    assert f"What to do: {notices.advice('UndoFailed', group_is_well=True)}\n" in told(well=True)
    assert notices.advice("BakeFailed", group_is_well=True) == notices.advice("BakeFailed")
