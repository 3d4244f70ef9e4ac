"""The ledger against a DynamoDB that nobody here wrote."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ovenbird.core import seals
from ovenbird.core.seals import Claim, Sealing
from ovenbird.errors import BadEvent, LaneLost, NotFound, Stopped, Unavailable
from ovenbird.ledger import claims, doorbells, lanes, orders, rollouts, table
from ovenbird.ledger.lanes import Held, Queued, Stopping, Superseded, Taken
from ovenbird.ledger.rollouts import Death
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
        assert lanes.take("web", "web-1", NOON, order=at(0)) == Taken(1)
        assert lanes.take("web", "web-1", NOON, order=at(0)) == Taken(1)
        assert lanes.take("web", "web-2", NOON, order=at(1)) == Held("web-1", "", "")

    def test_an_expired_lease_is_over_for_others_but_not_for_its_holder(self) -> None:
        later = NOON + lanes.LEASE + timedelta(seconds=1)
        lanes.take("web", "web-1", NOON, order=at(0))
        assert lanes.take("web", "web-1", later, order=at(0)) == Taken(1)
        assert isinstance(lanes.take("web", "web-2", later, order=at(1)), Held)
        much_later = later + lanes.LEASE * 2
        held = lanes.take("web", "web-2", much_later, order=at(1))
        assert held == Held("web-1", "", "", expired=True)
        assert isinstance(lanes.overtake("web", "web-2", later, order=at(1)), Held)
        assert lanes.overtake("web", "web-2", much_later, order=at(1)) == Taken(2)
        with pytest.raises(LaneLost, match="rollout web-2"):
            lanes.check(Claim("web", "web-1", 1))

    def test_who_begins_to_wait_keeps_its_lane_for_a_whole_lease(self) -> None:
        lanes.take("web", "web-1", NOON, order=at(0))
        late = NOON + timedelta(minutes=20)
        lanes.renew(Claim("web", "web-1", 1), late, doorbell="ami-1")
        last = late + lanes.LEASE - timedelta(seconds=1)
        assert isinstance(lanes.take("web", "web-2", last, order=at(1)), Held)

    def test_who_finds_little_left_of_its_lease_prolongs_it(self) -> None:
        late = NOON + lanes.LEASE - timedelta(minutes=2)
        lanes.take("web", "web-1", NOON, order=at(0))
        lanes.hold(Claim("web", "web-1", 1), late)
        later = late + timedelta(minutes=20)
        assert isinstance(lanes.take("web", "web-2", later, order=at(1)), Held)
        lanes.request_stop("web", "web-1", "somebody", "why", at(5))
        with pytest.raises(Stopped):
            lanes.hold(Claim("web", "web-1", 1), later + timedelta(minutes=20))  # an undo goes on
        later += timedelta(minutes=40)
        assert isinstance(lanes.take("web", "web-3", later, order=at(6)), Held)

    def test_who_has_lost_the_lane_prolongs_nothing(self) -> None:
        lanes.take("web", "web-1", NOON, order=at(0))
        much_later = NOON + 2 * lanes.LEASE
        with pytest.raises(LaneLost):
            lanes.hold(Claim("web", "web-1", 9), much_later)
        assert lanes.overtake("web", "web-2", much_later, order=at(1)) == Taken(2)

    def test_the_newest_release_wins_the_queue(self) -> None:
        lanes.take("web", "web-1", NOON, order=at(0))
        assert lanes.queue("web", "web-3", at(3), "web-1 is rolling") == Queued()
        assert lanes.queue("web", "web-3", at(3), "web-1 is rolling") == Queued()
        assert lanes.queue("web", "web-2", at(2), "web-1 is rolling") == Superseded("web-3")
        assert lanes.queue("web", "web-4", at(4), "web-1 is rolling") == Queued("web-3")
        assert lanes.release("web", "web-1", 1) == "web-4"
        assert lanes.release("web", "web-1", 1) == "web-4"
        assert lanes.take("web", "web-2", NOON, order=at(2)) == Held("", "", "web-4")
        assert lanes.take("web", "web-4", NOON, order=at(4)) == Taken(2)
        assert lanes.release("web", "web-4", 2) is None

    def test_a_release_older_than_the_one_that_rolls_is_superseded(self) -> None:
        lanes.take("web", "web-2", NOON, order=at(2))
        assert lanes.queue("web", "web-1", at(1), "late") == Superseded("web-2")

    def test_a_newer_release_that_finds_the_lane_free_displaces_the_waiting_one(self) -> None:
        lanes.queue("web", "web-1", at(1), "paused: freeze")
        assert lanes.take("web", "web-2", NOON, order=at(2)) == Taken(1, displaced="web-1")
        assert lanes.read("web").queued == ""

    def test_leaving_the_queue(self) -> None:
        lanes.queue("web", "web-1", at(1), "paused: freeze")
        lanes.unqueue("web", "web-9")
        assert lanes.read("web").queued_reason == "paused: freeze"
        lanes.unqueue("web", "web-1")
        assert lanes.read("web") == lanes.Lane()

    def test_a_dead_holder_is_replaced_only_if_it_still_holds(self) -> None:
        lanes.take("web", "web-1", NOON, order=at(0))
        assert lanes.seize("web", "web-2", "web-0", NOON, order=at(1)) == Held("web-1", "", "")
        assert lanes.seize("web", "web-2", "web-1", NOON, order=at(1)) == Taken(2)
        with pytest.raises(LaneLost):
            lanes.renew(Claim("web", "web-1", 1), NOON)

    def test_a_dead_holder_hands_its_lane_over_with_all_that_it_has(self) -> None:
        claim = taken()
        lanes.seal(claim, Sealing("version", "a", "b"), version={"image": "ami-1"})
        lanes.renew(claim, NOON, doorbell="refresh-1")
        lanes.queue("web", "web-2", at(1), "web-1 is rolling")
        late = NOON + 2 * lanes.LEASE
        for _ in range(2):
            lanes.hand_over("web", "web-1", "web-1_undo", late)
        lane = lanes.read("web")
        assert (lane.holder, lane.fence, lane.queued) == ("web-1_undo", 2, "web-2")
        assert (lane.version, lane.doorbell) == ({"image": "ami-1"}, "")
        assert lane.until == int((late + lanes.LEASE).timestamp())
        with pytest.raises(LaneLost):
            lanes.check(claim)
        lanes.check(Claim("web", "web-1", 2, holder="web-1_undo"))
        lanes.hand_over("web", "web-9", "web-9_undo", late)
        assert lanes.read("web").holder == "web-1_undo"

    def test_a_stop_reaches_the_holder_at_its_next_step_and_forgets_the_queue(self) -> None:
        lanes.take("web", "web-1", NOON, order=at(0))
        lanes.renew(Claim("web", "web-1", 1), NOON, doorbell="ami-1")
        lanes.queue("web", "web-2", at(1), "web-1 is rolling")
        stopping = Stopping("ami-1", displaced="web-2")
        assert lanes.request_stop("web", "web-1", "roll-back by hand", "5xx", at(5)) == stopping
        with pytest.raises(Stopped, match="roll-back by hand stopped the rollout:\n5xx"):
            lanes.check(Claim("web", "web-1", 1))
        with pytest.raises(Stopped):
            lanes.renew(Claim("web", "web-1", 1), NOON + timedelta(hours=1), doorbell="refresh-1")
        assert lanes.read("web").doorbell == "refresh-1"  # renewed all the same, for the undoing
        assert lanes.queue("web", "web-2", at(1), "again") == Superseded("a stop by hand")
        assert lanes.request_stop("web", "web-0", "somebody", "", at(5)) is None
        lanes.release("web", "web-1", 1)
        assert lanes.take("web", "web-2", NOON, order=at(1)) == Held("", "", "")
        assert lanes.take("web", "web-3", NOON, order=at(6)) == Taken(2)
        lanes.check(Claim("web", "web-3", 2))

    def test_a_lane_that_others_hold_is_not_given_back(self) -> None:
        lanes.take("web", "web-1", NOON, order=at(0))
        assert lanes.release("web", "web-0", 1) is None
        assert lanes.release("web", "web-1", 9) is None
        lanes.check(Claim("web", "web-1", 1))

    def test_an_unknown_fleet_has_no_holder(self) -> None:
        with pytest.raises(LaneLost):
            lanes.check(Claim("web", "web-1", 1))
        assert lanes.release("web", "web-1", 1) is None

    def test_a_state_that_no_step_has_answered_is_refused(self) -> None:
        claim = taken()
        lanes.seal(claim, seals.sealing(STATE, "bake", {"image": "ami-1"}))
        lanes.check(claim_of({"bake": {"image": "ami-1"}}))
        lanes.check(claim_of({}))  # killed after its seal, the step is repeated with what it had
        with pytest.raises(BadEvent, match="bake is not what the steps of rollout web-1 have"):
            lanes.check(claim_of({"bake": {"image": "ami-2"}}))
        with pytest.raises(BadEvent, match="bake is not"):
            lanes.hold(claim_of({"bake": {"image": "ami-2"}}), NOON)

    def test_a_part_that_nobody_has_answered_yet_is_refused(self) -> None:
        taken()
        lanes.check(claim_of({}))
        with pytest.raises(BadEvent, match="bake"):
            lanes.check(claim_of({"bake": {}}))

    def test_every_holder_begins_without_seals(self) -> None:
        lanes.seal(taken(), seals.sealing(STATE, "bake", {"image": "ami-1"}))
        lanes.release("web", "web-1", 1)
        taken(fence=2)
        with pytest.raises(BadEvent, match="bake"):
            lanes.check(claim_of({"bake": {"image": "ami-1"}}, fence=2))

    def test_the_answers_of_two_attempts_with_one_state_are_both_good(self) -> None:
        claim = taken()
        for image in ("ami-1", "ami-2"):  # neither has seen what the other sealed
            lanes.seal(claim, seals.sealing(STATE, "bake", {"image": image}))
        for image in ("ami-1", "ami-2"):
            lanes.check(claim_of({"bake": {"image": image}}))

    def test_an_attempt_that_was_given_up_seals_nothing_any_more(self) -> None:
        claim = taken()
        lanes.seal(claim, Sealing("bake", seals.NOTHING, "a"))
        lanes.seal(lanes.check(claim), Sealing("bake", "a", "b"))
        with pytest.raises(Unavailable, match="gone on without this attempt of web-1"):
            lanes.seal(claim, Sealing("bake", "long ago", "c"))
        assert lanes.read("web").seals == {"bake": ("a", "b")}

    def test_a_seal_whose_answer_was_lost_is_there(self) -> None:
        claim = taken()
        for _ in range(2):
            lanes.seal(claim, Sealing("bake", "a", "b"), version={"image": "ami-1"})
        assert lanes.read("web").seals == {"bake": ("a", "b")}
        assert lanes.read("web").version == {"image": "ami-1"}

    def test_who_begins_to_wait_seals_what_it_answers(self) -> None:
        lanes.renew(taken(), NOON, doorbell="ami-1", sealing=Sealing("roll", "a", "b"))
        assert lanes.read("web").seals == {"roll": ("a", "b")}
        assert lanes.read("web").doorbell == "ami-1"

    def test_nothing_is_sealed_in_a_lane_that_others_hold(self) -> None:
        claim = taken()
        lanes.seize("web", "web-2", "web-1", NOON, order=at(1))
        with pytest.raises(LaneLost):
            lanes.seal(claim, Sealing("bake", "a", "b"))
        assert lanes.read("web").seals == {}

    def test_who_takes_its_lane_again_is_told_what_it_has_sealed(self) -> None:
        lanes.seal(taken(), Sealing("plan", "a", "b"))
        again = lanes.take("web", "web-1", NOON, order=at(0))
        assert isinstance(again, Taken)
        assert (again.fence, again.sealed) == (1, {"plan": ("a", "b")})

    def test_a_stop_is_told_to_who_takes_its_lane_again(self) -> None:
        taken()
        lanes.request_stop("web", "web-1", "somebody", "why", at(5))
        with pytest.raises(Stopped):
            lanes.take("web", "web-1", NOON, order=at(0))

    def test_keeping_the_lane_for_a_turn(self) -> None:
        claim, late = taken(), NOON + lanes.LEASE - timedelta(minutes=1)
        lanes.keep(claim, lanes.read("web"), NOON)
        assert lanes.read("web").until == int((NOON + lanes.LEASE).timestamp())
        lanes.keep(claim, lanes.read("web"), late)
        assert lanes.read("web").until == int((late + lanes.LEASE).timestamp())
        with pytest.raises(LaneLost):
            lanes.keep(Claim("web", "web-1", 9), lanes.Lane(), late)


STATE = {"rollout": "web-1", "fleet": "web"}


def claim_of(state: dict[str, Any], fence: int = 1) -> Claim:
    return Claim("web", "web-1", fence, carried={"bake": seals.carried(state, "bake")})


def taken(fence: int = 1) -> Claim:
    assert lanes.take("web", "web-1", NOON, order=at(0)) == Taken(fence)
    return Claim("web", "web-1", fence)


class TestRollouts:
    def test_the_execution_that_came_first_runs_it(self) -> None:
        assert rollouts.enter("web-1", asked="a", execution="noon") is None
        assert table.get("rollout#web-1") is None
        orders.accept("web-1", fleet="web", order="1", asked="a", wish={"fleet": "web"})
        first = rollouts.enter("web-1", asked="a", execution="noon")
        assert first is not None
        assert (first.fleet, first.execution, first.wish) == ("web", "noon", {"fleet": "web"})
        assert rollouts.enter("web-1", asked="a", execution="midnight") == first
        assert rollouts.enter("web-1", asked="b", execution="noon") is None

    def test_the_first_death_stays(self) -> None:
        death = Death("Stopped", "Somebody stopped it.", NOON)
        assert rollouts.die("web-1", death) == death
        assert rollouts.die("web-1", Death("ExecutionLost", "", NOON)) == death
        seen = rollouts.read("web-1")
        assert seen is not None
        assert seen.died == death

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
            result="released",
            reason="done",
            ended=later.isoformat(),
            notified=later.isoformat(),
            plan={"began": began},
            release={"id": "x"},
        )
        assert [past["result"] for past in rollouts.past("web").history] == ["released"]

    def test_the_first_end_stays_with_its_time_and_its_image(self) -> None:
        """Notices are tried for a minute after the end; each try must not begin that anew."""
        ending = {"fleet": "web", "result": "released", "reason": "done"}
        rollouts.end("web-1", **ending, now=NOON, image="ami-1")
        rollouts.end("web-1", **ending, now=NOON + timedelta(minutes=9), image="ami-2")
        seen, item = rollouts.read("web-1"), table.get("rollout#web-1")
        assert seen is not None and item is not None
        assert seen.ended == NOON.isoformat()
        assert item["image"] == "ami-1"
        assert rollouts.past("web").history == (
            {
                "rollout": "web-1",
                "result": "released",
                "reason": "done",
                "at": NOON.isoformat(),
                "image": "ami-1",
            },
        )

    def test_a_long_reason_is_cut(self) -> None:
        rollouts.end("web-1", fleet="web", result="RollFailed", reason="r" * 3000, now=NOON)
        seen = rollouts.read("web-1")
        assert seen is not None
        assert seen.reason == "r" * 2000
        (entry,) = rollouts.past("web").history
        assert entry["reason"] == "r" * 200

    def test_the_stack_keeps_the_last_twenty(self) -> None:
        for number in range(25):
            rollouts.settled(
                "web", action="release", before=str(number), image=str(number + 1), order=at(number)
            )
        assert rollouts.past("web").images == tuple(str(number) for number in range(6, 26))

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
            rollouts.settled("web", action=action, before=before, image=image, order=at(0))
        assert rollouts.past("web").images == images

    def test_released_never_goes_back(self) -> None:
        rollouts.settled("web", action="release", before="1", image="2", order=at(5))
        rollouts.settled("web", action="release", before="2", image="3", order=at(1))
        assert rollouts.past("web").released == at(5)
