"""AcceptRelease: a push, or a wish by hand, becomes one execution for each fleet that wants it.

The execution's name comes from the fleet and the push, so the same push told twice is one rollout.
What concerns no fleet is acknowledged and ignored, with the reason.

A request is written down before its execution is started: with its place in the order of the fleet,
which later repetitions find there, and with a digest of what was asked for, which they must match.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ovenbird import answers, events, recovery, turns
from ovenbird.answers import Answer
from ovenbird.aws import executions, parameters
from ovenbird.core import orders, releases
from ovenbird.core.orders import Older, Rank
from ovenbird.core.releases import Push, Release, Unwanted
from ovenbird.errors import Refused
from ovenbird.events import Ignored, RollBackAsked
from ovenbird.fleet import Fleet
from ovenbird.ledger import doorbells, lanes
from ovenbird.ledger import orders as ledger
from ovenbird.settings import settings

Wish = dict[str, Any]
_NAME_IS_TAKEN = timedelta(days=90)  # Step Functions forgets an execution's name after them


def step(event: dict[str, Any], now: datetime) -> Answer:
    """Start what is asked for: ``{"accepted": [{fleet, rollout, …}], "ignored": reason}``.

    Raises:
        BadEvent: The event or payload is not well made.
        BadFleet, NotFound: The fleet that a wish by hand names has a bad document, or none.
        Refused: Something else bears the name of the rollout already.
    """
    asked = events.release(event, now, settings().home)
    if isinstance(asked, Ignored):
        return _answer([], [asked.reason], {})
    if isinstance(asked, RollBackAsked):
        return _roll_back(asked, now)
    if asked.fleet is not None:
        return _start(asked, [parameters.fleet(asked.fleet)], {}, now)
    documents = parameters.fleets()
    return _start(asked, documents.fleets, documents.bad, now)


def _start(push: Push, fleets: Sequence[Fleet], bad: dict[str, str], now: datetime) -> Answer:
    accepted, ignored, refused = [], [], []
    for fleet in fleets:
        release = releases.wanted(fleet.release, push, settings().home)
        if isinstance(release, Unwanted):
            if push.fleet:
                raise Refused(f"Fleet {fleet.name} does not take it: {release.reason}.")
            continue
        rollout = releases.rollout_id(fleet.name, release, dry_run=push.dry_run)
        wish = _release(fleet.name, rollout, release, push.dry_run)
        try:
            reason = _accept(wish, release.at, push.rank, now)
        except Refused as refusal:  # the other fleets get theirs
            refused.append(str(refusal))
            continue
        if reason:
            ignored.append(reason)
        else:
            accepted.append({"fleet": fleet.name, "rollout": rollout, "revision": release.revision})
    if refused:
        raise Refused(" ".join(refused))
    if not accepted and not ignored:
        ignored.append(f"no fleet wants {push.release.description} from {push.source}")
    return _answer(accepted, ignored, bad)


def _release(fleet: str, rollout: str, release: Release, dry_run: bool) -> Wish:
    return {
        "rollout": rollout,
        "fleet": fleet,
        "action": "release",
        "release": release.to_json(),
        "dry_run": dry_run,
    }


def _accept(wish: Wish, at: str, rank: Rank | None, now: datetime) -> str:
    """Write it down and start it; why it was not started, or empty.

    Killed anywhere and repeated it has the same order, and starts what was not started.

    Raises:
        Refused: Something else was accepted, or started, under the same name.
    """
    order = _order(wish, at, rank, now)
    if isinstance(order, Older):
        return f"{order.reason} for fleet {wish['fleet']}"
    rollout = wish["rollout"]
    wish = _in_order(wish, order)
    if executions.start(rollout, wish):
        return ""
    if orders.digest(executions.asked(rollout)) != orders.digest(wish):
        raise Refused(
            f"The execution {rollout} was started with another input than was accepted; release "
            "again by hand, and find out who may start executions."
        )
    return f"the same was started before, as rollout {rollout}"


def _order(wish: Wish, at: str, rank: Rank | None, now: datetime) -> str | Older:
    """The place of a request in the order of its fleet, written down; the same whenever asked."""
    fleet, rollout = wish["fleet"], wish["rollout"]
    known = ledger.accepted(rollout)
    if known is None:
        told = orders.moment(at, now)
        proof = None if rank is None or wish["dry_run"] else replace(rank, at=told)
        order = ledger.count(fleet, told, proof)
        if isinstance(order, Older):
            return order
        known = ledger.accept(
            rollout,
            fleet=fleet,
            order=order,
            asked=orders.digest(_in_order(wish, order)),
            wish=_in_order(wish, order),
            expires=now + _NAME_IS_TAKEN if wish["dry_run"] else None,
        )
    if known.asked != orders.digest(_in_order(wish, known.order)):
        raise Refused(
            f"Something else was accepted before under the name {rollout}; give the release "
            "another revision."
        )
    return known.order


def _in_order(wish: Wish, order: str) -> Wish:
    """The execution's input: what the event said of the time gives way to what was accepted."""
    at = orders.time_of(order)
    release = wish["release"]
    dated = release if release is None else release | {"at": at}
    return wish | {"release": dated, "at": at, "order": order}


def _roll_back(asked: RollBackAsked, now: datetime) -> Answer:
    """While a release rolls, stopping it is the roll-back; else it is a rollout of its own."""
    fleet = parameters.fleet(asked.fleet)
    holder = _holder(fleet.name, now)
    if releases.is_roll_back(fleet.name, holder):
        if holder == releases.rollout_of(holder):
            return _answer([], [f"fleet {fleet.name} is being rolled back already: {holder}"], {})
        holder = ""  # it is being undone; this one comes next
    rollout = releases.roll_back_id(fleet.name, asked.request, holder)
    wish: Wish = {
        "rollout": rollout,
        "fleet": fleet.name,
        "action": "roll-back",
        "release": None,
        "image": asked.image,
        "reason": asked.reason,
        "dry_run": False,
    }
    if holder:
        order = _order(wish, asked.at, None, now)
        if isinstance(order, str) and _stop(asked, holder, order) and asked.image is None:
            stopped = releases.rollout_of(holder)
            accepted = [{"fleet": fleet.name, "rollout": stopped, "stopping": True}]
            return _answer(accepted, [], {})
    if _accept(wish, asked.at, None, now):
        return _answer([], [f"the same was asked for within this minute: rollout {rollout}"], {})
    return _answer([{"fleet": fleet.name, "rollout": rollout}], [], {})


def _holder(fleet: str, now: datetime) -> str:
    """The execution that has the lane and runs; the undo of one that has died is begun here."""
    holder = lanes.read(fleet).holder
    if not holder:
        return ""
    execution = executions.describe(settings().execution_arn(holder))
    if execution is not None and execution.is_running:
        return holder
    return recovery.heir(fleet, holder, execution, now)


def _stop(asked: RollBackAsked, holder: str, order: str) -> bool:
    """Whether the holder was told; not where the lane has changed hands meanwhile."""
    stopping = lanes.request_stop(asked.fleet, holder, "A roll-back by hand", asked.reason, order)
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
