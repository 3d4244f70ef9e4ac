"""Two rollouts of one fleet: from one to the other at every call of each of them.

A function stands still after its call, within the minute that it may run, and the other rollout
goes on as far as it can. The invariants are checked after every call of both.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache

import pytest

from ovenbird.ledger import lanes
from tests.stories.fleets import Fleet
from tests.stories.story import a_fleet
from tests.stories.switches import TURN, Switch, go_on, push
from tests.stories.template import deployment
from tests.stories.test_queue import results

STEPS = (
    "plan_rollout",
    "bake_image",
    "publish_template",
    "roll_group",
    "move_address",
    "settle_rollout",
)
BAKES = ("plan_rollout", "bake_image", "publish_template")


def a_tiny_fleet(function: str) -> AbstractContextManager[Fleet]:
    """One instance; none while there is nothing to roll yet, because there are many calls."""
    size = 0 if function in BAKES else 1
    return a_fleet(size=size, addresses=size, shortcut=True)


@cache
def calls(function: str) -> dict[int, int]:
    """The calls of a release by this function: their numbers and their invocations."""
    with a_tiny_fleet(function) as web:
        switch = Switch(web.world, 0, -1, lambda: None)
        web.world.interference = switch
        web.world.upload("two")
        web.world.finish()
    return {
        number: call.invocation
        for number, call in enumerate(switch.calls, 1)
        if call.function == function
    }


@contextmanager
def switched(
    function: str, number: int, content: str, *, asleep: bool = False
) -> Iterator[tuple[Fleet, str]]:
    """The end of a history in which a later release came after that call of the first one.

    With the revision of the later release.
    """
    with a_tiny_fleet(function) as web:
        later: list[str] = []
        switch = Switch(
            web.world, 0, number, lambda: later.append(push(web, content)), asleep=asleep
        )
        web.world.interference = switch
        web.world.upload("two")
        web.world.finish()
        assert later
        yield web, later[0]


def runs(web: Fleet) -> str:
    """The revision that the group launches; its instances, where it has any, all run it."""
    template = web.world.cloud.ec2.templates.all[web.template]
    image = template.version(web.saved_version).content["ImageId"]
    revision = web.tags(image)["ovenbird:revision"]
    assert set(web.revisions) <= {revision}
    return revision


@pytest.mark.parametrize("function", STEPS)
def test_a_later_release_comes_at_every_call(function: str) -> None:
    for number in calls(function):
        content = "three" if number % 2 else "two"  # every other time it is the same once more
        with switched(function, number, content) as (web, revision):
            first, second = results(web)
            assert first in ("released", "superseded"), number
            assert second in ("released", "nothing-to-do"), number
            assert runs(web) == revision, number


@pytest.mark.parametrize("state", ["PlanRollout", "WaitForBake", "RollGroup", "SettleRollout"])
def test_the_first_one_goes_on_at_every_call_of_the_later_one(state: str) -> None:
    """Where the first one ends meanwhile, it leaves the lane while the later one looks at it."""
    for number in range(12):
        with overtaken(state, number) as (web, revision):
            assert results(web) == ["released", "released"], number
            assert runs(web) == revision, number


@contextmanager
def overtaken(state: str, number: int) -> Iterator[tuple[Fleet, str]]:
    """The end of a history in which the later release, begun in that state, stood still."""
    with a_fleet(shortcut=True, size=0, addresses=0) as web:
        world = web.world
        world.upload("two")
        world.run_until(lambda: [one.state for one in world.rollouts] == [state])
        (first,) = world.rollouts
        switch = Switch(world, 1, number, lambda: go_on(world, lambda: not first.running))
        world.interference = switch
        revision = push(web, "three")
        world.finish()
        assert switch.done
        yield web, revision


@pytest.mark.parametrize("function", STEPS)
def test_one_that_slept_past_its_lease_writes_nothing_beside_the_next_one(function: str) -> None:
    """The next one comes while it wakes up: it has the lane again by then, or has lost it."""
    made = calls(function)
    numbers = sorted(made)
    if function != "publish_template":  # which takes its lease as it is: it changes nothing
        first = {turn: number for number, turn in reversed(made.items())}
        numbers = sorted(n for n in made if n - first[made[n]] < 2)
    for number in numbers:
        with switched(function, number, "three", asleep=True) as (web, revision):
            first_result, second_result = results(web)
            one, other = web.world.rollouts
            assert first_result in ("released", "superseded", "LaneLost"), number
            if second_result == "released":
                assert runs(web) == revision, number
            else:  # the refresh that the first one had begun before is left to AWS
                assert second_result == "Refused", number
                assert first_result == "LaneLost", number
                (refresh,) = web.refreshes
                assert one.started < refresh.start < other.started, number
                assert refresh.refresh_id in other.cause, number


def test_no_function_runs_longer_than_a_lease_is_prolonged_for() -> None:
    for function in deployment().functions.values():
        assert TURN.total_seconds() < function.timeout_seconds
        assert function.timeout_seconds < lanes.TURN.total_seconds()
    assert 2 * lanes.TURN < lanes.LEASE
