"""What may become of a builder and of the script on it; the rest is in test_bake_failures."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sandbox.cloud.imaginary import Ending
from sandbox.cloud.machines import CommandOutcome
from tests.stories.calls import Go, HandlerCall
from tests.stories.fleets import DOCUMENT, Fleet
from tests.stories.story import a_fleet


def failed(web: Fleet) -> str:
    """The notice of a bake that failed, and nothing is left of it."""
    assert web.world.finish(hours=12).error == "BakeFailed"
    assert web.is_as_before()
    assert not web.refreshes
    return web.world.notices[-1]


def test_one_that_boots_for_ever_is_given_up() -> None:
    with a_fleet() as web:
        web.world.upload("two")
        web.world.run_until(lambda: bool(web.builders))
        (builder,) = web.builders
        builder.change += 1  # what was to become of it does not
        began = web.world.now()
        assert "did not start within 15 minutes" in failed(web)
        stopped = web.world.rollouts[0].stopped
        assert stopped is not None and stopped - began < timedelta(minutes=17)


def test_what_its_script_said_last_is_told_where_aws_cuts_its_output() -> None:
    """Run Command keeps the first 24,000 characters of what a script says."""
    said = "".join(f"line {number} of many\n" for number in range(5000))
    with a_fleet() as web:
        outcome = CommandOutcome(2, stdout=said, stderr="tar: not an archive\n")
        web.world.machines.ends = lambda _script: Ending(outcome=outcome)
        web.world.upload("two")
        notice = failed(web)
        assert "tar: not an archive" in notice
        assert len(notice) < 6000


def test_a_script_of_whose_end_nobody_tells_is_given_up() -> None:
    """The whole machine hangs: not even the end of the script's time is reported."""
    with a_fleet() as web:
        web.document(bake=DOCUMENT["bake"] | {"timeout_minutes": 5}, addresses={"count": 2})

        def silent(call: HandlerCall, go: Go) -> Any:
            answer = go()
            if call.operation == "ListCommandInvocations":
                for invocation in answer["CommandInvocations"]:
                    invocation["Status"] = invocation["StatusDetails"] = "InProgress"
            return answer

        web.world.interference = silent
        web.world.upload("two")
        assert "is still InProgress long after its time of 5 minutes" in failed(web)


def test_one_that_does_not_stop_is_given_up() -> None:
    with a_fleet() as web:
        web.world.upload("two")
        web.world.run_until(lambda: any(one.state == "stopping" for one in web.builders))
        (builder,) = web.builders
        builder.change += 1
        assert "did not stop within 15 minutes" in failed(web)
