"""One seed for each pair: this fault at the first of these calls, in a history that makes it.

The histories below come by every place where Ovenbird calls AWS; undisturbed they say which faults
are possible there.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from tests.simulation.kinds import KINDS
from tests.simulation.schedule import Made, Mishap, Moment, Schedule, Wish
from tests.simulation.strikes import Pair, Strike

# A state machine tries a function that is killed 7 times, and a step that fails 9 times; the SDK
# tries each call 5 times.
_IN_A_ROW = (1, 2, 3, 4, 6, 7, 8, 9, 10, 12, 20, 34, 36, 44, 46, 60)
_ALARMS: dict[str, Any] = {"roll": {"alarms": ["web-5xx"], "stall_minutes": 5}}


def _half_way(delay: float = 150) -> Moment:
    return Moment(delay, "roll_group")


HISTORIES: tuple[Schedule, ...] = (
    Schedule(0, Made(document=_ALARMS), name="a release"),
    Schedule(0, wishes=(Wish("release"), Wish("release", Moment(200))), name="two releases"),
    Schedule(
        0,
        wishes=(Wish("release"), Wish("release", Moment(200)), Wish("release", Moment(300))),
        name="three releases",
    ),
    Schedule(
        0,
        Made(document=_ALARMS),
        (Wish("release"), Wish("roll back", Moment(4000))),
        name="a release and its roll-back",
    ),
    Schedule(
        0, wishes=(Wish("release"), Wish("roll back", _half_way())), name="a roll-back in the roll"
    ),
    Schedule(0, wishes=(Wish("release", quality="script fails"),), name="a script that fails"),
    Schedule(
        0,
        Made(document=_ALARMS),
        (Wish("release", quality="never healthy"),),
        name="a release that is never healthy",
    ),
    Schedule(
        0,
        Made(document={"roll": {**_ALARMS["roll"], "auto_rollback": False}}),
        mishaps=(Mishap("alarm goes off", _half_way(), 0.1),),
        name="an alarm",
    ),
    Schedule(
        0, wishes=(Wish("release"), Wish("roll back", Moment(30, "bake_image"))), name="a stop"
    ),
    Schedule(
        0,
        Made(document=_ALARMS),
        (Wish("release", quality="never healthy"), Wish("release", Moment(400))),
        name="a bad release and a good one in the queue",
    ),
    Schedule(
        0,
        Made(document={"roll": {"auto_rollback": False}}),
        (Wish("release"), Wish("roll back", _half_way())),
        mishaps=(Mishap("group follows $Latest", Moment(0, "publish_template")),),
        name="a roll that cannot be rolled back",
    ),
    Schedule(
        0,
        Made(version="$Latest", document={"roll": {"pin": True}}),
        name="a group that is pinned",
    ),
    Schedule(
        0,
        wishes=(Wish("pause"), Wish("release", Moment(5)), Wish("unpause", Moment(400))),
        name="a pause",
    ),
    Schedule(
        0,
        wishes=(Wish("release"), Wish("release the same again", Moment(4000))),
        name="the same content again",
    ),
    Schedule(0, wishes=(Wish("dry run"),), name="a dry run"),
    Schedule(
        0,
        wishes=(Wish("release"), Wish("release", Moment(500))),
        mishaps=(Mishap("execution stopped", Moment(60, "bake_image"), 0.9),),
        name="a seized lane",
    ),
    Schedule(
        0,
        wishes=(Wish("release"), Wish("release the same again", Moment(2000))),
        mishaps=(Mishap("execution stopped", Moment(130, "bake_image"), 0.9),),
        name="a builder that a stopped execution left",
    ),
    Schedule(
        0,
        wishes=(Wish("release"), Wish("release", Moment(2700))),
        mishaps=(Mishap("execution sleeps", _half_way(60), 0.6),),
        name="an owner that sleeps past its lease",
    ),
    Schedule(0, Made(odd="a classic balancer"), name="a classic balancer"),
    # They stay free where the rollout comes to nothing, until a release succeeds.
    Schedule(0, Made(odd="free addresses"), encore=True, name="free addresses"),
    # Nobody expects these to succeed: the plan is refused.
    Schedule(
        0,
        Made(odd="addresses of elsewhere"),
        (Wish("release", quality="script fails"),),
        name="addresses of another border group",
    ),
    Schedule(
        0,
        Made(odd="an ARM base"),
        (Wish("release", quality="script fails"),),
        name="a base of another architecture",
    ),
)


@cache
def _undisturbed() -> dict[Pair, Schedule]:
    """Every pair that is possible, and the first history in which it is."""
    from tests.simulation.run import play

    found: dict[Pair, Schedule] = {}
    for history in HISTORIES:
        outcome = play(history, scouts=True)
        assert not outcome.broken, f"{history.name}: {outcome.broken}\n{outcome.journal}"
        for pair in sorted(outcome.pairs):
            found.setdefault(pair, history)
    return found


@cache
def pairs() -> tuple[Pair, ...]:
    """Every kind of fault at every place where it is possible, in a fixed order."""
    return tuple(sorted(_undisturbed(), key=lambda pair: (pair[1], pair[0])))


def schedule(seed: int, number: int) -> Schedule:
    """The directed schedule of that number: each pair in turn, once in the first round.

    In later rounds the fault is drawn to come so often in a row that some rollouts must survive it
    and others cannot: a step is tried nine times, and each call of the SDK five times.
    """
    everything: Sequence[Pair] = pairs()
    turn, index = divmod(number, len(everything))
    kind, place = everything[index]
    repeats = turn and KINDS[kind].patience
    times = random.Random(seed).choice(_IN_A_ROW) if repeats else 1
    strike = Strike(kind, nth=1, times=times, place=place)
    return replace(_undisturbed()[kind, place], seed=seed, strikes=(strike,))
