"""Who looks after a group's addresses, against a DynamoDB that nobody here wrote."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from ovenbird.ledger import watches
from tests.unit import ledger

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _empty_ledger() -> Iterator[None]:
    with ledger.empty():
        yield


def test_the_first_one_looks_and_the_others_tell_it() -> None:
    told = watches.join("web", "first", NOON)
    assert told == 0
    assert watches.join("web", "second", NOON) is None
    assert watches.join("web", "first", NOON) == 1


def test_it_leaves_only_when_nobody_told_it_since() -> None:
    told = watches.join("web", "first", NOON)
    assert told is not None
    watches.join("web", "second", NOON)
    assert not watches.leave("web", "first", told)
    assert watches.leave("web", "first", told + 1)
    assert watches.join("web", "third", NOON) is not None


def test_leaving_twice_is_harmless_and_never_ends_the_watch_of_another() -> None:
    told = watches.join("web", "first", NOON)
    assert told is not None
    assert watches.leave("web", "first", told)
    assert watches.leave("web", "first", told)
    watches.join("web", "second", NOON)
    assert watches.leave("web", "first", told)
    assert watches.join("web", "third", NOON) is None


def test_the_watch_of_a_run_that_died_passes_on() -> None:
    watches.join("web", "first", NOON)
    later = NOON + watches.LEASE * 1.5
    assert watches.join("web", "second", later) is not None
    assert watches.join("web", "first", later) is None


def test_groups_have_watches_of_their_own() -> None:
    watches.join("web", "first", NOON)
    assert watches.join("shop", "second", NOON) is not None
