"""What every event has in common, at its edges: names, ids, times, and what is missing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ovenbird import schema
from ovenbird.errors import BadEvent
from ovenbird.events import autoscaling, envelope, rollout


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "a.b is null; it must be a text that is not empty."),
        ("", 'a.b is ""; it must be a text that is not empty.'),
        (7, "a.b is 7; it must be a text that is not empty."),
        ("x" * (envelope.LONGEST + 1), f"it must have at most {envelope.LONGEST} characters."),
        ("a\x00b", "it must be without U+0000."),
        ("a\u202eb", "it must be without U+202E."),
        ("a\ud800b", "it must be without U+D800."),
    ],
)
def test_a_text_that_is_none_is_refused(value: Any, words: str) -> None:
    with pytest.raises(BadEvent) as refused:
        envelope.text({"a": {"b": value}}, "a.b")
    assert str(refused.value).endswith(words)


def test_a_text_may_be_as_long_as_that() -> None:
    longest = "x" * envelope.LONGEST
    assert envelope.text({"a": longest}, "a") == longest


@pytest.mark.parametrize(
    ("event", "found"),
    [({"a": {"b": 1}}, 1), ({"a": {}}, None), ({}, None), ({"a": None}, None)],
)
def test_what_is_not_there_is_none(event: dict[str, Any], found: object) -> None:
    assert envelope.at(event, "a.b") == found


def test_what_is_no_object_has_nothing_in_it() -> None:
    with pytest.raises(BadEvent, match=r"^a is 7; it must be an object\.$"):
        envelope.at({"a": 7}, "a.b")


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("2026-01-05T09:00:00Z", "2026-01-05T09:00:00+00:00"),
        ("2026-01-05T09:00:00+02:00", "2026-01-05T07:00:00+00:00"),
        ("2026-01-05T09:00:00", "2026-01-05T09:00:00+00:00"),
    ],
)
def test_a_time_without_a_zone_is_in_utc(written: str, told: str) -> None:
    assert envelope.time({"time": written}).startswith(told[:19])


@pytest.mark.parametrize("length", [255, 256])
def test_the_name_of_a_group_has_255_characters_at_most(length: int) -> None:
    """Source: EC2 Auto Scaling API reference, CreateAutoScalingGroup, AutoScalingGroupName."""
    event = {"detail": {"AutoScalingGroupName": "g" * length}}
    if length == 255:
        assert autoscaling.group_of(event) == "g" * length
        return
    with pytest.raises(BadEvent, match="it must have at most 255 characters"):
        autoscaling.group_of(event)


def test_the_addresses_of_a_state_are_checked() -> None:
    rollout.check_addresses({})
    rollout.check_addresses({"addresses": {"since": datetime(2026, 1, 5, tzinfo=UTC).isoformat()}})
    with pytest.raises(BadEvent, match=r"^addresses"):
        rollout.check_addresses({"addresses": {"since": 7}})
    with pytest.raises(BadEvent, match=r"^addresses"):
        rollout.check_addresses({"addresses": 7})


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (1, True, False),
        (True, True, True),
        ([1, [2]], [1, [2]], True),
        ([1], [1, 1], False),
        ([1], [True], False),
        ({"a": [1]}, {"a": [1]}, True),
        ({"a": 1}, {"b": 1}, False),
        ({"a": 1}, {"a": True}, False),
        (1, 1.0, True),
        ("1", 1, False),
        ([1], {"a": 1}, False),
    ],
)
def test_equal_as_json(one: Any, other: Any, same: bool) -> None:
    assert (schema.first_error({"enum": [one]}, other, "x") is None) is same
