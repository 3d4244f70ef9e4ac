"""The Lambda is killed at every AWS call of the happy path; the rollout ends well all the same.

A kill before a call is, for the world, a kill after the call before it. So it is enough to kill
after each call, and before the first one of each invocation.
"""

from __future__ import annotations

from functools import cache

import pytest

from tests.stories.story import a_fleet

Kill = tuple[str, int]  # before or after, and which call


@cache
def kills() -> dict[str, Kill]:
    """Every kill of a rollout from the push to its end, by a name for people."""
    with a_fleet(size=2, addresses=1) as web:
        before = len(web.world.calls)
        web.world.upload("two")
        web.world.finish()
        calls = web.world.calls[before:]
    found: dict[str, Kill] = {}
    invocation = 0
    for number, call in enumerate(calls, 1):
        name = f"{number} {call.function} {call.operation}"
        if call.invocation != invocation:
            found[f"before {name}"] = ("before", number)
        found[f"after {name}"] = ("after", number)
        invocation = call.invocation
    return found


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    metafunc.parametrize("kill", [pytest.param(kill, id=name) for name, kill in kills().items()])


def test_a_kill_costs_nothing_but_time(kill: Kill) -> None:
    when, number = kill
    with a_fleet(size=2, addresses=1) as web:
        web.world.kill = (when, len(web.world.calls) + number)
        new = web.world.upload("two")
        rollout = web.world.finish()
        assert web.world.killed
        assert rollout.status == "SUCCEEDED"
        assert web.revisions == {new: 2}
        assert len(web.images) == 1
        assert len(web.refreshes) == 1
        assert len(web.world.rollouts) == 1
        assert web.world.notices
