"""AcceptRelease: a push, or a wish by hand, becomes one execution for each fleet that wants it.

The execution's name comes from the fleet and the push, so the same push told twice is one rollout.
What concerns no fleet is acknowledged and ignored, with the reason. What a bad document costs, and
a request that is refused, people are told: nobody reads the answer to an event.

With ``{"dry_run": true, "event": {…}}`` nothing is started; the answer says who would want it.

A request is written down before its execution is started: with its place in the order of the fleet,
which later repetitions find there, and with a digest of what was asked for, which they must match.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ovenbird import announcements, answers, audiences, events, recovery, turns
from ovenbird.answers import Answer
from ovenbird.audiences import Audience
from ovenbird.aws import executions, parameters
from ovenbird.aws.parameters import BadDocument
from ovenbird.core import orders, releases
from ovenbird.core.orders import Older, Rank
from ovenbird.core.releases import Push, Release
from ovenbird.errors import BadEvent, BadFleet, NotFound, Refused, Terminal
from ovenbird.events import Ignored, RollBackAsked, by_hand
from ovenbird.ledger import doorbells, lanes
from ovenbird.ledger import orders as ledger
from ovenbird.settings import settings

Wish = dict[str, Any]
_NEAREST = 3  # fleets of which it is told why they do not want a push
_NAME_IS_TAKEN = timedelta(days=90)  # Step Functions forgets an execution's name after them


def step(event: dict[str, Any], now: datetime) -> Answer:
    """Start what is asked for: ``{"accepted": [{fleet, rollout, …}], "ignored": reason}``.

    Raises:
        BadEvent: The event or payload is not well made.
        BadFleet, NotFound: The fleet that a wish by hand names has a bad document, or none.
        Refused: The fleet's document does not let it come, or something else bears the name of the
            rollout already.
    """
    tried = by_hand.trial(event)
    asked = events.release(event if tried is None else tried, now, settings().home)
    if isinstance(asked, Ignored):
        return _answer([], [asked.reason])
    if isinstance(asked, RollBackAsked):
        if tried is not None:
            raise BadEvent("event is a roll-back; it must be a push.")
        return _roll_back(asked, now)
    audience = audiences.of(asked, now)
    if tried is not None:
        return _told(asked, audience)
    refusal = _refusal(asked, audience)
    if refusal is not None and asked.source == "manual":
        raise refusal
    answer = _start(asked, audience, now) if refusal is None else _refused(refusal, audience)
    _announce(asked, audience, refusal, now)
    return answer


def _start(push: Push, audience: Audience, now: datetime) -> Answer:
    accepted, ignored, refused = [], [], []
    for fleet, release in audience.wanting:
        rollout = releases.rollout_id(fleet, release, dry_run=push.dry_run)
        wish = _release(fleet, rollout, release, push.dry_run)
        try:
            reason = _accept(wish, release.at, push.rank, now)
        except Refused as refusal:  # the other fleets get theirs
            refused.append(str(refusal))
            continue
        if reason:
            ignored.append(reason)
        else:
            accepted.append({"fleet": fleet, "rollout": rollout, "revision": release.revision})
    if refused:
        raise Refused(" ".join(refused))
    if not accepted and not ignored:
        ignored.append(_unwanted(push, audience))
    return _answer(accepted, ignored, audience.bad, {"BadFleets": len(audience.concerned)})


def _unwanted(push: Push, audience: Audience) -> str:
    """Why a push started nothing, with the reason of each fleet that it nearly was for."""
    nearly = "; ".join(f"{fleet}: {reason}" for fleet, reason in audience.near[:_NEAREST])
    more = f" ({nearly})" if nearly else ""
    return f"no fleet wants {push.release.description} from {push.source}{more}"


def _refusal(push: Push, audience: Audience) -> Terminal | None:
    """Why a request is refused, where it is for one fleet and not for whoever wants it."""
    if push.fleet is None or audience.wanting:
        return None
    if audience.missing:
        return NotFound(audience.missing)
    for each in audience.bad:
        return BadFleet(each.why, each.mistakes)
    ((fleet, reason),) = audience.unwanting
    return Refused(f"Fleet {fleet} does not take it: {reason}.")


def _refused(refusal: Terminal, audience: Audience) -> Answer:
    counts = {
        "BadFleets": len(audience.concerned),
        "RefusedRequests": int(not isinstance(refusal, BadFleet)),
    }
    return _answer([], [str(refusal).rstrip(".")], audience.bad, counts)


def _announce(push: Push, audience: Audience, refusal: Terminal | None, now: datetime) -> None:
    """Tell people what an event cost: nobody reads the answer to one."""
    what = push.release.description
    for each in audience.concerned:
        announcements.bad_document(each.name, each.mistakes, now, what)
    if refusal is not None and not isinstance(refusal, BadFleet):
        fleet = "" if audience.missing else str(push.fleet)
        announcements.refused_request(fleet, str(refusal), what, now)


def _told(push: Push, audience: Audience) -> Answer:
    """What a push would start, and why it would not: for a person who tries an event."""
    would = [
        {
            "fleet": fleet,
            "rollout": releases.rollout_id(fleet, release),
            "release": release.to_json(),
        }
        for fleet, release in audience.wanting
    ]
    would_not = dict(audience.unwanting) | {each.name: each.why for each in audience.bad}
    if audience.missing:
        would_not[str(push.fleet)] = audience.missing
    whom = ", ".join(fleet for fleet, _ in audience.wanting) or "no fleet"
    return answers.done(
        f"It would be a release of {whom}: {push.release.description}.",
        accepted=[],
        ignored="a dry run starts nothing",
        would_release=would,
        would_not=would_not,
    )


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
            return _answer([], [f"fleet {fleet.name} is being rolled back already: {holder}"])
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
            return _answer(accepted, [])
    if _accept(wish, asked.at, None, now):
        return _answer([], [f"the same was asked for within this minute: rollout {rollout}"])
    return _answer([{"fleet": fleet.name, "rollout": rollout}], [])


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


def _answer(
    accepted: list[dict[str, Any]],
    ignored: list[str],
    bad: Sequence[BadDocument] = (),
    counts: Mapping[str, int] | None = None,
) -> Answer:
    told = [
        *(
            f"{each['rollout']} of fleet {each['fleet']} "
            + ("is told to stop" if each.get("stopping") else "is started")
            for each in accepted
        ),
        *(f"ignored: {reason}" for reason in ignored),
        *(f"passed over: {each.why}" for each in bad),
    ]
    return answers.done(
        "; ".join(told).rstrip(".") + ".",
        accepted=accepted,
        ignored="; ".join(ignored) or None,
        bad_fleets={each.name: each.why for each in bad},
        counts=counts or {},
    )
