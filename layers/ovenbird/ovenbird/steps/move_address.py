"""MoveAddress: the fleet's Elastic IPs onto healthy instances.

In a rollout it runs once the group is rolled. By itself it runs after each launch and termination
in a group, in a small state machine whose input is the event; and by hand, for a fleet by name.
Every turn looks at all addresses of the fleet, whatever the event said. So one such run at a time
is enough for a group: the others tell it to look again, and end.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from ovenbird import answers
from ovenbird.answers import Answer
from ovenbird.aws import (
    autoscaling_groups,
    autoscaling_refreshes,
    ec2_addresses,
    loadbalancing,
    parameters,
)
from ovenbird.core import addresses, looks, seals, traffic
from ovenbird.core.addresses import Associate, Keep, Leave, Move, Placement
from ovenbird.core.groups import Group
from ovenbird.core.owners import TAG
from ovenbird.errors import AddressFailed, BadEvent, Denied, NotFound, Stopped, Terminal
from ovenbird.events import rollout as state
from ovenbird.events.autoscaling import group_of
from ovenbird.events.envelope import text
from ovenbird.fleet import Fleet
from ovenbird.ledger import claims, doorbells, lanes, watches

PATIENCE = timedelta(minutes=10)


@dataclass(frozen=True)
class _Outcome:
    """How the addresses stand after a turn.

    ``settled``: every address that can be is on a healthy instance. ``improving``: some are on
    instances that the active refresh will replace, and their successors are not healthy yet.
    ``where`` has a line for each address.
    """

    settled: bool
    improving: bool
    reason: str
    where: list[str]


def step(event: dict[str, Any], now: datetime) -> Answer:
    """One look at all addresses, and the moves that follow from it.

    Raises:
        AddressFailed: Some address found no healthy instance in ten minutes (and, without a
            rollout, the time that the group's instances have to become healthy).
        BadEvent: The event is none of those above.
    """
    if "plan" in event:
        return _in_rollout(event, now)
    if isinstance(event.get("detail"), dict):
        return _after_event(event, now)
    if isinstance(event.get("fleet"), str):
        return _by_hand(event, parameters.fleet(event["fleet"]), now)
    raise BadEvent(
        "move_address needs a launch or termination event of Auto Scaling, or a payload like "
        '{"fleet": "web"}.'
    )


def _in_rollout(event: dict[str, Any], now: datetime) -> Answer:
    """On the first new instance, once; when the group is rolled, until all are placed.

    Before AWS goes on, what it refuses for good stops the roll while the old instances live.
    """
    if "failure" in event:
        return _back(event, now)
    trial = "detour" in (event.get("roll") or {})
    state.check(event, now, "plan.fence", "plan.document", "plan.group")
    parts = ("plan", "roll") if trial else ("plan", "addresses")
    claim = lanes.hold(state.claim(event, *parts), now)
    fleet = state.fleet_of(event)
    if fleet.addresses.count == 0:
        return answers.done(f"Fleet {fleet.name} has no addresses.")
    bell = f"group-{event['plan']['group']}"
    rings = doorbells.read(bell)
    outcome = _placed(fleet, event["plan"]["group"], now)
    if outcome.settled or trial:
        return answers.done(outcome.reason, where=outcome.where)
    since = (event.get("addresses") or {}).get("since") or now.isoformat()
    if now - datetime.fromisoformat(since) > PATIENCE:
        raise _too_long(outcome, PATIENCE)
    answer = answers.wait(
        event, "addresses", bell, rings, outcome.reason, now=now, sweep="soon", since=since
    )
    lanes.renew(claim, now, doorbell=bell, sealing=seals.sealing(event, "addresses", answer))
    return answer


def _back(event: dict[str, Any], now: datetime) -> Answer:
    """On the way back: until all are placed, or for as long as is sensible; never a failure more.

    The notice, which comes next, says where they are.
    """
    state.check(event, now, "plan.fence", "plan.document", "plan.group")
    claim = lanes.hold(state.claim(event, "plan", "returned"), now, heeds_stop=False)
    bell = f"group-{event['plan']['group']}"
    rings = doorbells.read(bell)
    outcome = _placed(state.fleet_of(event), event["plan"]["group"], now)
    since = (event.get("returned") or {}).get("since") or now.isoformat()
    if outcome.settled or now - datetime.fromisoformat(since) > PATIENCE:
        return answers.done(outcome.reason, where=outcome.where)
    answer = answers.wait(
        event, "returned", bell, rings, outcome.reason, now=now, sweep="soon", since=since
    )
    with suppress(Stopped):  # a person stopped the rollout: that is why it goes back
        lanes.renew(claim, now, doorbell=bell, sealing=seals.sealing(event, "returned", answer))
    return answer


def _placed(fleet: Fleet, name: str, now: datetime) -> _Outcome:
    """One turn for the group of a rollout."""
    group = autoscaling_groups.describe(name)
    if refusal := _not_ours(fleet, group.name, group.tags.get(TAG)):
        raise AddressFailed(refusal)
    return _turn(fleet, group, now)


def _after_event(event: dict[str, Any], now: datetime) -> Answer:
    detail, name = event["detail"], group_of(event)
    if detail.get("Action") == "ReplaceRootVolume":
        return _ignored("A replaced root volume moves no address.")
    if "AutoScalingGroup" not in (
        detail.get("Origin", "AutoScalingGroup"),
        detail.get("Destination", "AutoScalingGroup"),
    ):
        return _ignored("An instance in the warm pool serves nobody.")
    owner = autoscaling_groups.tag(name, TAG)  # the account's other groups have events too: many
    if owner is None:
        return _ignored(f"Group {name} has no tag {TAG}: it is not ours.")
    try:
        fleet = parameters.fleet(owner)
    except NotFound as missing:
        return _ignored(str(missing))
    refusal = _not_ours(fleet, name, owner)
    return _ignored(refusal) if refusal else _watch(fleet, event, now)


def _watch(fleet: Fleet, event: dict[str, Any], now: datetime) -> Answer:
    """A turn of the one run that looks after the group, or the end of one that is not it."""
    state.check_addresses(event)
    watcher = text(event, "id")
    told = watches.join(fleet.group, watcher, now)
    if told is None:
        return _ignored(f"Another run looks after group {fleet.group}; it looks once more now.")
    try:
        group = autoscaling_groups.describe(fleet.group)
    except NotFound as gone:  # it was there a moment ago; the watch ends by itself
        return _ignored(str(gone))
    outcome = _turn(fleet, group, now)
    before = event.get("addresses") or {}
    # News begin the patience anew, but not while an address has nowhere to go.
    phase = f"settled {told}" if outcome.settled else "unsettled"
    since = (before.get("phase") == phase and before.get("since")) or now.isoformat()
    patience = PATIENCE + timedelta(seconds=group.health_check_grace_seconds)
    impatient = now - datetime.fromisoformat(since) > patience
    if (impatient or (outcome.settled and not outcome.improving)) and watches.leave(
        fleet.group, watcher, told
    ):
        if not outcome.settled:
            raise _too_long(outcome, patience)
        return answers.done(outcome.reason)
    return _look_again(event, outcome, phase=phase, since=since)


def _too_long(outcome: _Outcome, patience: timedelta) -> AddressFailed:
    return AddressFailed(f"After {patience // timedelta(minutes=1)} minutes: {outcome.reason}")


def _not_ours(fleet: Fleet, group: str, owner: str | None) -> str:
    """Why the addresses of a group with that tag are none of our business; empty where they are."""
    if group != fleet.group or owner != fleet.name:
        return (
            f"Group {group} is not the tagged group of fleet {fleet.name} "
            f"({fleet.group}, tag {TAG}={fleet.name})."
        )
    return f"Fleet {fleet.name} has no addresses." if fleet.addresses.count == 0 else ""


def _by_hand(event: dict[str, Any], fleet: Fleet, now: datetime) -> Answer:
    state.check_addresses(event)
    group = autoscaling_groups.describe(fleet.group)
    refusal = _not_ours(fleet, group.name, group.tags.get(TAG))
    if refusal:
        return _ignored(refusal)
    outcome = _turn(fleet, group, now)
    if outcome.settled and not outcome.improving:
        return answers.done(outcome.reason)
    return _look_again(event, outcome)


def _look_again(event: dict[str, Any], outcome: _Outcome, **facts: Any) -> Answer:
    """Nothing can ring here: the small state machine looks again, later and later."""
    count = (event.get("addresses") or {}).get("looks", 0) + 1
    return {
        "next": "wait",
        "look_again_after": min(looks.pace(count), looks.LONGEST_SOON) // timedelta(seconds=1),
        "looks": count,
        "reason": outcome.reason,
        **facts,
    }


def _ignored(reason: str) -> Answer:
    return answers.done(reason, ignored=True)


def _turn(fleet: Fleet, group: Group, now: datetime) -> _Outcome:
    """Look at everything, decide, and do it."""
    lasting = addresses.lasting_versions(group, autoscaling_refreshes.recent(group.name))
    healthy = traffic.healthy(loadbalancing.opinions(traffic.asked(group, ())))
    candidates = addresses.candidates(group, healthy, lasting)
    pool = ec2_addresses.pool(fleet.name)
    own = {member.instance_id for member in group.members}
    holders = {address.instance_id for address in pool if address.instance_id}
    placements = addresses.decide(
        pool,
        candidates,
        own=own,
        gone=ec2_addresses.ended(holders - own),
        count=fleet.addresses.count,
    )
    placed, reasons, stands = 0, [], []
    refused: list[Terminal] = []
    for placement in placements:
        try:
            done, reason = _act(placement, now)
        except (AddressFailed, Denied) as refusal:  # the others may still be placed
            done, reason = False, str(refusal).rstrip(".")
            refused.append(refusal)
        placed += done
        reasons.append(reason)
        address = placement.address
        if done and isinstance(placement, Associate | Move):
            address = replace(address, instance_id=placement.instance_id)
        stands.append(address)
    if refused:
        raise type(refused[0])("; ".join(reasons) + ".")
    strangers = sum(isinstance(each, Leave) and each.stranger for each in placements)
    needed = min(fleet.addresses.count, len(pool) - strangers, group.instances)
    if len(pool) < fleet.addresses.count:
        reasons.append(f"the pool has {len(pool)} of {fleet.addresses.count} addresses")
    return _Outcome(
        settled=placed >= needed,
        improving=addresses.improving(placements, candidates, group, lasting),
        reason="; ".join(reasons) + ".",
        where=addresses.whereabouts(stands, {each.instance_id for each in candidates}),
    )


def _act(placement: Placement, now: datetime) -> tuple[bool, str]:
    """Do what was decided for one address; whether it is well placed now, and what happened."""
    if isinstance(placement, Keep | Leave):
        return isinstance(placement, Keep), placement.reason
    address, instance = placement.address, placement.instance_id
    if not claims.claim(address.allocation_id, instance, now):
        return False, f"{address.public_ip} is being moved by another step"
    try:
        target = ec2_addresses.target(instance)
        # AWS would take it from anybody, so what was decided about must still stand: the last look,
        # right before the move. (What happens between the two nobody can see: docs/limits.md.)
        before = ec2_addresses.describe(address.allocation_id)
        if before != address:
            return False, f"{address.public_ip} went to {before.holder} in the meantime"
        after = ec2_addresses.associate(
            address.allocation_id, target, take=isinstance(placement, Move)
        )
    except NotFound as gone:
        return False, str(gone)
    finally:
        claims.free(address.allocation_id, instance)
    if after.instance_id != instance:
        return False, f"{address.public_ip} did not go to {instance}: {after.holder} holds it"
    return True, placement.reason
