from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovenbird.core.groups import Group
from ovenbird.core.preferences import Preferences
from ovenbird.core.progress import Progress
from ovenbird.core.refreshes import ACTIVE, Refresh
from ovenbird.core.rolls import (
    Decision,
    Done,
    GiveUp,
    Goal,
    Patience,
    RollBack,
    Start,
    Wait,
    decide,
)
from tests.unit.fleets import BEGAN, NOON, TEMPLATE, group, member, refresh

GOAL = Goal({TEMPLATE: "4"}, BEGAN)
PREFERENCES = Preferences(100, 125, 60)
PATIENCE = Patience(stall=timedelta(minutes=20), give_up_after=timedelta(hours=4))
ENDED = ["Successful", "Failed", "Cancelled", "RollbackSuccessful", "RollbackFailed"]


def roll(
    seen: Group,
    *refreshes: Refresh,
    progress: Progress | None = None,
    preferences: Preferences = PREFERENCES,
) -> Decision:
    remembered = progress or Progress()
    return decide(
        seen,
        refreshes,
        GOAL,
        progress=remembered.seen(GOAL.refreshes(refreshes, remembered), NOON),
        preferences=preferences,
        patience=PATIENCE,
        now=NOON,
    )


def stuck(minutes: float, *, percent: int = 25, before: int = 0) -> Progress:
    """The refresh has been at this percentage for so long."""
    return Progress(
        "r-1",
        percent,
        remaining=3,
        percent_before=before,
        since=NOON - timedelta(minutes=minutes),
    )


@pytest.mark.parametrize(
    ("seen", "refreshes", "expected"),
    [
        pytest.param(group(3, 3), [], Start, id="old instances, no refresh yet"),
        pytest.param(group(4, 4, saved=4), [], Done, id="already there"),
        pytest.param(group(), [], Start, id="scaled to zero: the next instance shall be new"),
        pytest.param(group(saved=4), [], Done, id="scaled to zero, and there already"),
        pytest.param(group(desired=0), [refresh("InProgress")], Wait, id="zero, but refreshed"),
        pytest.param(group(desired=2), [], Start, id="empty, but about to launch"),
        pytest.param(group(3, 4), [refresh("Pending")], Wait, id="pending"),
        pytest.param(group(3, 4), [refresh("InProgress", percent=50)], Wait, id="under way"),
        pytest.param(group(4, 4), [refresh("Baking", percent=100)], Wait, id="baking"),
        pytest.param(group(3, 4), [refresh("RollbackInProgress")], Wait, id="rolling back"),
        pytest.param(group(3, 4), [refresh("Cancelling")], Wait, id="being cancelled"),
        pytest.param(group(3, 3), [refresh("InProgress", to=5)], GiveUp, id="someone else's"),
        pytest.param(
            group(3, 3), [refresh("InProgress", minutes_ago=31)], GiveUp, id="from before us"
        ),
        pytest.param(
            group(4, 4, saved=4),
            [refresh("Successful", ended_minutes_ago=0)],
            Done,
            id="successful, and everybody is there",
        ),
        pytest.param(
            group(4, 4, saved=3),
            [refresh("Successful", ended_minutes_ago=0.5)],
            Wait,
            id="successful, but the group's description lags behind",
        ),
        pytest.param(
            group(4, 3, saved=4),
            [refresh("Successful", ended_minutes_ago=0.5)],
            Wait,
            id="successful a moment ago, with a straggler",
        ),
        pytest.param(
            group(4, 3, saved=4),
            [refresh("Successful", ended_minutes_ago=2)],
            Start,
            id="successful, with a straggler",
        ),
        pytest.param(
            group(4, member(2, 3, "Standby"), saved=4),
            [refresh("Successful", ended_minutes_ago=2)],
            Done,
            id="an old instance in standby is left alone",
        ),
        pytest.param(
            group(4, 3, saved=4),
            [
                refresh("Successful", name=f"r-{number}", ended_minutes_ago=2)
                for number in (3, 2, 1)
            ],
            GiveUp,
            id="a straggler after three passes",
        ),
        pytest.param(group(3, 4), [refresh("Failed")], GiveUp, id="failed"),
        pytest.param(group(3, 3), [refresh("Cancelled")], GiveUp, id="somebody cancelled it"),
        pytest.param(group(3, 3), [refresh("RollbackSuccessful")], GiveUp, id="rolled back"),
        pytest.param(group(3, 4), [refresh("RollbackFailed")], GiveUp, id="not even rolled back"),
        pytest.param(
            group(3, 3), [refresh("Failed", minutes_ago=31)], Start, id="an older one failed"
        ),
        pytest.param(
            group(3, 3), [refresh("Failed", to=2)], Start, id="one to another version failed"
        ),
    ],
)
def test_decides(seen: Group, refreshes: list[Refresh], expected: type) -> None:
    assert isinstance(roll(seen, *refreshes), expected)


@pytest.mark.parametrize("status", ["Cancelling", "RollbackInProgress"])
def test_does_not_wait_for_ever_for_an_end(status: str) -> None:
    hour = 60
    waits = roll(group(3, 4), refresh(status, minutes_ago=28 * hour), progress=stuck(1))
    assert isinstance(waits, Wait)
    over = roll(group(3, 4), refresh(status, minutes_ago=28 * hour + 1), progress=stuck(1))
    assert isinstance(over, GiveUp)


@pytest.mark.parametrize(
    ("status", "progress", "preferences", "expected"),
    [
        pytest.param("InProgress", stuck(20), PREFERENCES, Wait, id="the warm-up comes on top"),
        pytest.param("InProgress", stuck(22), PREFERENCES, RollBack, id="no progress"),
        pytest.param("Pending", stuck(22), PREFERENCES, RollBack, id="stuck in pending"),
        pytest.param("Baking", stuck(22), PREFERENCES, Wait, id="baking is no stall"),
        pytest.param("RollbackInProgress", stuck(22), PREFERENCES, Wait, id="going back already"),
        pytest.param(
            "InProgress",
            stuck(22),
            replace(PREFERENCES, checkpoints=(20, 100)),
            Wait,
            id="paused at a checkpoint",
        ),
        pytest.param(
            "InProgress",
            stuck(82),
            replace(PREFERENCES, checkpoints=(20, 100)),
            RollBack,
            id="no progress after the pause",
        ),
        pytest.param(
            "InProgress",
            stuck(22, before=21),
            replace(PREFERENCES, checkpoints=(20, 100)),
            RollBack,
            id="no progress, and the checkpoint is long behind",
        ),
    ],
)
def test_a_stall(status: str, progress: Progress, preferences: Preferences, expected: type) -> None:
    seen = refresh(status, percent=25, remaining=3)
    decision = roll(group(3, 3, 3, 4), seen, progress=progress, preferences=preferences)
    assert isinstance(decision, expected)


def test_progress_ends_a_stall() -> None:
    for better in (refresh("InProgress", percent=50), refresh("InProgress", percent=25)):
        assert isinstance(roll(group(3, 3, 4, 4), better, progress=stuck(60)), Wait)


def test_gives_up_after_the_whole_time_even_with_progress() -> None:
    long = refresh("InProgress", percent=90, minutes_ago=241)
    decision = decide(
        group(3, 4),
        [long],
        replace(GOAL, began=NOON - timedelta(hours=5)),
        progress=Progress().seen([long], NOON),
        preferences=PREFERENCES,
        patience=PATIENCE,
        now=NOON,
    )
    assert isinstance(decision, RollBack)
    assert "longer than 240 minutes" in decision.reason


def test_the_first_pass_follows_the_owner_and_the_next_ones_touch_only_stragglers() -> None:
    assert roll(group(3, 3)) == Start(
        "Group web: 0 of 2 instances are on the wanted version; not yet: i-1, i-2; the group "
        "itself still launches another version.",
        again=False,
    )
    second = roll(group(3, 4, saved=4), refresh("Successful", ended_minutes_ago=2))
    assert isinstance(second, Start)
    assert second.again
    only_saved = roll(group(4, 4, saved=3))
    assert isinstance(only_saved, Start)
    assert only_saved.again


def test_a_refresh_of_ours_that_cannot_be_seen_yet_is_waited_for() -> None:
    just = Progress("r-9", since=NOON - timedelta(minutes=1))
    older = refresh("Successful", ended_minutes_ago=3)
    for others in ([], [older]):
        decision = roll(group(3, 4), *others, progress=just)
        assert isinstance(decision, Wait)
        assert (decision.refresh, decision.sweep) == ("r-9", "soon")
    lost = replace(just, since=NOON - timedelta(minutes=6))
    assert isinstance(roll(group(3, 4), progress=lost), GiveUp)


def test_the_reason_is_ours_when_the_rollback_was_ours() -> None:
    decision = roll(
        group(3, 3),
        refresh("RollbackSuccessful", reason="Cancelled by a user."),
        progress=replace(stuck(0), given_up="No progress for 22 minutes."),
    )
    assert decision == GiveUp("No progress for 22 minutes. Its end: RollbackSuccessful.")


def test_progress_travels_in_the_answer() -> None:
    for remembered in (Progress(), replace(stuck(3), given_up="too slow")):
        assert Progress.from_json(remembered.to_json()) == remembered
    assert Progress.from_json(None) == Progress()


worlds = st.builds(
    group,
    *[st.integers(2, 5)] * 3,
    saved=st.integers(2, 5),
)
refreshes = st.builds(
    refresh,
    st.sampled_from(ENDED),
    to=st.integers(3, 5),
    name=st.sampled_from(["r-1", "r-2", "r-3"]),
    percent=st.integers(0, 100),
    minutes_ago=st.integers(0, 300),
    ended_minutes_ago=st.integers(0, 300),
)
remembered = st.builds(
    Progress,
    refresh=st.sampled_from(["", "r-1", "r-2", "r-9"]),
    percent=st.integers(0, 100),
    remaining=st.none() | st.integers(0, 4),
    since=st.integers(0, 300).map(lambda minutes: NOON - timedelta(minutes=minutes)),
)


@given(
    seen=worlds,
    status=st.sampled_from(sorted(ACTIVE)),
    to=st.integers(3, 5),
    past=st.lists(refreshes, max_size=3),
    progress=remembered,
)
def test_never_starts_a_second_refresh(
    seen: Group, status: str, to: int, past: list[Refresh], progress: Progress
) -> None:
    active = refresh(status, to=to, name="r-4")
    assert not isinstance(roll(seen, active, *past, progress=progress), Start)


@given(seen=worlds, past=st.lists(refreshes, max_size=3), progress=remembered)
def test_two_observers_of_one_world_decide_the_same(
    seen: Group, past: list[Refresh], progress: Progress
) -> None:
    other = replace(seen, members=tuple(reversed(seen.members)))
    assert roll(seen, *past, progress=progress) == roll(other, *past, progress=progress)


@given(seen=worlds, past=st.lists(refreshes, max_size=3), progress=remembered)
def test_is_done_only_when_every_instance_is_there(
    seen: Group, past: list[Refresh], progress: Progress
) -> None:
    if isinstance(roll(seen, *past, progress=progress), Done):
        assert all(each.template and each.template.version == "4" for each in seen.members)
        assert seen.versions == {TEMPLATE: "4"}


def test_what_aws_has_no_event_for_is_looked_at_soon() -> None:
    lagging = roll(group(3, 4, saved=4), refresh("Successful", ended_minutes_ago=0.5))
    assert isinstance(lagging, Wait)
    assert (lagging.refresh, lagging.sweep) == ("", "soon")
    assert lagging.reason.endswith(" It may lag behind.")
    running = roll(group(3, 4), refresh("InProgress"))
    assert isinstance(running, Wait)
    assert (running.refresh, running.sweep) == ("r-1", "late")
    ending = roll(group(3, 4), refresh("RollbackInProgress"))
    assert isinstance(ending, Wait)
    assert (ending.refresh, ending.sweep) == ("r-1", "late")
    assert ending.reason.endswith("; waiting for its end.")


@pytest.mark.parametrize(("seconds", "lags"), [(59, True), (60, False)])
def test_the_description_may_lag_behind_for_a_minute(seconds: int, lags: bool) -> None:
    ended = refresh("Successful", ended_minutes_ago=seconds / 60)
    decision = roll(group(3, 4, saved=4), ended)
    assert isinstance(decision, Wait if lags else Start)


@pytest.mark.parametrize(("hours", "waits"), [(27.9, True), (28.1, False)])
def test_an_end_that_does_not_come_is_waited_for_a_day_after_all_patience(
    hours: float, waits: bool
) -> None:
    active = refresh("Cancelling", minutes_ago=hours * 60)
    goal = replace(GOAL, began=NOON - timedelta(hours=30))
    decision = decide(
        group(3, 4),
        [active],
        goal,
        progress=Progress().seen([active], NOON),
        preferences=PREFERENCES,
        patience=PATIENCE,
        now=NOON,
    )
    assert isinstance(decision, Wait if waits else GiveUp)


@pytest.mark.parametrize(("minutes", "waits"), [(21, True), (21.1, False)])
def test_the_warm_up_comes_on_top_of_what_a_stall_may_take(minutes: float, waits: bool) -> None:
    active = refresh("InProgress", percent=25, remaining=3, minutes_ago=25)
    decision = roll(group(3, 4), active, progress=stuck(minutes))
    assert isinstance(decision, Wait if waits else RollBack)


@pytest.mark.parametrize(("passes", "again"), [(2, True), (3, False)])
def test_three_passes_are_the_most(passes: int, again: bool) -> None:
    past = [
        refresh("Successful", name=f"r-{number}", ended_minutes_ago=5)
        for number in range(passes, 0, -1)
    ]
    decision = roll(group(3, 4, saved=4), *past)
    assert isinstance(decision, Start if again else GiveUp)
    if isinstance(decision, GiveUp):
        assert decision.reason.startswith("After 3 refreshes of group web: ")
