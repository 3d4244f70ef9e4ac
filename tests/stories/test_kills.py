"""The Lambda is killed before and after every AWS call of the happy path; the rollout ends well."""

from __future__ import annotations

from functools import cache

import pytest

from tests.stories.story import a_fleet


@cache
def calls_of_the_happy_path() -> tuple[str, ...]:
    """Every call of a rollout from the push to its end, in order."""
    with a_fleet() as web:
        before = len(web.world.calls)
        web.world.upload("two")
        web.world.finish()
        return tuple(call.operation for call in web.world.calls[before:])


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "number" in metafunc.fixturenames:
        calls = calls_of_the_happy_path()
        metafunc.parametrize(
            "number",
            [
                pytest.param(number, id=f"{number}-{operation}")
                for number, operation in enumerate(calls, 1)
            ],
        )


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_kill_costs_nothing_but_time(number: int, when: str) -> None:
    with a_fleet() as web:
        web.world.kill = (when, len(web.world.calls) + number)
        new = web.world.upload("two")
        rollout = web.world.finish()
        assert rollout.status == "SUCCEEDED"
        assert web.revisions == {new: 4}
        assert len(web.images) == 1
        assert len(web.refreshes) == 1
        assert len(web.world.rollouts) == 1
        assert web.world.notices
