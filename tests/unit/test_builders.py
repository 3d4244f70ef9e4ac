"""Which instance is a builder of ours, and whose."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ovenbird.core import builders
from ovenbird.core.builders import Builder
from ovenbird.core.tokens import is_of_launch, launch_token

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def builder(
    instance_id: str,
    state: str = "running",
    rollout: str = "web-1",
    *,
    token: str | None = None,
    group: str = "",
) -> Builder:
    token = launch_token(rollout, instance_id) if token is None else token
    return Builder(instance_id, state, NOON, rollout, client_token=token, group=group)


OURS = builder("i-ours")
OLD = builder("i-old", "stopped", "web-0")
GOING = builder("i-going", "shutting-down", "web-0")
COPIED = builder("i-copied", token="console-1")  # "launch more like this" copies the tags
TAGGED = builder("i-tagged", rollout="", token="")
MOVED = builder("i-moved", "running", "web-1", token=launch_token("web-0", "x"))
MEMBER = builder("i-member", group="web")
SEEN = (OURS, OLD, GOING, COPIED, TAGGED, MOVED, MEMBER)


def test_ours_are_those_that_were_launched_with_a_token_of_ours() -> None:
    assert builders.ours(SEEN) == (OURS, OLD, GOING)
    assert builders.alive(builders.ours(SEEN)) == ("i-ours", "i-old")
    assert builders.strangers(SEEN) == ("i-copied", "i-tagged", "i-moved", "i-member")
    assert builders.of_rollout(SEEN, "web-1") == (OURS,)
    assert builders.of_rollout(SEEN, "web-7") == ()


def test_the_id_that_a_launch_answered_is_ours_without_a_token() -> None:
    """A rollout may go on with another version of Ovenbird than it was begun with."""
    assert builders.of_rollout(SEEN, "web-1", "i-copied") == (OURS, COPIED)
    assert "i-copied" not in builders.strangers(SEEN, "i-copied")


def test_an_instance_of_a_group_is_never_ours() -> None:
    assert builders.ours([MEMBER], "i-member") == ()
    assert builders.strangers([MEMBER], "i-member") == ("i-member",)


def test_a_builder_is_known_by_its_id() -> None:
    assert builders.with_id(SEEN, "i-old") is OLD
    assert builders.with_id(SEEN, "i-none") is None
    assert builders.with_id(SEEN, None) is None


@pytest.mark.parametrize(
    ("token", "rollout", "is_ours"),
    [
        pytest.param(launch_token("web-1", {"a": 1}), "web-1", True, id="ours"),
        pytest.param(launch_token("web-1", {"a": 1}), "web-2", False, id="another rollout"),
        pytest.param(launch_token("web-1", {"a": 1})[:32], "web-1", False, id="half of it"),
        pytest.param(launch_token("", {"a": 1}), "", False, id="no rollout"),
        pytest.param("", "web-1", False, id="none"),
    ],
)
def test_a_token_says_which_rollout_launched_it(token: str, rollout: str, is_ours: bool) -> None:
    assert is_of_launch(token, rollout) is is_ours


def test_the_same_launch_has_the_same_token_and_another_has_another() -> None:
    assert launch_token("web-1", {"a": 1}) == launch_token("web-1", {"a": 1})
    assert launch_token("web-1", {"a": 1}) != launch_token("web-1", {"a": 2})
    assert len(launch_token("web-1", {})) == 64


@pytest.mark.parametrize(
    ("seen", "known", "after", "unseen"),
    [
        pytest.param((), "i-1", 89, True, id="launched a moment ago, and nothing to be seen"),
        pytest.param((), "i-1", 90, False, id="not there after all this time"),
        pytest.param((), None, 30, True, id="perhaps launched: the answer was lost"),
        pytest.param((("i-1", "web-1"),), "i-1", 30, False, id="there it is"),
        pytest.param((("i-1", "web-1"),), None, 30, False, id="there is one"),
        pytest.param((("i-1", "web-0"),), None, 30, True, id="that of another rollout"),
        pytest.param((("i-0", "web-1"),), "i-1", 30, True, id="only the one before"),
    ],
)
def test_a_builder_may_be_too_new_to_be_seen(
    seen: tuple[tuple[str, str], ...], known: str | None, after: int, unseen: bool
) -> None:
    found = [Builder(name, "running", NOON, rollout) for name, rollout in seen]
    now = NOON + timedelta(seconds=after)
    assert builders.unseen(found, "web-1", known=known, launched=NOON, now=now) is unseen
