"""However the undo itself fails: the execution ends red, and people are told, once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ovenbird.core import notices
from sandbox.cloud.errors import AwsError
from sandbox.cloud.faults import Killed
from tests.stories import fleets
from tests.stories.asl.execution import Execution
from tests.stories.calls import Go, HandlerCall
from tests.stories.fleets import Fleet
from tests.stories.world import STATE_MACHINE, World, present

Breaks = Callable[[HandlerCall], None]


def lambda_is_broken(call: HandlerCall) -> None:
    if (call.service, call.function) == ("lambda", "undo_rollout"):
        raise AwsError("ServiceException", "Lambda is broken", 500)


def every_process_dies(call: HandlerCall) -> None:
    if call.service != "lambda" and call.function == "undo_rollout":
        raise Killed("the undo")


def ledger_is_out_of_reach(call: HandlerCall) -> None:
    if (call.service, call.function) == ("dynamodb", "undo_rollout"):
        raise AwsError("InternalServerError", "the ledger is broken", 500)


def function_may_not_publish(call: HandlerCall) -> None:
    if (call.service, call.function) == ("sns", "undo_rollout"):
        raise AwsError("AuthorizationError", "not authorized to perform SNS:Publish", 403)


def doorbell_is_broken(call: HandlerCall) -> None:
    if call.function == STATE_MACHINE and call.service == "dynamodb":
        raise AwsError("InternalServerError", "the ledger is broken", 500)


def undone_badly(world: World, breaks: Breaks) -> tuple[Fleet, Execution]:
    """A rollout that a person stops while it rolls, and whose undo is broken."""
    web = fleets.make(world, size=2, addresses=0)
    world.upload("two")
    world.run_until(lambda: bool(web.refreshes))
    world.run_until(lambda: world.rollouts[0].state.startswith("WaitForRoll"))

    def interfere(call: HandlerCall, go: Go) -> Any:
        breaks(call)
        return go()

    world.interference = interfere
    web.roll_back()
    world.run_until(lambda: not world.rollouts[0].running, hours=8)
    return web, world.rollouts[0]


@pytest.mark.parametrize(
    ("breaks", "because"),
    [
        (lambda_is_broken, "Lambda.ServiceException"),
        (every_process_dies, "Runtime.ExitError"),
        (ledger_is_out_of_reach, "Unavailable"),
        (function_may_not_publish, "Denied"),
        (doorbell_is_broken, "DynamoDb.InternalServerErrorException"),
    ],
)
def test_the_machine_tells_what_the_step_cannot(breaks: Breaks, because: str) -> None:
    with present() as world:
        _, rollout = undone_badly(world, breaks)
        assert (rollout.status, rollout.error) == ("FAILED", "UndoFailed")
        (notice,) = (each for each in world.notices if f"Rollout: {rollout.name}" in each)
        subject, why, *_ = [line for line in notice.splitlines() if line][::2]
        assert subject == "Ovenbird: a rollout failed and was not undone (UndoFailed)"
        assert why.startswith("Why: ")
        assert because in why
        assert f"Execution: {rollout.arn}" in notice.splitlines()
        assert notice.endswith(notices.advice("UndoFailed"))


def test_what_the_step_has_told_is_not_told_again() -> None:
    with present() as world:
        web = fleets.make(world, size=2, addresses=0)
        world.machines.healthy = lambda _instance, disk: disk.revision == fleets.OLD
        world.cloud.faults.fail("TerminateInstances", "UnauthorizedOperation", times=99)
        world.upload("two")
        rollout = world.finish(hours=8)
        assert rollout.error == "UndoFailed"
        assert "TellPeople" not in rollout.visited
        (notice,) = (each for each in world.notices if f"Rollout: {rollout.name}" in each)
        assert "may run two versions" not in notice  # only the builder is left
        assert notices.advice("UndoFailed", group_is_well=True) in notice.splitlines()[-3]
        assert web.images


def test_a_topic_that_is_broken_too_does_not_keep_it_from_its_end() -> None:
    def breaks(call: HandlerCall) -> None:
        lambda_is_broken(call)
        if call.service == "sns":
            raise AwsError("InternalError", "SNS is broken", 500)

    with present() as world:
        _, rollout = undone_badly(world, breaks)
        assert rollout.error == "UndoFailed"
        assert "Lambda is broken" in rollout.cause
        assert rollout.visited[-2:] == ["TellPeople", "UndoFailed"]
        assert world.notices == []
