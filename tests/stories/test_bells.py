"""A bell that rings at the worst moment, between the look and the wait, is heard all the same."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sandbox.cloud.imaginary import Ending
from tests.stories.calls import Go, HandlerCall
from tests.stories.story import a_fleet


@pytest.mark.parametrize("calls", range(5))
def test_what_rings_while_a_turn_still_looks_is_not_slept_through(calls: int) -> None:
    """The script ends, and its bell rings, so many calls after the turn has sent it."""
    with a_fleet() as web:
        since: list[str] = []

        def takes_long(call: HandlerCall, go: Go) -> Any:
            answer = go()
            if call.operation == "SendCommand" or (since and call.function == "bake_image"):
                since.append(call.operation)
                if len(since) == calls + 1:
                    web.world.run_for(seconds=3)
            return answer

        web.world.machines.ends = lambda script: Ending(after=timedelta(seconds=0.1))
        web.world.interference = takes_long
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
