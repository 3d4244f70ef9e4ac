"""AcceptRelease: a push, or a wish by hand, becomes one execution for each fleet that wants it.

The execution's name comes from the fleet and the push, so the same push told twice is one rollout.
What concerns no fleet is acknowledged and ignored, with the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ovenbird import answers, events, turns
from ovenbird.answers import Answer
from ovenbird.aws import executions, parameters
from ovenbird.core import releases
from ovenbird.core.releases import Push, Release
from ovenbird.events import Ignored, RollBackAsked
from ovenbird.fleet import Fleet
from ovenbird.ledger import doorbells, lanes
from ovenbird.settings import settings


def step(event: dict[str, Any], now: datetime) -> Answer:
    """Start what is asked for: ``{"accepted": [{fleet, rollout, …}], "ignored": reason}``.

    Raises:
        BadEvent: The event or payload is not well made.
        BadFleet, NotFound: The fleet that a wish by hand names has a bad document, or none.
    """
    asked = events.release(event, now, settings().home)
    if isinstance(asked, Ignored):
        return _answer([], [asked.reason], {})
    if isinstance(asked, RollBackAsked):
        return _roll_back(asked)
    if asked.fleet is not None and asked.source == "manual":
        return _start(asked, [parameters.fleet(asked.fleet)], {})
    documents = parameters.fleets()
    if asked.fleet is None:
        return _start(asked, documents.fleets, documents.bad)
    fleets = [fleet for fleet in documents.fleets if fleet.name == asked.fleet]
    bad = {name: why for name, why in documents.bad.items() if name == asked.fleet}
    return _start(asked, fleets, bad)


def _start(push: Push, fleets: Sequence[Fleet], bad: dict[str, str]) -> Answer:
    accepted, ignored = [], []
    for fleet in fleets:
        release = releases.wanted(fleet.release, push)
        if release is None:
            continue
        rollout = releases.rollout_id(fleet.name, release, dry_run=push.dry_run)
        if executions.start(rollout, _input(fleet.name, rollout, release, push.dry_run)):
            accepted.append({"fleet": fleet.name, "rollout": rollout, "revision": release.revision})
        else:
            ignored.append(f"the same release was started before, as rollout {rollout}")
    if not accepted and not ignored:
        whom = f"the fleet {push.fleet}" if push.fleet else "no fleet"
        wants = "does not want" if push.fleet else "wants"
        ignored.append(f"{whom} {wants} {push.release.description} from {push.source}")
    return _answer(accepted, ignored, bad)


def _input(fleet: str, rollout: str, release: Release, dry_run: bool) -> dict[str, Any]:
    return {
        "rollout": rollout,
        "fleet": fleet,
        "action": "release",
        "release": release.to_json(),
        "at": release.at,
        "dry_run": dry_run,
    }


def _roll_back(asked: RollBackAsked) -> Answer:
    """While a release rolls, stopping it is the roll-back; else it is a rollout of its own."""
    fleet = parameters.fleet(asked.fleet)
    rollout = releases.roll_back_id(fleet.name, asked.request)
    holder = lanes.read(fleet.name).holder
    if holder and executions.is_running(holder):
        if releases.is_roll_back(fleet.name, holder):
            return _answer([], [f"fleet {fleet.name} is being rolled back already: {holder}"], {})
        if _stop(asked, holder) and asked.image is None:
            accepted = [{"fleet": fleet.name, "rollout": holder, "stopping": True}]
            return _answer(accepted, [], {})
    wish = {
        "rollout": rollout,
        "fleet": fleet.name,
        "action": "roll-back",
        "release": None,
        "image": asked.image,
        "reason": asked.reason,
        "at": asked.at,
        "dry_run": False,
    }
    if executions.start(rollout, wish):
        return _answer([{"fleet": fleet.name, "rollout": rollout}], [], {})
    return _answer([], [f"the same was asked for within this minute: rollout {rollout}"], {})


def _stop(asked: RollBackAsked, holder: str) -> bool:
    """Whether the holder was told; not where the lane has changed hands meanwhile."""
    stopping = lanes.request_stop(
        asked.fleet, holder, "A roll-back by hand", asked.reason, asked.at
    )
    if stopping is None:
        return False
    turns.wake(stopping.displaced)
    if stopping.doorbell:
        executions.complete(doorbells.ring(stopping.doorbell))
    return True


def _answer(accepted: list[dict[str, Any]], ignored: list[str], bad: dict[str, str]) -> Answer:
    told = [
        *(
            f"{each['rollout']} of fleet {each['fleet']} "
            + ("is told to stop" if each.get("stopping") else "is started")
            for each in accepted
        ),
        *(f"ignored: {reason}" for reason in ignored),
        *(f"passed over: {why}" for why in bad.values()),
    ]
    return answers.done(
        "; ".join(told).rstrip(".") + ".",
        accepted=accepted,
        ignored="; ".join(ignored) or None,
        bad_fleets=bad,
        counts={"BadFleets": len(bad)},
    )
