"""Forged states against every step: fields of a true one swapped with those of others.

The others are a state of another fleet, one of an earlier rollout of the same fleet, and one of the
same rollout at another time. Whatever a step makes of the mixture, the first thing that it would
change is its own rollout's: no id, name or number of the others is in it. Where a step has nothing
to change, and nothing that it relies on is forged, it says what it says to the true state.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.attacks.test_plan import STEPS, State
from tests.hostile.mutations import Path, at, paths, put
from tests.hostile.witness import Witness, standing_still
from tests.stories import fleets
from tests.stories.world import present

MIXTURES = 60  # of each step with each of the others
# Where any of these is forged, a step does not come as far as an answer.
RELIED_ON = {
    "plan_rollout": ("fleet", "rollout", "release"),
    "bake_image": ("fleet", "rollout", "plan", "bake"),
    "publish_template": ("fleet", "rollout", "plan", "bake"),
    "roll_group": ("fleet", "rollout", "plan", "version", "roll"),
    "move_address": ("fleet", "rollout", "plan", "addresses"),
    "settle_rollout": ("fleet", "rollout", "plan", "bake", "version"),
    "undo_rollout": ("fleet", "rollout", "release"),
}
FAILURE = {"Error": "RollFailed", "Cause": "It failed."}


@dataclass(frozen=True)
class Corpus:
    """A world that stands still in the middle of a roll, its true state and the others."""

    witness: Witness
    true: State
    others: dict[str, State]


@pytest.fixture(scope="module")
def corpus() -> Iterator[Corpus]:
    with present() as world:
        web = fleets.make(world, size=2, addresses=0)
        world.upload("two")
        world.run_until(lambda: bool(web.refreshes), hours=2)
        at_another_time = copy.deepcopy(world.rollouts[0].whole)
        world.finish()
        earlier = copy.deepcopy(world.rollouts[0].whole)
        world.run_for(minutes=5)
        world.upload("three")
        world.run_until(lambda: len(web.refreshes) == 2, hours=2)
        world.run_for(seconds=5)
        true = copy.deepcopy(world.rollouts[1].whole)
        others = {
            "another fleet": _of_another_fleet(true),
            "an earlier rollout": earlier,
            "the roll of an earlier rollout": at_another_time,
        }
        with standing_still(world) as witness:
            yield Corpus(witness, true, others)


def _of_another_fleet(state: State) -> State:
    """The same shape, with names and ids that are nobody's here."""
    text = json.dumps(state).replace('"web', '"api').replace("web/", "api/")
    for kind in ("ami-0", "lt-0", "i-0"):
        text = text.replace(f'"{kind}', f'"{kind[:-1]}f')
    other: State = json.loads(text)
    return other


def _texts(state: State) -> set[str]:
    found = {at(state, path) for path in paths(state) if isinstance(at(state, path), str)}
    names = {step for path in paths(state) for step in path if isinstance(step, str)}
    return {text for text in found | names if len(text) > 2}


def _mixed(true: State, other: State, source: random.Random) -> State:
    """The true state with one to four parts of the other, of whatever size."""
    mixed = copy.deepcopy(true)
    places: list[Path] = list(paths(other))
    for _ in range(source.randint(1, 4)):
        path = source.choice(places)
        try:
            mixed = put(mixed, path, copy.deepcopy(at(other, path)))
        except (KeyError, IndexError, TypeError):
            continue  # a part that the mixture has lost, or never had
    return mixed


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    "name", ["another fleet", "an earlier rollout", "the roll of an earlier rollout"]
)
def test_a_mixture_changes_nothing_that_is_not_its_own(
    corpus: Corpus, step: str, name: str
) -> None:
    other, source = corpus.others[name], random.Random(f"{step} {name}")
    foreign = _texts(other) - _texts(corpus.true)
    for _ in range(MIXTURES):
        state = _mixed(corpus.true, other, source)
        if step == "undo_rollout":
            state["failure"] = FAILURE
        outcome = corpus.witness.ask(step, state)
        if outcome.refused or outcome.ignored:
            continue
        if outcome.change is None:
            forged = [part for part in RELIED_ON[step] if state.get(part) != corpus.true.get(part)]
            assert not forged, (step, outcome, forged)
            assert outcome.answer == corpus.witness.ask(step, corpus.true).answer
            continue
        written = json.dumps(outcome.change.params, default=str)
        leaked = sorted(text for text in foreign if text in written)
        assert not leaked, (step, outcome, leaked)


def test_the_true_state_is_taken_by_the_step_whose_turn_it_is(corpus: Corpus) -> None:
    """Else nothing of the above would show anything."""
    outcome = corpus.witness.ask("roll_group", corpus.true)
    assert outcome.change is not None, outcome
    taken: Any = outcome.change.params["Key"]["pk"]["S"]
    assert taken == "lane#web"
