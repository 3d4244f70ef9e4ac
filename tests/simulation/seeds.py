"""From a seed to its schedule: every fifth seed is directed, the others are drawn."""

from __future__ import annotations

import random
from typing import Any, get_args

from tests.simulation.fates import Fare, Fate
from tests.simulation.kinds import KINDS
from tests.simulation.mishaps import SORTS
from tests.simulation.schedule import Made, Mishap, Moment, Quality, Schedule, Wish
from tests.simulation.strikes import Strike
from tests.stories.world import BUCKET

DIRECTED_EVERY = 5
_SEEN = 120  # seconds in which the balancers have surely called a new instance healthy

_FARES: tuple[Fare, ...] = get_args(Fare)
_QUALITIES: tuple[Quality, ...] = get_args(Quality)
_GOOD: tuple[Quality, ...] = ("good", "good")
_EVENTS = (
    "",
    "Object Created",
    "EC2 ",
    "EC2 Instance State-change",
    "EC2 Command",
    "EC2 AMI State Change",
    "EC2 Auto Scaling Instance Refresh",
    "EC2 Instance Launch",
    "EC2 Instance Terminate",
    "CloudWatch Alarm",
    "Parameter Store Change",
    "Step Functions",
)


def schedule(seed: int) -> Schedule:
    """The schedule of a seed."""
    from tests.simulation import directed

    if seed % DIRECTED_EVERY == 0:
        return directed.schedule(seed, seed // DIRECTED_EVERY)
    return drawn(seed)


def drawn(seed: int) -> Schedule:
    """Everything at random."""
    source = random.Random(seed)
    wishes = _wishes(source)
    return Schedule(
        seed,
        made=_made(source),
        wishes=wishes,
        strikes=tuple(_strike(source) for _ in range(_few(source, 0.75, 6))),
        fates=tuple(_fate(source) for _ in range(_few(source, 0.35, 3))),
        mishaps=tuple(_mishap(source) for _ in range(_few(source, 0.4, 3))),
        encore=source.random() < 0.2,
    )


def _few(source: random.Random, likely: float, most: int) -> int:
    """None at all, or a few."""
    return source.randint(1, most) if source.random() < likely else 0


def _made(source: random.Random) -> Made:
    size = source.choice((0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 8, 12))
    roll: dict[str, Any] = {"stall_minutes": source.choice((5, 10, 20))}
    if source.random() < 0.3:
        roll["min_healthy_percent"] = source.choice((50, 75, 90, 100))
    if source.random() < 0.3:
        roll["max_healthy_percent"] = source.choice((110, 125, 150))
    if roll.get("min_healthy_percent") == 100 and size == 1:
        roll.pop("max_healthy_percent", None)
    if source.random() < 0.2:
        roll["checkpoints"] = source.choice(([50, 100], [20, 60, 100], [100]))
        roll["checkpoint_delay_seconds"] = source.choice((30, 300))
    if source.random() < 0.3:
        roll["bake_time_seconds"] = source.choice((60, 300))
    if source.random() < 0.3:
        roll["warmup_seconds"] = source.choice((0, 30, 120))
    for name in ("skip_matching", "auto_rollback"):
        if source.random() < 0.2:
            roll[name] = False
    if source.random() < 0.3:
        roll["alarms"] = ["web-5xx"]
    if source.random() < 0.1:
        roll["protected_instances"] = source.choice(("Refresh", "Ignore", "Wait"))
        roll["standby_instances"] = source.choice(("Terminate", "Ignore", "Wait"))
    if source.random() < 0.2 and size <= 6:  # more cannot be rolled in that time
        roll["give_up_after_minutes"] = source.choice((60, 90))
    version = source.choice(("1", "1", "1", "1", "$Latest", "$Default"))
    if version != "1":
        roll["pin"] = True
    bake = {"install": ['tar -xzf "$OVENBIRD_ARTIFACT"'], "timeout_minutes": 20}
    document: dict[str, Any] = {"roll": roll, "bake": bake}
    if source.random() < 0.3:
        document["release"] = {"s3": {"bucket": BUCKET, "key": "web/*"}}
    made = Made(
        size=size,
        addresses=source.randint(0, min(3, size)) if size else source.choice((0, 0, 1)),
        mixed=source.random() < 0.2,
        version=version,
        document=document,
        health="EC2" if source.random() < 0.25 else "ELB",
    )
    if made.health == "EC2" and roll.get("warmup_seconds", _SEEN) < _SEEN:
        # AWS asks no balancer there, so whoever wants it faster than they look is promised nothing.
        del roll["warmup_seconds"]
    return made


def _wishes(source: random.Random) -> tuple[Wish, ...]:
    quality = source.choice((*_GOOD * 6, *_QUALITIES))
    many = source.choice((1, 1, 1, 1, 1, 1, 2, 2, 3, 8))
    first = Wish("release", Moment(), quality, many)
    if source.random() < 0.1:
        others = Wish("no release", Moment(source.uniform(0, 900)), many=source.randint(1, 5))
        return first, others
    more = source.random()
    if more < 0.55:
        return (first,)
    if more < 0.75:
        second = source.choice((*_GOOD, *_QUALITIES))
        moment = Moment(source.choice((0.0, 0.2, 0.9, 5.0, 40.0, 200.0, 900.0, 3000.0)))
        return first, Wish("release", moment, second)
    if more < 0.87:
        steps = ("", "plan_rollout", "bake_image", "roll_group", "settle_rollout", "undo_rollout")
        moment = Moment(source.uniform(0, 600), source.choice(steps))
        back = Wish("roll back", moment)
        return (first, back, Wish("roll back", Moment(5000))) if more < 0.8 else (first, back)
    if more < 0.93:
        ends = Moment(source.uniform(60, 9000))
        return (Wish("pause", Moment(0, "")), first, Wish("unpause", ends))
    return first, Wish("release the same again", Moment(source.uniform(0, 3000)))


def _strike(source: random.Random) -> Strike:
    kind = source.choice([kind for kind in KINDS.values() if kind.name != "stopped by hand"])
    if source.random() < 0.03:
        kind = KINDS["stopped by hand"]
    times = 1 if source.random() < 0.6 else source.randint(1, max(1, min(kind.patience, 6)))
    return Strike(kind.name, nth=source.randint(1, 150), times=times)


def _fate(source: random.Random) -> Fate:
    fare = source.choice(_FARES)
    amount = {
        "doubled": source.choice((2, 3, 50)),
        "late": source.choice((0.2, 2, 30, 1440)),
        "jumbled": source.choice((2, 30, 300)),
    }.get(fare, 1)
    return Fate(source.choice(_EVENTS), fare, source.choice((0.2, 0.5, 1.0)), amount)


def _mishap(source: random.Random) -> Mishap:
    name = source.choice(sorted(SORTS))
    after = source.choice(SORTS[name].after)
    delay = source.choice((0.0, source.uniform(0, 60), source.uniform(0, 600)))
    return Mishap(name, Moment(delay, after), source.random())
