"""A bell that rings at the worst moment, between the look and the wait, is heard all the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sandbox.cloud.imaginary import Ending
from tests.stories.calls import Go, HandlerCall
from tests.stories.story import a_fleet
from tests.stories.world import LATENCY


@pytest.mark.parametrize("calls", range(16))
def test_a_script_that_ends_while_its_turn_still_looks_is_not_slept_through(calls: int) -> None:
    """Its event arrives so many calls after it was sent; a bell unheard costs a sweep."""
    with a_fleet() as web:
        kernel = web.world.cloud.kernel
        kernel.durations = replace(kernel.durations, event=timedelta(0))
        web.world.delivery.delays = lambda event: [timedelta(0)]
        web.world.machines.ends = lambda script: Ending(after=LATENCY * (calls + 0.5))
        new = web.world.upload("two")
        rollout = web.world.finish()
        assert web.revisions == {new: 4}
        waited = [event.kind for event in rollout.history if event.state == "WaitForBake"]
        assert "TaskTimedOut" not in waited


def test_what_rings_while_the_wait_itself_is_written_is_not_slept_through() -> None:
    """The wait refuses to begin where the bell has rung since the step read it."""
    with a_fleet() as web:
        slow: list[str] = []

        def writes_late(call: HandlerCall, go: Go) -> Any:
            (rollout,) = web.world.rollouts
            if call.function == "rollout" and rollout.state == "WaitForBake":
                slow.append(call.params["Key"]["pk"]["S"])
                web.world.run_for(minutes=3)
            return go()

        web.world.upload("two")
        web.world.run_until(lambda: bool(web.world.rollouts))
        web.world.interference = writes_late
        rollout = web.world.finish()
        assert rollout.status == "SUCCEEDED"
        assert len(slow) == 3  # for the script, the stop and the image
        waited = [event.kind for event in rollout.history if event.state == "WaitForBake"]
        assert "TaskTimedOut" not in waited
