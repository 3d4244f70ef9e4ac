"""Looks that come too fast are paid for with time, and those of a long wait grow apart."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovenbird.core import looks
from ovenbird.core.looks import Again, Looks, Part, Sweep, TooMany
from ovenbird.ledger import lanes

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
PARTS: list[Part] = ["plan", "bake", "roll", "addresses", "undo"]
HISTORY = 25_000
OF_A_LOOK = 15  # the most events: step, question, wait (and a rest has fewer than the wait)
OUTAGE = timedelta(hours=1)  # of Lambda, for which a rollout keeps its lane


def follow(
    part: Part, sweep: Sweep, comes: Callable[[Again], timedelta], most: int = 2000
) -> tuple[list[Again], timedelta]:
    """The looks of a wait whose every next look comes as ``comes`` says; how long they lasted."""
    seen: list[Again] = []
    known, now = Looks(), NOON
    while len(seen) < most:
        again = looks.again(known, part, "bell", sweep, now)
        if isinstance(again, TooMany):
            break
        seen.append(again)
        known = Looks(again.count, again.paid, ("bell", sweep), again.since)
        now += comes(again)
    return seen, now - NOON


def undisturbed(again: Again) -> timedelta:
    return again.rest or again.after


def rung_every_second(again: Again) -> timedelta:
    return max(again.rest, SECOND)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(
    ("sweep", "least"),
    [
        pytest.param("soon", timedelta(minutes=40), id="no event of AWS tells of it"),
        pytest.param("late", timedelta(days=7), id="an event was lost"),
    ],
)
def test_a_wait_that_nobody_disturbs_never_rests(
    part: Part, sweep: Sweep, least: timedelta
) -> None:
    seen, lasted = follow(part, sweep, undisturbed)
    assert lasted > least
    assert not any(again.rest for again in seen[:100])
    if sweep == "late":
        assert not any(again.rest for again in seen)


def test_a_queue_may_wait_for_a_year() -> None:
    """As long as an execution may last."""
    _, lasted = follow("plan", "late", undisturbed)
    assert lasted > timedelta(days=365)


@pytest.mark.parametrize("part", PARTS)
def test_the_first_ones_are_free(part: Part) -> None:
    seen, _ = follow(part, "soon", lambda _: timedelta())
    assert [again.rest > timedelta() for again in seen[: looks.FREE + 2]] == (
        [False] * looks.FREE + [True] * 2
    )


def test_a_ring_a_second_for_an_hour_is_no_three_hundred_looks() -> None:
    seen, lasted = follow("bake", "late", rung_every_second)
    assert len(seen) == looks.MOST
    assert lasted > timedelta(hours=12)
    clock, within = timedelta(), 0
    for again in seen:
        within += clock < timedelta(hours=1)
        clock += rung_every_second(again)
    assert within < 180


def test_after_a_minute_of_quiet_a_ring_is_heard_at_once_again() -> None:
    seen, _ = follow("bake", "late", rung_every_second, most=looks.FREE + 5)
    last = seen[-1]
    known = Looks(last.count, last.paid, ("bell", "late"), last.since)
    later = NOON + looks.FREE * SECOND + 5 * looks.PACE + timedelta(minutes=1)
    again = looks.again(known, "bake", "bell", "late", later)
    assert isinstance(again, Again)
    assert again.rest == timedelta()


def test_a_history_has_room_for_every_look_of_every_step() -> None:
    assert looks.MOST * len(PARTS) * OF_A_LOOK < HISTORY * 0.92


@pytest.mark.parametrize("part", PARTS)
def test_the_lane_is_kept_through_an_hour_without_functions(part: Part) -> None:
    """Who waits in the queue has no lane that could be lost."""
    if part == "plan":
        return
    for sweep in ("soon", "late"):
        seen, _ = follow(part, sweep, undisturbed)
        assert max(again.after + again.rest for again in seen) + OUTAGE < lanes.LEASE


@pytest.mark.parametrize(
    ("part", "sweep", "age", "after"),
    [
        ("plan", "late", timedelta(), timedelta(hours=1)),
        ("plan", "late", timedelta(days=2), timedelta(hours=2)),
        ("plan", "late", timedelta(days=60), timedelta(days=2)),
        ("bake", "soon", timedelta(), timedelta(seconds=15)),
        ("bake", "soon", timedelta(minutes=12), timedelta(seconds=30)),
        ("bake", "soon", timedelta(hours=3), timedelta(minutes=1)),
        ("bake", "late", timedelta(), timedelta(minutes=5)),
        ("roll", "late", timedelta(), timedelta(minutes=10)),
        ("roll", "late", timedelta(hours=12), timedelta(minutes=30)),
        ("roll", "late", timedelta(days=5), timedelta(hours=1)),
        ("addresses", "late", timedelta(), timedelta(minutes=5)),
        ("undo", "late", timedelta(hours=4), timedelta(minutes=10)),
    ],
)
def test_the_looks_of_a_long_wait_grow_apart(
    part: Part, sweep: Sweep, age: timedelta, after: timedelta
) -> None:
    known = Looks(3, NOON, ("bell", sweep), NOON)
    again = looks.again(known, part, "bell", sweep, NOON + age)
    assert isinstance(again, Again)
    assert again.after == after


@pytest.mark.parametrize(
    ("doorbell", "sweep"), [pytest.param("other", "late"), pytest.param("bell", "soon")]
)
def test_another_thing_is_waited_for_anew(doorbell: str, sweep: Sweep) -> None:
    later = NOON + timedelta(hours=9)
    known = Looks(3, NOON, ("bell", "late"), NOON)
    again = looks.again(known, "roll", doorbell, sweep, later)
    assert isinstance(again, Again)
    assert (again.count, again.since) == (4, later)


def test_the_last_look_is_the_three_hundredth() -> None:
    known = Looks(looks.MOST - 1, NOON, ("bell", "late"), NOON)
    assert isinstance(looks.again(known, "roll", "bell", "late", NOON), Again)
    known = Looks(looks.MOST, NOON, ("bell", "late"), NOON)
    enough = looks.again(known, "roll", "bell", "late", NOON)
    assert isinstance(enough, TooMany)
    assert "300 times" in enough.reason


@pytest.mark.parametrize(
    ("count", "cost"),
    [(1, 15), (124, 15), (125, 30), (150, 60), (200, 240), (225, 480), (250, 600), (10**9, 600)],
)
def test_what_a_look_costs(count: int, cost: int) -> None:
    assert looks.pace(count) == cost * SECOND


@settings(max_examples=200, deadline=None)
@given(
    st.integers(0, 10**6),
    st.datetimes(timezones=st.just(UTC)),
    st.datetimes(timezones=st.just(UTC)),
    st.sampled_from(PARTS),
)
def test_whatever_the_state_says_the_answer_is_one_that_the_machine_can_read(
    count: int, paid: datetime, since: datetime, part: Part
) -> None:
    written = {"pace": {"looks": count, "paid": paid.isoformat(), "since": since.isoformat()}}
    again = looks.again(Looks.from_json(written), part, "bell", "late", NOON)
    if isinstance(again, Again):
        assert timedelta() <= again.rest <= looks.LONGEST_REST
        assert looks.SOON <= again.after <= looks.LONGEST_IN_QUEUE
