"""The ledger against a DynamoDB that nobody here wrote."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from ovenbird.errors import LaneLost, NotFound, Stopped
from ovenbird.ledger import claims, doorbells, lanes, rollouts, table
from ovenbird.ledger.lanes import Held, Queued, Stopping, Superseded, Taken
from tests.unit import ledger

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _empty_ledger() -> Iterator[None]:
    with ledger.empty():
        yield


def at(minutes: int) -> str:
    return (NOON + timedelta(minutes=minutes)).isoformat()


def test_an_item_keeps_texts_numbers_lists_and_maps() -> None:
    item = {"text": "a", "number": 7, "list": ["a", {"b": 1}], "empty": []}
    table.update("x", "SET #item = :item", {"item": item})
    assert table.get("x") == {"pk": "x", "item": item}


def test_a_table_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OVENBIRD_TABLE", "another")
    with pytest.raises(NotFound, match="lane#web"):
        lanes.read("web")


class TestDoorbells:
    def test_whoever_rings_again_after_a_death_can_still_wake_whoever_waits(self) -> None:
        assert doorbells.read("ami-1") == 0
        assert doorbells.ring("ami-1") is None
        table.update("doorbell#ami-1", "SET #token = :token", {"token": "t"})
        assert doorbells.ring("ami-1") == "t"
        assert doorbells.ring("ami-1") == "t"
        assert doorbells.read("ami-1") == 3

    def test_a_ring_between_look_and_wait_is_not_lost(self) -> None:
        seen = doorbells.read("ami-1")
        doorbells.ring("ami-1")
        waiting = table.update(
            "doorbell#ami-1",
            "SET #token = :token",
            {"token": "t", "seen": seen},
            condition="#rings = :seen",
        )
        assert isinstance(waiting, table.Unmet)

    def test_a_doorbell_that_nobody_reads_does_not_exist(self) -> None:
        assert doorbells.ring("i-stranger") is None
        assert table.get("doorbell#i-stranger") is None


class TestClaims:
    def test_one_claim_at_a_time_and_it_ends_by_itself(self) -> None:
        assert claims.claim("eipalloc-1", "i-1", NOON)
        assert claims.claim("eipalloc-1", "i-1", NOON)
        assert not claims.claim("eipalloc-1", "i-2", NOON + timedelta(seconds=59))
        assert claims.claim("eipalloc-1", "i-2", NOON + timedelta(seconds=61))

    def test_only_the_claimant_frees_it(self) -> None:
        claims.claim("eipalloc-1", "i-1", NOON)
        claims.free("eipalloc-1", "i-2")
        assert not claims.claim("eipalloc-1", "i-2", NOON)
        claims.free("eipalloc-1", "i-1")
        assert claims.claim("eipalloc-1", "i-2", NOON)


class TestLanes:
    def test_the_holder_gets_the_same_fence_again(self) -> None:
        assert lanes.take("web", "web-1", NOON, at=at(0)) == Taken(1)
        assert lanes.take("web", "web-1", NOON, at=at(0)) == Taken(1)
        assert lanes.take("web", "web-2", NOON, at=at(1)) == Held("web-1", "", "")

    def test_an_expired_lease_is_over_for_others_but_not_for_its_holder(self) -> None:
        later = NOON + lanes.LEASE + timedelta(seconds=1)
        lanes.take("web", "web-1", NOON, at=at(0))
        assert lanes.take("web", "web-1", later, at=at(0)) == Taken(1)
        assert isinstance(lanes.take("web", "web-2", later, at=at(1)), Held)
        assert lanes.take("web", "web-2", later + lanes.LEASE * 2, at=at(1)) == Taken(2)
        with pytest.raises(LaneLost, match="rollout web-2"):
            lanes.check("web", "web-1", 1)

    def test_who_begins_to_wait_keeps_its_lane_for_a_whole_lease(self) -> None:
        lanes.take("web", "web-1", NOON, at=at(0))
        late = NOON + timedelta(minutes=20)
        lanes.renew("web", "web-1", 1, late, doorbell="ami-1")
        last = late + lanes.LEASE - timedelta(seconds=1)
        assert isinstance(lanes.take("web", "web-2", last, at=at(1)), Held)

    def test_who_finds_little_left_of_its_lease_prolongs_it(self) -> None:
        late = NOON + lanes.LEASE - timedelta(minutes=2)
        lanes.take("web", "web-1", NOON, at=at(0))
        lanes.hold("web", "web-1", 1, late)
        later = late + timedelta(minutes=20)
        assert isinstance(lanes.take("web", "web-2", later, at=at(1)), Held)
        lanes.request_stop("web", "web-1", "somebody", "why", at(5))
        with pytest.raises(Stopped):
            lanes.hold("web", "web-1", 1, later + timedelta(minutes=20))  # an undo goes on
        later += timedelta(minutes=40)
        assert isinstance(lanes.take("web", "web-3", later, at=at(6)), Held)

    def test_who_has_lost_the_lane_prolongs_nothing(self) -> None:
        lanes.take("web", "web-1", NOON, at=at(0))
        much_later = NOON + 2 * lanes.LEASE
        with pytest.raises(LaneLost):
            lanes.hold("web", "web-1", 9, much_later)
        assert lanes.take("web", "web-2", much_later, at=at(1)) == Taken(2)

    def test_the_newest_release_wins_the_queue(self) -> None:
        lanes.take("web", "web-1", NOON, at=at(0))
        assert lanes.queue("web", "web-3", at(3), "web-1 is rolling") == Queued()
        assert lanes.queue("web", "web-3", at(3), "web-1 is rolling") == Queued()
        assert lanes.queue("web", "web-2", at(2), "web-1 is rolling") == Superseded("web-3")
        assert lanes.queue("web", "web-4", at(3), "web-1 is rolling") == Queued("web-3")
        assert lanes.release("web", "web-1", 1) == "web-4"
        assert lanes.release("web", "web-1", 1) == "web-4"
        assert lanes.take("web", "web-2", NOON, at=at(2)) == Held("", "", "web-4")
        assert lanes.take("web", "web-4", NOON, at=at(3)) == Taken(2)
        assert lanes.release("web", "web-4", 2) is None

    def test_a_release_older_than_the_one_that_rolls_is_superseded(self) -> None:
        lanes.take("web", "web-2", NOON, at=at(2))
        assert lanes.queue("web", "web-1", at(1), "late") == Superseded("web-2")

    def test_a_newer_release_that_finds_the_lane_free_displaces_the_waiting_one(self) -> None:
        lanes.queue("web", "web-1", at(1), "paused: freeze")
        assert lanes.take("web", "web-2", NOON, at=at(2)) == Taken(1, displaced="web-1")
        assert lanes.read("web").queued == ""

    def test_leaving_the_queue(self) -> None:
        lanes.queue("web", "web-1", at(1), "paused: freeze")
        lanes.unqueue("web", "web-9")
        assert lanes.read("web").queued_reason == "paused: freeze"
        lanes.unqueue("web", "web-1")
        assert lanes.read("web") == lanes.Lane()

    def test_a_dead_holder_is_replaced_only_if_it_still_holds(self) -> None:
        lanes.take("web", "web-1", NOON, at=at(0))
        assert lanes.seize("web", "web-2", "web-0", NOON, at=at(1)) == Held("web-1", "", "")
        assert lanes.seize("web", "web-2", "web-1", NOON, at=at(1)) == Taken(2)
        with pytest.raises(LaneLost):
            lanes.renew("web", "web-1", 1, NOON)

    def test_a_stop_reaches_the_holder_at_its_next_step_and_forgets_the_queue(self) -> None:
        lanes.take("web", "web-1", NOON, at=at(0))
        lanes.renew("web", "web-1", 1, NOON, doorbell="ami-1")
        lanes.queue("web", "web-2", at(1), "web-1 is rolling")
        stopping = Stopping("ami-1", displaced="web-2")
        assert lanes.request_stop("web", "web-1", "roll-back by hand", "5xx", at(5)) == stopping
        with pytest.raises(Stopped, match="roll-back by hand stopped the rollout: 5xx"):
            lanes.check("web", "web-1", 1)
        with pytest.raises(Stopped):
            lanes.renew("web", "web-1", 1, NOON + timedelta(hours=1), doorbell="refresh-1")
        assert lanes.read("web").doorbell == "refresh-1"  # renewed all the same, for the undoing
        assert lanes.queue("web", "web-2", at(1), "again") == Superseded("a stop by hand")
        assert lanes.request_stop("web", "web-0", "somebody", "", at(5)) is None
        lanes.release("web", "web-1", 1)
        assert lanes.take("web", "web-2", NOON, at=at(1)) == Held("", "", "")
        assert lanes.take("web", "web-3", NOON, at=at(6)) == Taken(2)
        lanes.check("web", "web-3", 2)

    def test_a_lane_that_others_hold_is_not_given_back(self) -> None:
        lanes.take("web", "web-1", NOON, at=at(0))
        assert lanes.release("web", "web-0", 1) is None
        assert lanes.release("web", "web-1", 9) is None
        lanes.check("web", "web-1", 1)

    def test_an_unknown_fleet_has_no_holder(self) -> None:
        with pytest.raises(LaneLost):
            lanes.check("web", "web-1", 1)
        assert lanes.release("web", "web-1", 1) is None


class TestRollouts:
    def test_the_first_end_stays(self) -> None:
        began = rollouts.begin(
            "web-1", fleet="web", action="release", release={"id": "x"}, plan={"a": 1.5}, now=NOON
        )
        later = NOON + timedelta(minutes=9)
        again = rollouts.begin(
            "web-1", fleet="web", action="release", release={"id": "x"}, plan={}, now=later
        )
        assert began == again == NOON.isoformat()
        rollouts.end("web-1", fleet="web", result="released", reason="done", now=later)
        rollouts.end("web-1", fleet="web", result="RollFailed", reason="late", now=later)
        rollouts.notified("web-1", later)
        seen = rollouts.read("web-1")
        assert seen == rollouts.Rollout(
            "web-1",
            "web",
            "release",
            NOON.isoformat(),
            "released",
            "done",
            later.isoformat(),
            later.isoformat(),
        )
        assert [past["result"] for past in rollouts.past("web").history] == ["released"]

    def test_nothing_is_known_of_a_stranger(self) -> None:
        assert rollouts.read("web-1") is None
        assert rollouts.past("web") == rollouts.Past()

    def test_history_keeps_the_last_fifty(self) -> None:
        for number in range(53):
            rollouts.end(f"web-{number}", fleet="web", result="released", reason="", now=NOON)
        history = rollouts.past("web").history
        assert (len(history), history[0]["rollout"]) == (50, "web-3")

    @pytest.mark.parametrize(
        ("turns", "images"),
        [
            pytest.param([("release", "1", "2")], ("1", "2"), id="the first one keeps what was"),
            pytest.param([("release", "1", "2")] * 2, ("1", "2"), id="the same again"),
            pytest.param(
                [("release", "1", "2"), ("release", "2", "3")], ("1", "2", "3"), id="a second"
            ),
            pytest.param(
                [("release", "1", "2"), ("release", "9", "3")],
                ("1", "2", "9", "3"),
                id="others changed the fleet in between",
            ),
            pytest.param(
                [("release", "1", "2"), ("release", "2", "3"), ("roll-back", "3", "2")],
                ("1", "2"),
                id="one back",
            ),
            pytest.param(
                [("release", "1", "2"), ("release", "2", "3"), ("roll-back", "3", "1")],
                ("1",),
                id="two back",
            ),
            pytest.param(
                [("release", "1", "2"), ("roll-back", "2", "7")],
                ("1", "2", "7"),
                id="back to an image from elsewhere",
            ),
            pytest.param(
                [("release", "1", "2"), *[("roll-back", "2", "1")] * 2], ("1",), id="back twice"
            ),
        ],
    )
    def test_the_stack_of_images(
        self, turns: list[tuple[str, str, str]], images: tuple[str, ...]
    ) -> None:
        for action, before, image in turns:
            rollouts.settled("web", action=action, before=before, image=image, at=at(0))
        assert rollouts.past("web").images == images

    def test_released_at_never_goes_back(self) -> None:
        rollouts.settled("web", action="release", before="1", image="2", at=at(5))
        rollouts.settled("web", action="release", before="2", image="3", at=at(1))
        assert rollouts.past("web").released_at == at(5)
