"""Orders are strict and total, and what an event proves counts more than its time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ovenbird.core import orders as core
from ovenbird.core.orders import Newer, Older, Rank, judge
from ovenbird.ledger import orders, table
from tests.unit import ledger

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
KEY = "s3://acme-releases/web/app.tar.gz"
FEW = settings(max_examples=20, deadline=None)


@pytest.fixture(autouse=True)
def _empty_ledger() -> Iterator[None]:
    with ledger.empty():
        yield


def at(seconds: int) -> str:
    return (NOON + timedelta(seconds=seconds)).isoformat()


def put(sequencer: str, seconds: int = 0) -> Rank:
    return Rank(KEY, sequence=sequencer, at=at(seconds))


def commit(name: str, *before: str, seconds: int = 0) -> Rank:
    return Rank("web/main", name=name, replaced=before, at=at(seconds))


class TestMoments:
    @pytest.mark.parametrize(
        ("told", "counts"),
        [
            pytest.param(NOON - timedelta(hours=5), NOON - timedelta(hours=5), id="a late event"),
            pytest.param(NOON, NOON, id="now"),
            pytest.param(NOON + timedelta(minutes=14), NOON, id="a clock that is ahead"),
            pytest.param(NOON - timedelta(microseconds=1), NOON - timedelta(seconds=1), id="cut"),
        ],
    )
    def test_it_is_in_whole_seconds_and_never_later_than_the_arrival(
        self, told: datetime, counts: datetime
    ) -> None:
        assert core.moment(told.isoformat(), NOON) == f"{counts.isoformat()}#1767614400000000"

    def test_it_is_in_utc(self) -> None:
        there = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))
        assert core.time_of(core.moment(there.isoformat(), there)) == NOON.isoformat()

    def test_of_one_second_the_one_that_arrived_first_is_the_older(self) -> None:
        """Also where the other one is counted first, because its function was faster."""
        second = NOON.isoformat()
        first = core.order(core.moment(second, NOON + timedelta(seconds=2, microseconds=1)), 2)
        other = core.order(core.moment(second, NOON + timedelta(seconds=2, microseconds=2)), 1)
        assert first < other

    def test_of_two_seconds_the_arrival_does_not_count(self) -> None:
        late = core.order(core.moment(NOON.isoformat(), NOON + timedelta(hours=9)), 2)
        soon = NOON + timedelta(seconds=1)
        assert late < core.order(core.moment(soon.isoformat(), soon), 1)

    @given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**11)), unique=True))
    def test_orders_compare_like_times_and_then_like_numbers(
        self, pairs: list[tuple[int, int]]
    ) -> None:
        written = {pair: core.order(at(pair[0]), pair[1]) for pair in pairs}
        assert sorted(pairs) == sorted(pairs, key=written.__getitem__)
        assert len(set(written.values())) == len(pairs)
        assert all(core.time_of(written[pair]) == at(pair[0]) for pair in pairs)


class TestProofs:
    def test_the_first_one_of_a_place_is_accepted_as_it_is(self) -> None:
        assert judge(put("0A", 3), None) == Newer(at(3), put("0A", 3))

    @pytest.mark.parametrize(
        ("rank", "known"),
        [
            pytest.param(put("0A"), put("0B"), id="an older version of the same second"),
            pytest.param(put("0A", 9), put("0B", 1), id="also where its time says otherwise"),
            pytest.param(put("0a"), put("0B".lower()), id="small letters"),
            pytest.param(commit("b", "a"), commit("c", "b"), id="the commit that was there before"),
            pytest.param(commit("a"), commit("c", "b", "a"), id="two commits before"),
        ],
    )
    def test_what_is_proven_older_is_not_accepted(self, rank: Rank, known: Rank) -> None:
        verdict = judge(rank, known)
        assert isinstance(verdict, Older)
        assert rank.place in verdict.reason

    def test_what_is_proven_newer_has_no_earlier_time(self) -> None:
        verdict = judge(put("0B", 1), put("0A", 9))
        assert isinstance(verdict, Newer)
        assert verdict.at == at(9)

    def test_what_is_proven_newer_comes_later_also_where_it_arrived_first(self) -> None:
        """Both of one second; the older one's function was slow, but counted first."""
        older = replace(put("0A"), at=f"{at(0)}#0000000000000009")
        newer = judge(replace(put("0B"), at=f"{at(0)}#0000000000000001"), older)
        assert isinstance(newer, Newer)
        assert core.order(newer.at, 2) > core.order(older.at, 1)

    def test_what_claims_to_be_much_older_is_older(self) -> None:
        assert judge(put("0B", 1), put("0A", 3600)) == Newer(at(1), put("0A", 3600))

    @pytest.mark.parametrize(
        ("rank", "known"),
        [
            pytest.param(put("0A"), put("0A"), id="the same object again"),
            pytest.param(put("9"), put("0A"), id="another length: left and right disagree"),
            pytest.param(put(""), put("0A"), id="no sequencer"),
            pytest.param(commit("a", "b"), commit("b", "a"), id="to and fro in one second"),
            pytest.param(commit("x", "w"), commit("c", "b"), id="commits that do not know another"),
        ],
    )
    def test_where_nothing_is_proven_the_number_counts(self, rank: Rank, known: Rank) -> None:
        assert isinstance(judge(rank, known), Newer)
        assert isinstance(judge(known, rank), Newer)

    def test_sequences_of_other_lengths_count_where_both_readings_agree(self) -> None:
        assert isinstance(judge(put("0A"), put("10B")), Older)
        assert isinstance(judge(put("10B"), put("0A")), Newer)

    def test_a_branch_may_come_back_to_a_commit_a_second_later(self) -> None:
        known = commit("b", "a", seconds=1)
        verdict = judge(commit("a", "b", seconds=2), known)
        assert verdict == Newer(at(2), commit("a", "b", seconds=2))

    def test_a_late_event_of_before_does_not_hide_what_was_known(self) -> None:
        known = commit("d", "c", seconds=9)
        assert judge(commit("b", "a", seconds=1), known) == Newer(at(1), known)

    def test_what_was_before_an_older_one_was_before_the_newer_one_too(self) -> None:
        known = commit("c", "b")
        late = judge(commit("b", "a"), known)
        assert isinstance(late, Older)
        assert isinstance(judge(commit("a", "z"), late.keep), Older)

    def test_what_is_kept_of_a_place_is_bounded(self) -> None:
        known: Rank | None = None
        for number in range(40):
            verdict = judge(commit(f"c{number + 1}", f"c{number}"), known)
            known = verdict.keep
        assert known is not None
        assert known.replaced == tuple(f"c{39 - one}" for one in range(core.REPLACED_KEPT))


WISH = {"rollout": "web-1", "fleet": "web", "action": "release", "order": "x", "at": at(0)}


class TestDigests:
    def test_every_later_state_has_that_of_the_input(self) -> None:
        later = {"plan": {"next": "bake"}, "execution": {"Name": "web-1"}, **WISH}
        assert core.digest(later) == core.digest(WISH)

    @pytest.mark.parametrize("field", core.ASKED)
    def test_every_field_of_the_input_is_in_it(self, field: str) -> None:
        assert core.digest(WISH | {field: "another"}) != core.digest(WISH)


class TestCounting:
    def test_each_request_of_a_fleet_has_the_next_number(self) -> None:
        assert orders.count("web", at(0)) == f"{at(0)}#000000000001"
        assert orders.count("web", at(0)) == f"{at(0)}#000000000002"
        assert orders.count("api", at(0)) == f"{at(0)}#000000000001"

    def test_an_older_version_of_an_object_costs_no_number(self) -> None:
        assert orders.count("web", at(0), put("0B")) == f"{at(0)}#000000000001"
        assert isinstance(orders.count("web", at(0), put("0A")), Older)
        assert orders.count("web", at(0)) == f"{at(0)}#000000000002"

    def test_other_fleets_have_places_of_their_own(self) -> None:
        orders.count("web", at(0), put("0B"))
        assert isinstance(orders.count("api", at(0), put("0A")), str)

    def test_other_objects_are_ordered_by_their_acceptance(self) -> None:
        first = orders.count("web", at(0), put("0B"))
        other = orders.count("web", at(0), replace(put("0A"), place="s3://acme-releases/web/b"))
        assert isinstance(first, str)
        assert isinstance(other, str)
        assert first < other

    def test_two_of_one_object_that_are_counted_at_once_keep_their_order(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The older one has looked, and before it writes, the newer one is accepted."""
        orders.count("web", at(0), put("0A"))
        write = table.update

        def late(pk: str, expression: str, values: object, **how: object) -> object:
            if "seen" in dict(values):  # type: ignore[call-overload]
                monkeypatch.setattr(table, "update", write)
                assert isinstance(orders.count("web", at(0), put("0C")), str)
            return write(pk, expression, values, **how)  # type: ignore[arg-type]

        monkeypatch.setattr(table, "update", late)
        assert isinstance(orders.count("web", at(0), put("0B")), Older)

    def test_only_the_latest_places_are_kept(self) -> None:
        for number in range(orders.PLACES_KEPT + 5):
            orders.count("web", at(number), replace(put("0A", number), place=f"key {number}"))
        item = table.get("order#web")
        assert item is not None
        places = [each for name, each in item.items() if name.startswith("place_")]
        assert len(places) == orders.PLACES_KEPT
        assert min(each["at"] for each in places) == at(5)

    @FEW
    @given(
        st.lists(
            st.tuples(st.integers(0, 3), st.integers(0, 15), st.sampled_from("ab")),
            min_size=1,
            max_size=12,
        )
    )
    def test_it_is_a_strict_total_order_in_which_the_last_of_each_object_is_its_newest(
        self, events: list[tuple[int, int, str]]
    ) -> None:
        with ledger.empty():
            counted: dict[str, tuple[str, int]] = {}
            for second, sequence, key in events:
                rank = Rank(key, sequence=f"{sequence:02X}", at=at(second))
                order = orders.count("web", at(second), rank)
                if isinstance(order, str):
                    assert order not in counted
                    counted[order] = (key, sequence)
            for key in {each[2] for each in events}:
                *_, last = (one for order, one in sorted(counted.items()) if one[0] == key)
                assert last[1] == max(each[1] for each in events if each[2] == key)


class TestAcceptance:
    def test_the_first_acceptance_stays(self) -> None:
        assert orders.accepted("web-1") is None
        first = orders.accept("web-1", fleet="web", order="1", asked="a", wish={"a": 1})
        assert first == orders.Accepted("1", "a")
        assert orders.accept("web-1", fleet="web", order="2", asked="b", wish={}) == first
        assert orders.accepted("web-1") == first

    def test_that_of_a_dry_run_is_forgotten_in_time(self) -> None:
        orders.accept("web-1", fleet="web", order="1", asked="a", wish={}, expires=NOON)
        item = table.get("rollout#web-1")
        assert item is not None
        assert item["expires"] == NOON.timestamp()
