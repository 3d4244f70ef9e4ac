"""The Lambda is killed at every AWS call of the happy path; the rollout ends well all the same.

A kill before a call is, for the world, a kill after the call before it, and a call that only reads
changes nothing. So it is enough to kill after each call that changes something, and before the
first one of each invocation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache

import pytest

from tests.stories.alarms import alarm, set_alarm
from tests.stories.asl.execution import Execution
from tests.stories.fleets import Fleet
from tests.stories.story import a_fleet
from tests.stories.test_roll_failures import half_way

_READS = ("Describe", "Get", "List", "Query")

Kill = tuple[str, int]  # before or after, and which call
Story = Callable[[Fleet], Execution]


def release(web: Fleet) -> Execution:
    web.world.upload("two")
    return web.world.finish()


def alarm_in_the_roll(web: Fleet) -> Execution:
    alarm(web.world)
    web.world.upload("two")
    half_way(web)
    set_alarm(web.world, "ALARM")
    return web.world.finish()


def stop_in_the_roll(web: Fleet) -> Execution:
    """What the person who stops it is answered is not of interest here."""
    web.world.upload("two")
    half_way(web)
    web.roll_back()
    return web.world.finish()


def a_small_fleet() -> AbstractContextManager[Fleet]:
    return a_fleet(size=2, addresses=1, roll={"alarms": ["web-5xx"]})


@cache
def kills(story: Story, *functions: str) -> dict[str, Kill]:
    """Every kill of a story, by a name for people; only of some functions, if they are named."""
    with a_small_fleet() as web:
        alarm(web.world)
        before = len(web.world.calls)
        story(web)
        calls = web.world.calls[before:]
    found: dict[str, Kill] = {}
    invocation = 0
    for number, call in enumerate(calls, 1):
        if not functions or call.function in functions:
            name = f"{number} {call.function} {call.operation}"
            if call.invocation != invocation:
                found[f"before {name}"] = ("before", number)
            if not call.operation.startswith(_READS):
                found[f"after {name}"] = ("after", number)
        invocation = call.invocation
    return found


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.function is test_a_kill_costs_nothing_but_time:
        found = {name: (release, kill) for name, kill in kills(release).items()}
    else:
        found = {
            f"{story.__name__}: {name}": (story, kill)
            for story in (alarm_in_the_roll, stop_in_the_roll)
            for name, kill in kills(story, "undo_rollout", "answer_alarm").items()
        }
    cases = [pytest.param(*case, id=name) for name, case in found.items()]
    metafunc.parametrize(("story", "kill"), cases)


@contextmanager
def killed(kill: Kill) -> Iterator[Fleet]:
    """A fleet in whose story a handler is killed once."""
    when, number = kill
    with a_small_fleet() as web:
        alarm(web.world)
        web.world.kill = (when, len(web.world.calls) + number)
        yield web
        assert web.world.killed


def test_a_kill_costs_nothing_but_time(story: Story, kill: Kill) -> None:
    with killed(kill) as web:
        rollout = story(web)
        assert rollout.status == "SUCCEEDED"
        (image,) = web.images
        assert web.revisions == {web.tags(image.image_id)["ovenbird:revision"]: 2}
        assert len(web.refreshes) == 1
        assert len(web.world.rollouts) == 1
        assert web.world.notices


def test_a_kill_in_the_undo_costs_nothing_but_time(story: Story, kill: Kill) -> None:
    with killed(kill) as web:
        rollout = story(web)
        assert rollout.error in ("RollFailed", "Stopped")
        assert web.is_as_before()
        assert web.world.notices
