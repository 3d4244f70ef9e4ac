"""What the bench counts in virtual time is the same in every run; so it can be held to."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sandbox.cloud.kernel import Durations
from tests.bench.rollouts import roll
from tests.bench.waits import waits


def test_a_doorbell_is_heard_sooner_than_polling_looks() -> None:
    durations = Durations(image=timedelta(seconds=127))
    ours, theirs = (roll(durations=durations, polls=polls) for polls in (False, True))
    heard, polled = (
        [wait.late for wait in waits(told, durations.agent) if wait.by_event]
        for told in (ours, theirs)
    )
    assert len(heard) == len(polled) == 5  # script, stop, image, first new instance, refresh
    assert max(heard) <= timedelta(seconds=2)
    assert sum(polled, timedelta()) > 3 * sum(heard, timedelta())
    assert ours.execution.transitions < theirs.execution.transitions / 2


def test_ten_hours_of_waiting_fit_into_a_history_many_times_over() -> None:
    durations = Durations(image=timedelta(hours=10))
    assert len(roll(durations=durations).execution.history) < 2_000


@pytest.mark.parametrize("size", [1, 30])
def test_a_rollout_does_not_call_more_for_more_instances(size: int) -> None:
    told = roll(size=size, addresses=0, members_tell=False)
    assert len(told.calls) <= 140
