"""Runs one act: does what a person would do, and watches until its rollout has ended."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from itertools import count, pairwise

from ovenbird.core import prices
from sandbox.demo.executions import Progress, Rollouts
from sandbox.demo.fleet_view import LEAVING, SERVING, STARTING, FleetView
from sandbox.demo.recording import NOBODY, Act, Moment, Show, StateEntered
from sandbox.demo.screen import Screen
from sandbox.demo.traffic import Traffic
from sandbox.sandbox import Sandbox

LOOK_EVERY = 0.25  # real seconds
LONGEST = 120.0
EPILOGUE = 1.5  # so that the picture shows the last instances leave
READING = ("Describe", "Get", "List", "Query")
PHRASES = {STARTING: "starts", SERVING: "serves", LEAVING: "leaves"}
SAID = {
    "Plan": "planning",
    "Queue": "waiting for the lane",
    "Bake": "baking an image",
    "Publish": "publishing a launch template version",
    "Roll": "rolling the group",
    "Addresses": "checking the addresses",
    "Settle": "settling",
    "Undo": "something failed: undoing it",
}


class NothingHappened(Exception):
    """No rollout started, or it did not end in time."""


class Director:
    """Everything that an act needs, and the one clock of the show."""

    def __init__(
        self,
        sandbox: Sandbox,
        show: Show,
        screen: Screen,
        traffic: Traffic,
        view: FleetView,
        rollouts: Rollouts,
    ) -> None:
        self._sandbox, self._show, self._screen = sandbox, show, screen
        self._traffic, self._view, self._rollouts = traffic, view, rollouts
        self._epoch = time.time() - time.monotonic()

    def play(self, act: Act, do: Callable[[], None]) -> None:
        """Do it, and record the act to the end of its rollout.

        Raises:
            NothingHappened: There was no rollout within the time of an act, or no end of it.
        """
        self._show.acts.append(act)
        before = self._rollouts.known()
        first_call = len(self._sandbox.gateway.calls)
        self._screen.begin(act)
        self._look(act)
        do()
        execution = self._started(act, before)
        act.rollout = execution.rpartition(":")[2]
        progress = self._followed(act, execution)
        act.result, act.reason = progress.status, _sentence(progress.result)
        act.transitions, act.history_events = progress.transitions, progress.events
        self._count(act, first_call)
        act.say(self._now(), _ending(act), "good" if act.succeeded else "bad")
        end = self._now() + EPILOGUE
        while self._now() < end:
            self._look(act)
            time.sleep(LOOK_EVERY)
        act.ended = self._now()
        act.dollars = _dollars(self._show, act)
        self._screen.finish(act)

    def _started(self, act: Act, before: set[str]) -> str:
        """The execution that is new since then."""
        while self._now() - act.began < LONGEST:
            new = self._rollouts.known() - before
            if new:
                return min(new)
            self._look(act)
            time.sleep(LOOK_EVERY)
        raise NothingHappened(f"{act.title}: no rollout started.")

    def _followed(self, act: Act, execution: str) -> Progress:
        for turn in count():
            progress = self._rollouts.progress(execution)
            self._enter(act, progress)
            if progress.is_over:
                return progress
            if self._now() - act.began > LONGEST:
                raise NothingHappened(f"{act.title}: not over after {LONGEST:.0f} seconds.")
            for _ in range(2 if turn else 1):
                self._look(act)
                time.sleep(LOOK_EVERY)
        raise AssertionError("count() has no end")

    def _enter(self, act: Act, progress: Progress) -> None:
        for at, name in progress.steps[len(act.states) :]:
            moment = at - self._epoch
            act.states.append(StateEntered(moment, name))
            act.say(moment, SAID[name], "bad" if name == "Undo" else "plain")

    def _look(self, act: Act) -> None:
        balancer, addresses = self._traffic.tallies()
        moment = Moment(
            self._now(),
            self._view.instances(),
            self._view.holders(),
            self._view.has_builder(),
            balancer,
            addresses,
        )
        if act.moments:
            _tell(act, act.moments[-1], moment)
        act.moments.append(moment)
        self._screen.draw(act, moment.at)

    def _count(self, act: Act, first_call: int) -> None:
        """What Ovenbird's functions asked of AWS until its rollout had ended."""
        functions = self._sandbox.keys.functions.id
        made = self._sandbox.gateway.calls[first_call:]
        calls = [call for call in made if call.caller == functions]
        act.api_calls = len(calls)
        act.changing_calls = sum(not call.operation.startswith(READING) for call in calls)
        act.baked = any(call.operation == "CreateImage" for call in calls)

    def _now(self) -> float:
        return time.monotonic()


def _tell(act: Act, before: Moment, after: Moment) -> None:
    """Put into words what has changed between two looks."""
    known = {seen.instance_id: seen for seen in before.instances}
    for seen in after.instances:
        old = known.pop(seen.instance_id, None)
        if old is None or old.phase != seen.phase:
            act.say(after.at, f"{seen.instance_id} ({seen.version}) {PHRASES[seen.phase]}")
        elif old.health != "unhealthy" == seen.health:
            act.say(after.at, f"{seen.instance_id} ({seen.version}) fails its health checks", "bad")
    for gone in known.values():
        act.say(after.at, f"{gone.instance_id} ({gone.version}) is gone")
    held = dict(before.holders)
    for address, holder in after.holders:
        if held.get(address) != holder:
            where = f"moves to {holder}" if holder != NOBODY else "points nowhere"
            act.say(after.at, f"{address} {where}", "bad" if holder == NOBODY else "plain")
    if before.builder != after.builder:
        act.say(after.at, "a builder is launched" if after.builder else "the builder is gone")


def _ending(act: Act) -> str:
    return f"{act.rollout}: {act.outcome}"


def _sentence(result: str) -> str:
    """What became of it, in words; how long that took is told in cloud time, not by a Lambda."""
    if result.startswith("{"):
        result = str(json.loads(result).get("errorMessage", result))
    result = result.partition("; it took")[0]
    return result if len(result) <= 400 else result[:399] + "…"


def _dollars(show: Show, act: Act) -> float:
    """On top of what the fleet costs: the machine, the functions, and instances beyond four.

    A function is taken to run for half a second at 512 MB for each of its calls: an upper bound.
    """
    first = len(act.moments[0].instances)
    extra_seconds = sum(
        (after.at - before.at) * max(len(before.instances) + before.builder - first, 0)
        for before, after in pairwise(act.moments)
    )
    hours = show.cloud_seconds(extra_seconds) / 3600
    return (
        act.transitions * prices.STATE_TRANSITION
        + act.transitions * prices.LAMBDA_REQUEST
        + act.api_calls * 0.25 * prices.LAMBDA_GB_SECOND
        + hours * (prices.INSTANCE_HOUR + prices.PUBLIC_IPV4_HOUR)
        + (prices.IMAGE_GB * prices.SNAPSHOT_GB_MONTH if act.baked else 0)
    )
