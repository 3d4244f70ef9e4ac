"""A bounded part of ``make simulate``, and that it sees, repeats and counts what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import pytest

from ovenbird import turns
from tests.simulation import directed, seeds
from tests.simulation.kinds import KINDS
from tests.simulation.outcome import Outcome
from tests.simulation.places import Place
from tests.simulation.report import Report
from tests.simulation.run import play, run
from tests.simulation.schedule import Schedule
from tests.simulation.strikes import Strike
from tests.stories.story import a_fleet
from tests.stories.template import ROOT
from tests.stories.world import present

DRAWN = [seed for seed in range(1, 120) if seed % seeds.DIRECTED_EVERY][:45]
PAIRS = range(0, 920, 40)  # a part of the pairs; all of them take minutes


@pytest.mark.parametrize("seed", DRAWN)
def test_whatever_happens_every_invariant_holds(seed: int) -> None:
    outcome = run(seed)
    assert not outcome.broken, outcome.journal


@pytest.mark.parametrize("number", PAIRS)
def test_a_fault_at_a_call_breaks_nothing(number: int) -> None:
    seed = number * seeds.DIRECTED_EVERY
    outcome = run(seed)
    assert not outcome.broken, outcome.journal
    assert outcome.fired[directed.pairs()[number]]


@pytest.mark.parametrize("kind", ["answer lost", "failure of AWS", "no connection", "slow down"])
def test_an_undo_that_lambda_never_lets_begin_is_begun_by_what_comes_next(kind: str) -> None:
    """More often than it is repeated: the execution ends, and the event of its end is answered."""
    history = next(each for each in directed.HISTORIES if each.name == "a roll-back in the roll")
    place = Place("undo_rollout", "lambda", "Invoke")
    outcome = play(replace(history, strikes=(Strike(kind, times=12, place=place),)))
    assert not outcome.broken, outcome.journal
    assert outcome.fired[kind, place]


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_a_seed_is_the_same_history_in_every_process(hash_seed: str) -> None:
    code = "from tests.simulation.run import run; print(run(26).digest)"
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "layers/ovenbird")])
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert ran.stdout.split()[-1] == run(26).digest


def test_the_shortcut_gives_the_same_history() -> None:
    def history(shortcut: bool) -> list[tuple[object, ...]]:
        with a_fleet(shortcut=shortcut) as web:
            web.world.cloud.faults.throttle("DescribeImages", nth=3, times=7)
            web.world.cloud.faults.lose_answer("RunInstances", times=6)
            web.world.cloud.faults.fail("SendCommand", "InternalServerError", status=500)
            web.world.upload("two")
            web.world.finish()
            return [(call.at, call.operation, call.error) for call in web.world.calls]

    assert history(shortcut=True) == history(shortcut=False)


def test_what_is_broken_is_seen_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "leave", lambda *_: None)  # the lane is never given back
    outcome = play(directed.HISTORIES[0])
    assert "the lane is not free" in outcome.broken
    assert "BROKEN" in outcome.journal
    report = Report()
    report.add(outcome)
    assert f"make simulate SEED={outcome.seed}" in report.table()


def test_the_journal_of_a_replay_holds_calls_faults_events_and_states() -> None:
    kind, place = next(
        (kind, place) for kind, place in directed.pairs() if place.operation == "CreateImage"
    )
    number = directed.pairs().index((kind, place))
    journal = run(number * seeds.DIRECTED_EVERY, full=True).journal
    for said in (f"FAULT {kind} at {place}", "CreateImage {", "event EC2", "StateEntered"):
        assert said in journal


def test_a_pair_that_was_not_fired_is_missed() -> None:
    here, new = Place("bake_image", "ec2", "CreateImage"), Place("roll_group", "sns", "Publish")
    outcome = Outcome(1, places={here, new}, fired=Counter({("answer lost", here): 1}))
    report = Report()
    report.add(outcome)
    missing = report.missing()
    assert ("answer lost", here) not in missing
    assert ("killed after", here) in missing
    assert ("answer lost", new) in missing
    assert f"1 of {len(report.pairs())} pairs" in report.table()


def test_the_directed_histories_come_by_every_call_that_an_adapter_declares() -> None:
    sources = (ROOT / "layers/ovenbird/ovenbird").rglob("*.py")
    declared = {
        operation
        for source in sources
        for line in re.findall(r"^ +IAM: (.+)", source.read_text(), re.MULTILINE)
        for operation in re.findall(r"[a-z0-9]:([A-Z]\w+)", line)
    }
    operations = {place.operation for _kind, place in directed.pairs()}
    assert operations == declared | {"Invoke"}


def test_every_kind_of_fault_is_possible_somewhere() -> None:
    fired = {kind for kind, _place in directed.pairs()}
    assert fired == set(KINDS)


def test_a_schedule_says_itself() -> None:
    drawn: Schedule = seeds.drawn(26)
    assert seeds.drawn(26) == drawn
    for part in (*drawn.wishes, *drawn.strikes, *drawn.fates, *drawn.mishaps):
        assert str(part) in str(drawn)


def test_two_worlds_in_one_process_know_nothing_of_each_other() -> None:
    first = run(7).digest
    run(8)
    with present():
        pass
    assert run(7).digest == first
