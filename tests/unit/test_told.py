"""The same thing a hundred times is one notice; another one, or the next day, is another."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from ovenbird.ledger import documents, told
from tests.stories import dynamodb
from tests.unit import ledger

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _ledger() -> Iterator[None]:
    with ledger.empty():
        yield


def after(**duration: float) -> datetime:
    return NOON + timedelta(**duration)


def send(digest: str = "a", at: datetime = NOON) -> bool:
    claimed = told.claim("document#web", digest, at)
    if claimed:
        told.keep("document#web", digest, at, DAY)
    return claimed


def test_the_same_is_told_once_a_day() -> None:
    assert [send(at=after(hours=hour)) for hour in (0, 1, 23, 25, 26)] == [
        True,
        False,
        False,
        True,
        False,
    ]


def test_something_else_is_told_at_once() -> None:
    assert [send("a"), send("b"), send("b"), send("a")] == [True, True, False, True]


def test_what_is_well_again_may_be_told_again() -> None:
    assert send()
    told.forget("document#web")
    assert send(at=after(minutes=1))


def test_forgetting_what_nobody_was_told_leaves_nothing() -> None:
    told.forget("document#web")
    assert "told#document#web" not in dynamodb.items(ledger.TABLE)


def test_who_is_killed_before_the_notice_is_sent_does_not_silence_it() -> None:
    assert told.claim("document#web", "a", NOON)
    assert not told.claim("document#web", "a", after(seconds=30))  # it may still be sending
    assert told.claim("document#web", "a", after(seconds=60))


def test_who_comes_late_does_not_keep_what_another_says() -> None:
    assert told.claim("document#web", "a", NOON)
    assert told.claim("document#web", "b", after(seconds=1))
    told.keep("document#web", "a", after(seconds=2), DAY)
    assert told.claim("document#web", "b", after(minutes=3))


def test_each_thing_has_its_own() -> None:
    assert told.claim("document#web", "a", NOON)
    assert told.claim("push#web", "a", NOON)
    assert told.claim("document#api", "a", NOON)


def test_it_is_forgotten_one_day() -> None:
    told.claim("document#web", "a", NOON)
    item = dynamodb.items(ledger.TABLE)["told#document#web"]
    assert item["expires"] == {"N": str(int((NOON + timedelta(days=30)).timestamp()))}


def test_documents_that_are_written_are_counted() -> None:
    assert documents.changes("/fleets") == 0
    assert [documents.changed("/fleets") for _ in range(2)] == [1, 2]
    assert documents.changes("/fleets") == 2
    assert documents.changes("/others") == 0
