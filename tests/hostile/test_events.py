"""Every function with every event, whole and spoilt."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.hostile.mutations import WRONG_TYPES, at, nested, paths, put, spoilt, values
from tests.hostile.witness import Outcome, Witness, standing_still
from tests.stories import fleets
from tests.stories.template import ROOT
from tests.stories.world import BUCKET, present

FUNCTIONS = sorted(path.parent.name for path in ROOT.glob("functions/*/app.py"))
EXAMPLES = hypothesis_settings.get_profile("hostile")
HOME = {"account": "000000000000", "region": "us-east-1"}


def sample(path: Path) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return event | (HOME if "account" in event else {}) | _today(event)


def _today(event: dict[str, Any]) -> dict[str, str]:
    return {"time": "2026-01-05T09:00:00Z"} if "time" in event else {}


SAMPLES = {path.stem: sample(path) for path in sorted(ROOT.glob("events/*.json"))}
# As in the world: a bucket and a fleet that exist.
SAMPLES["accept-release.s3"]["detail"]["bucket"]["name"] = BUCKET
# What EventBridge delivers; the others are payloads of people.
PUSHES = [
    name
    for name, event in SAMPLES.items()
    if name.startswith("accept-release.") and "detail-type" in event
]


def function_of(name: str) -> str:
    stem = name.split(".")[0].replace("-", "_")
    return stem if stem in FUNCTIONS else "accept_release"


@pytest.fixture(scope="module")
def witness() -> Iterator[Witness]:
    with present() as world:
        sources = {
            "s3": {"bucket": BUCKET, "key": "*"},
            "codepipeline": {"pipeline": "web"},
            "codecommit": {"repository": "web", "branch": "main", "tag": "v*"},
            "codebuild": {"project": "web"},
            "ecr": {"repository": "web"},
        }
        fleets.make(world, release=sources, roll={"alarms": ["web-5xx"]})
        with standing_still(world) as witness:
            yield witness


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("name", SAMPLES)
def test_every_function_with_every_event(witness: Witness, function: str, name: str) -> None:
    outcome = witness.ask(function, SAMPLES[name])
    if outcome.change is not None:
        own = {function_of(name), "move_address"}
        if name == "plan-rollout":  # a plan is asked for with the payload of a release
            own.add("accept_release")
        assert function in own, outcome


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("event", [None, "", 7, [], {}, nested(300), "x" * 10**6, {"": {}}])
def test_what_is_no_event(witness: Witness, function: str, event: Any) -> None:
    outcome = witness.ask(function, event)
    assert outcome.refused or outcome.ignored, outcome
    assert outcome.change is None


@pytest.mark.parametrize("name", SAMPLES)
def test_spoilt_events(witness: Witness, name: str) -> None:
    @hypothesis_settings(EXAMPLES, max_examples=60)
    @given(spoilt(SAMPLES[name]))
    def ask(event: Any) -> None:
        witness.ask(function_of(name), event)

    ask()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_events_that_are_not_its_own(witness: Witness, function: str) -> None:
    strange = st.sampled_from(sorted(SAMPLES)).flatmap(lambda name: spoilt(SAMPLES[name]))

    @hypothesis_settings(EXAMPLES, max_examples=60)
    @given(strange | st.dictionaries(st.text(max_size=10), values, max_size=4) | values)
    def ask(event: Any) -> None:
        witness.ask(function, event)

    ask()


def _wish(outcome: Outcome) -> tuple[str, str]:
    """What is asked of AWS first, without names that come from the time of the request."""
    assert outcome.change is not None
    return outcome.change.operation, str(outcome.change.params)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_wrong_type_is_refused_or_makes_no_difference(witness: Witness, name: str) -> None:
    event = SAMPLES[name]
    usual = witness.ask(function_of(name), event)
    for path in paths(event):
        for value in WRONG_TYPES:
            if value is None or isinstance(value, type(at(event, path))):
                continue
            outcome = witness.ask(function_of(name), put(event, path, value))
            if not outcome.refused and not outcome.ignored:
                assert (outcome.change is None) == (usual.change is None), (path, value, outcome)
                if outcome.change is not None:
                    assert _wish(outcome) == _wish(usual), (path, value)


@pytest.mark.parametrize("name", PUSHES)
class TestPushes:
    def test_starts_a_rollout_as_it_is(self, witness: Witness, name: str) -> None:
        outcome = witness.ask("accept_release", SAMPLES[name])
        assert outcome.change is not None
        assert outcome.change.operation == "StartExecution"

    def test_replayed_by_an_archive(self, witness: Witness, name: str) -> None:
        outcome = witness.ask("accept_release", SAMPLES[name] | {"replay-name": "yesterday"})
        assert outcome.ignored

    def test_from_the_future(self, witness: Witness, name: str) -> None:
        """It would be the newest release for ever, and every other one stale."""
        outcome = witness.ask("accept_release", SAMPLES[name] | {"time": "2031-01-01T00:00:00Z"})
        assert outcome.failure == "BadEvent"
        assert outcome.message.startswith('time is "2031-01-01T00:00:00Z"; it must not lie')

    @pytest.mark.parametrize("other", [{"account": "999999999999"}, {"region": "mars-north-1"}])
    def test_from_another_account_or_region(
        self, witness: Witness, name: str, other: dict[str, str]
    ) -> None:
        """A pipeline called ``web`` may exist there too; a bucket of that name may not."""
        outcome = witness.ask("accept_release", SAMPLES[name] | other)
        assert outcome.ignored != name.endswith(("s3", "requested"))


@pytest.mark.parametrize("name", ["accept-release", "roll-back", "plan-rollout", "move-address"])
@pytest.mark.parametrize("fleet", ["nobody", "../web", "web/paused", "Web", "", "w" * 41])
def test_unknown_fleets(witness: Witness, name: str, fleet: str) -> None:
    outcome = witness.ask(function_of(name), SAMPLES[name] | {"fleet": fleet})
    assert outcome.failure in ("NotFound", "BadFleet", "BadEvent"), outcome
    assert outcome.change is None
