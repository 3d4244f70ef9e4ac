"""Another version of Ovenbird is deployed in the middle of a rollout.

AWS keeps the definition with which an execution has begun; its functions are replaced at once. So
every version has to understand what the one before it wrote, and has to answer what the definition
of that one can read. A field more is left alone; a field less, if it is needed, is a failure in one
sentence, and the rollout is undone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from unittest import mock

import pytest

from ovenbird.core import orders, seals
from ovenbird.events import rollout as states
from ovenbird.settings import settings
from tests.deploys import recorded
from tests.deploys.recorded import VERSIONS
from tests.deploys.rollouts import (
    ROLLOUTS,
    Rollout,
    State,
    a_small_fleet,
    between,
    released,
    stopped,
)
from tests.deploys.shapes import Path, cut, fields, with_more, without
from tests.stories.asl.definition import parse
from tests.stories.fleets import Fleet
from tests.stories.template import Function
from tests.stories.test_switches import STEPS

NEXT_YEAR = datetime(2027, 1, 1, tzinfo=UTC)
# Every version wrote these: without them nobody knows what runs, from where it came and whether to
# wait. The definition itself reads some, and the undo the others.
SINCE_EVER = {
    *(("plan_rollout", name) for name in ("began", "fence", "group", "from")),
    *(("publish_template", name) for name in ("template", "version", "targets")),
}
READ = {"next", "doorbell", "rings", "sweep", "look_again_after", "rest_seconds", "detour"}

rollouts = pytest.mark.parametrize("rollout", ROLLOUTS, ids=lambda rollout: rollout.__name__)
versions = pytest.mark.parametrize("version", VERSIONS)


def answered_by(rollout: Rollout) -> list[tuple[str, Path]]:
    """Each field that the steps answer and may do without: step and path."""
    found: dict[tuple[str, Path], None] = {}

    def answered(step: str, answer: State) -> State:
        for path in sorted(fields(answer)):
            if path[-1] not in READ and (step, path[0]) not in SINCE_EVER:
                found[step, path] = None
        return answer

    with a_small_fleet() as web, between(web, answered=answered):
        rollout(web)
    return list(found)


@contextmanager
def as_if_sealed_so() -> Iterator[None]:
    """The other version has sealed its answers as they are passed here, and its input too."""
    with (
        mock.patch.object(seals, "broken", return_value=None),
        mock.patch.object(orders, "digest", return_value="as it was asked for"),
    ):
        yield


def ended_well(web: Fleet, expected: str) -> None:
    if expected in ("released", "rolled-back"):
        assert len(web.revisions) == 1
        assert web.group.refresh is None
    else:
        assert web.is_as_before()


def test_there_is_a_record() -> None:
    assert VERSIONS


@versions
def test_every_recorded_state_is_well_made(version: str) -> None:
    for turn in recorded.turns(version):
        states.check(turn.state, NEXT_YEAR)


@versions
@rollouts
def test_a_state_with_no_more_than_that_version_wrote_is_enough(
    version: str, rollout: Rollout
) -> None:
    """Whatever a later version may want to know as well, it has to do without."""
    kept: dict[str, set[Path]] = {}
    for turn in recorded.turns(version):
        kept.setdefault(turn.step, set()).update(fields(turn.state))

    def passed(step: str, state: State) -> State:
        less: State = cut(state, kept[step])
        return less

    with a_small_fleet() as web, between(web, passed=passed), as_if_sealed_so():
        assert rollout(web) == ROLLOUTS[rollout]
        ended_well(web, ROLLOUTS[rollout])


@versions
@rollouts
def test_an_execution_of_that_version_goes_on_with_the_functions_of_this_one(
    version: str, rollout: Rollout
) -> None:
    with a_small_fleet() as web:
        world = web.world
        world.states.machines[world.deployment.machine("rollout")] = parse(
            recorded.definition(version)
        )
        assert rollout(web) == ROLLOUTS[rollout]
        ended_well(web, ROLLOUTS[rollout])


@rollouts
def test_fields_of_a_later_version_are_left_alone(rollout: Rollout) -> None:
    """A deployment is taken back in the middle of a rollout: more is known than is understood."""

    def passed(_step: str, state: State) -> State:
        more: State = with_more(state)
        return more

    with a_small_fleet() as web, between(web, passed=passed), as_if_sealed_so():
        assert rollout(web) == ROLLOUTS[rollout]
        ended_well(web, ROLLOUTS[rollout])


@pytest.mark.parametrize(("rollout", "first"), [(released, 0), (stopped, 1)])
def test_a_missing_field_is_done_without_or_is_a_failure_in_one_sentence(
    rollout: Rollout, first: int
) -> None:
    """An older version never answered it; every other field in each of two rollouts."""
    for step, path in answered_by(rollout)[first::2]:

        def answered(asked: str, answer: State, step: str = step, path: Path = path) -> State:
            less: State = without(answer, path) if asked == step else answer
            return less

        with a_small_fleet() as web, between(web, answered=answered), as_if_sealed_so():
            result = rollout(web)
            ended_well(web, result)
            if result == ROLLOUTS[rollout]:
                continue
            execution = web.world.rollouts[-1]
            sentence = json.loads(execution.cause)["errorMessage"]
            assert (result, execution.visited[-1]) == ("BadEvent", "RolloutFailed"), (step, path)
            assert path[-1] in sentence, (step, path)
            assert sentence in web.world.notices[-1]


def test_a_field_that_is_needed_is_asked_for() -> None:
    """Else the test above would show nothing."""

    def answered(step: str, answer: State) -> State:
        less: State = without(answer, ("base",)) if step == "plan_rollout" else answer
        return less

    with a_small_fleet() as web, between(web, answered=answered), as_if_sealed_so():
        assert released(web) == "BadEvent"


def test_what_was_not_answered_so_is_refused() -> None:
    """Else a state of another version would hide one that somebody has forged."""

    def passed(step: str, state: State) -> State:
        more: State = with_more(state) if step == "roll_group" else state
        return more

    with a_small_fleet() as web, between(web, passed=passed):
        assert released(web) == "BadEvent"
        ended_well(web, "BadEvent")


@pytest.mark.parametrize("step", STEPS)
def test_variables_that_come_after_the_code_are_asked_for(step: str) -> None:
    """A function's code and its variables are replaced one after the other."""
    with a_small_fleet() as web, without_variable(web, step, "OVENBIRD_TABLE"):
        assert released(web) == "BadSettings"
        ended_well(web, "BadSettings")
        assert "OVENBIRD_TABLE" in web.world.notices[-1]


@contextmanager
def without_variable(web: Fleet, step: str, name: str) -> Iterator[None]:
    """The first turn of a step, in a new process, lacks a variable (and has one too many)."""
    invoke = web.world.lambdas.invoke
    turns: list[str] = []

    def changed(function: Function, payload: Any) -> Any:
        if function.folder.name != step or "rollout" not in payload or turns:
            return invoke(function, payload)
        turns.append(step)
        variables = {**function.environment, "OVENBIRD_OF_A_LATER_VERSION": "1"}
        del variables[name]
        settings.cache_clear()
        try:
            return invoke(replace(function, environment=variables), payload)
        finally:
            settings.cache_clear()

    with mock.patch.object(web.world.lambdas, "invoke", changed):
        yield
