from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovenbird.core.groups import Group
from ovenbird.core.preferences import Preferences
from ovenbird.core.refreshes import ACTIVE, Refresh
from ovenbird.core.rolls import Done, GiveUp, RollBack, Wait
from ovenbird.core.undos import Cancel, Decision, StartBack, Way, decide, image_is_blamed
from tests.unit.fleets import BEGAN, NOON, TEMPLATE, group, member, refresh

WAY = Way({TEMPLATE: "4"}, {TEMPLATE: "3"}, BEGAN)
LONG_AGO = NOON - timedelta(minutes=5)


def undo(
    seen: Group,
    *refreshes: Refresh,
    way: Way = WAY,
    irreversible: bool = False,
    first_look: datetime = LONG_AGO,
) -> Decision:
    return decide(
        seen,
        refreshes,
        way,
        preferences=Preferences(100, 125, 60),
        irreversible=irreversible,
        first_look=first_look,
        now=NOON,
    )


def back(status: str, name: str = "b-1", ended_minutes_ago: float | None = None) -> Refresh:
    return refresh(status, to=3, name=name, minutes_ago=4, ended_minutes_ago=ended_minutes_ago)


@pytest.mark.parametrize(
    ("seen", "refreshes", "expected"),
    [
        pytest.param(group(3, 3), [], Done, id="never touched"),
        pytest.param(group(2, 3), [], Done, id="never touched, and mixed before"),
        pytest.param(
            group(2, 3), [refresh("InProgress", to=9)], Done, id="never touched, but by others"
        ),
        pytest.param(group(3, 4), [refresh("Pending")], RollBack, id="ours is pending"),
        pytest.param(group(3, 4), [refresh("InProgress")], RollBack, id="ours is under way"),
        pytest.param(group(4, 4), [refresh("Baking")], RollBack, id="ours is baking"),
        pytest.param(group(3, 4), [refresh("RollbackInProgress")], Wait, id="going back"),
        pytest.param(group(3, 4), [refresh("Cancelling")], Wait, id="being cancelled"),
        pytest.param(group(3, 4), [back("InProgress"), refresh("Failed")], Wait, id="on its way"),
        pytest.param(
            group(3, 4), [refresh("InProgress", to=9), refresh("Failed")], GiveUp, id="not ours"
        ),
        pytest.param(group(3, 3), [refresh("RollbackSuccessful")], Done, id="AWS went back"),
        pytest.param(
            group(3, 4),
            [refresh("RollbackSuccessful", ended_minutes_ago=0.5)],
            Wait,
            id="AWS went back, and the description lags behind",
        ),
        pytest.param(
            group(3, 4),
            [refresh("RollbackSuccessful", ended_minutes_ago=2)],
            StartBack,
            id="AWS went back, but not with everybody",
        ),
        pytest.param(group(3, 4), [refresh("Failed")], StartBack, id="failed half-way"),
        pytest.param(group(3, 4), [refresh("Cancelled")], StartBack, id="cancelled half-way"),
        pytest.param(group(3, 4), [refresh("RollbackFailed")], StartBack, id="rollback failed"),
        pytest.param(
            group(4, 4, saved=4), [refresh("Successful")], StartBack, id="failed after the roll"
        ),
        pytest.param(
            group(3, 3, saved=4), [refresh("Successful")], StartBack, id="the next one would be new"
        ),
        pytest.param(
            group(3, member(2, 4, "Standby")), [refresh("Failed")], Done, id="standby is left alone"
        ),
        pytest.param(
            group(3, 3), [back("Successful"), refresh("Failed")], Done, id="went back by a refresh"
        ),
        pytest.param(
            group(3, 4),
            [back("Successful", ended_minutes_ago=0.5), refresh("Failed")],
            Wait,
            id="went back a moment ago",
        ),
        pytest.param(
            group(3, 4), [back("Failed"), refresh("Failed")], StartBack, id="the way back failed"
        ),
        pytest.param(
            group(3, 4),
            [back("Failed", "b-3"), back("Failed", "b-2"), back("Failed"), refresh("Failed")],
            GiveUp,
            id="the way back failed three times",
        ),
    ],
)
def test_decides(seen: Group, refreshes: list[Refresh], expected: type) -> None:
    assert isinstance(undo(seen, *refreshes), expected)


@pytest.mark.parametrize(
    "active", [refresh("Cancelling"), refresh("RollbackInProgress"), back("InProgress")]
)
def test_does_not_wait_for_ever_for_an_end(active: Refresh) -> None:
    almost, over = NOON - timedelta(hours=24), NOON - timedelta(hours=24, minutes=1)
    assert isinstance(undo(group(3, 4), active, first_look=almost), Wait)
    assert isinstance(undo(group(3, 4), active, first_look=over), GiveUp)


def test_cancels_what_aws_cannot_roll_back() -> None:
    decision = undo(group(3, 4), refresh("InProgress"), irreversible=True)
    assert isinstance(decision, Cancel)
    assert decision.refresh == "r-1"


def test_waits_a_moment_for_a_refresh_that_cannot_be_seen_yet() -> None:
    assert isinstance(undo(group(3, 3), first_look=NOON), Wait)
    unpublished = Way({}, {TEMPLATE: "3"}, BEGAN)
    assert isinstance(undo(group(3, 3), way=unpublished, first_look=NOON), Done)


@pytest.mark.parametrize(
    ("error", "statuses", "irreversible", "expected"),
    [
        pytest.param("RollFailed", ["RollbackSuccessful"], False, True, id="rolled back"),
        pytest.param("RollFailed", ["Failed"], False, True, id="failed"),
        pytest.param("RollFailed", ["Cancelled"], True, True, id="stalled, cancelled by us"),
        pytest.param("RollFailed", ["Cancelled"], False, False, id="cancelled by a person"),
        pytest.param("RollFailed", ["Successful"], False, False, id="stragglers"),
        pytest.param("RollFailed", [], False, False, id="somebody else's refresh"),
        pytest.param("Stopped", ["RollbackSuccessful"], False, False, id="stopped by a person"),
        pytest.param("AddressFailed", ["Successful"], False, False, id="addresses"),
    ],
)
def test_blames_the_image_only_for_a_roll_that_broke_off(
    error: str, statuses: list[str], irreversible: bool, expected: bool
) -> None:
    forth = [refresh(status) for status in statuses]
    assert image_is_blamed("release", error, forth, irreversible=irreversible) is expected


def test_never_blames_the_image_of_a_roll_back() -> None:
    forth = [refresh("RollbackSuccessful")]
    assert not image_is_blamed("roll-back", "RollFailed", forth, irreversible=False)


worlds = st.builds(group, *[st.integers(2, 5)] * 3, saved=st.integers(2, 5))
ended = st.builds(
    refresh,
    st.sampled_from(["Successful", "Failed", "Cancelled", "RollbackSuccessful", "RollbackFailed"]),
    to=st.integers(3, 5),
    minutes_ago=st.integers(0, 60),
    ended_minutes_ago=st.integers(0, 60),
)


@given(
    seen=worlds,
    status=st.sampled_from(sorted(ACTIVE)),
    to=st.integers(3, 5),
    past=st.lists(ended, max_size=4),
)
def test_never_starts_a_second_refresh(
    seen: Group, status: str, to: int, past: list[Refresh]
) -> None:
    assert not isinstance(undo(seen, refresh(status, to=to, name="r-9"), *past), StartBack)


@given(seen=worlds, past=st.lists(ended, max_size=4))
def test_touches_no_group_that_the_rollout_did_not_touch(seen: Group, past: list[Refresh]) -> None:
    foreign = [each for each in past if each.versions == {TEMPLATE: "5"}]
    assert isinstance(undo(seen, *foreign), Done)
    assert isinstance(undo(seen, refresh("InProgress", to=5, name="r-9"), *foreign), Done)


def test_what_aws_has_no_event_for_is_looked_at_soon() -> None:
    unseen = undo(group(3, 3), first_look=NOON)
    assert unseen == Wait("Looking whether a refresh of this rollout appears.", sweep="soon")
    lagging = undo(group(3, 4), refresh("RollbackSuccessful", ended_minutes_ago=0.5))
    assert isinstance(lagging, Wait)
    assert (lagging.refresh, lagging.sweep) == ("", "soon")
    assert lagging.reason.endswith(" It may lag behind.")
    ending = undo(group(3, 4), refresh("RollbackInProgress"))
    assert isinstance(ending, Wait)
    assert (ending.refresh, ending.sweep) == ("r-1", "late")


@pytest.mark.parametrize(("seconds", "waits"), [(14, True), (15, False)])
def test_a_refresh_that_does_not_appear_is_looked_for_a_quarter_of_a_minute(
    seconds: int, waits: bool
) -> None:
    decision = undo(group(3, 3), first_look=NOON - timedelta(seconds=seconds))
    assert isinstance(decision, Wait if waits else Done)


@pytest.mark.parametrize(
    ("last", "seconds", "lags"),
    [
        pytest.param("RollbackSuccessful", 59, True, id="AWS went back a moment ago"),
        pytest.param("RollbackSuccessful", 60, False, id="a minute ago"),
        pytest.param("Failed", 10, False, id="it did not go back"),
    ],
)
def test_the_description_may_lag_behind_for_a_minute(last: str, seconds: int, lags: bool) -> None:
    decision = undo(group(3, 4), refresh(last, ended_minutes_ago=seconds / 60))
    assert isinstance(decision, Wait if lags else StartBack)


@pytest.mark.parametrize(("status", "lags"), [("Successful", True), ("Failed", False)])
def test_our_own_way_back_may_lag_behind_too(status: str, lags: bool) -> None:
    decision = undo(group(3, 4), back(status, ended_minutes_ago=0.5), refresh("Cancelled"))
    assert isinstance(decision, Wait if lags else StartBack)


@pytest.mark.parametrize(("passes", "again"), [(2, True), (3, False)])
def test_three_ways_back_are_the_most(passes: int, again: bool) -> None:
    tried = [back("Failed", f"b-{number}", ended_minutes_ago=3) for number in range(passes)]
    decision = undo(group(3, 4), *tried, refresh("Failed"))
    assert isinstance(decision, StartBack if again else GiveUp)
    if isinstance(decision, GiveUp):
        assert decision.reason.startswith("Group web is not back after 3 refreshes: ")


def test_what_is_done_is_said() -> None:
    active = refresh("InProgress", percent=25)
    assert undo(group(3, 4), active) == RollBack(f"{active}; it is rolled back.", "r-1")
    assert undo(group(3, 4), active, irreversible=True) == Cancel(
        f"{active}; AWS cannot roll it back, so it is cancelled.", "r-1"
    )
    theirs = refresh("InProgress", to=9)
    assert undo(group(3, 4), theirs, refresh("Failed")) == GiveUp(
        f"Somebody else is refreshing group web, so it cannot be brought back: {theirs}."
    )
    assert undo(group(3, 3)) == Done("Group web was not touched.")
