"""PlanRollout: take the fleet's lane, look at what the rollout will touch, and write the plan.

Whatever cannot be rolled safely is refused here, before anything is touched. The one edit that the
step makes itself is to pin a group to a number, where its owner allows that (``roll.pin``).

Without ``rollout`` in the event a person asks for the plan alone: the same payload as by hand, with
``dry_run``. Then, and for a rollout with ``dry_run``, nothing is taken, written or changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from ovenbird import answers, events, surveys, turns
from ovenbird.answers import Answer
from ovenbird.aws import autoscaling_groups, ec2_images, ec2_types, parameters
from ovenbird.core import (
    blueprints,
    contents,
    estimates,
    images,
    orders,
    plans,
    requests,
    seals,
    unbuildable,
    unchecked,
)
from ovenbird.core.groups import TemplateVersion
from ovenbird.core.images import Image, Known
from ovenbird.core.plans import Bake, Decision, Nothing
from ovenbird.core.quotes import quoted
from ovenbird.core.refusals import refusals
from ovenbird.core.releases import REQUESTS, Push, Release
from ovenbird.core.surveys import Survey
from ovenbird.errors import BadEvent, LaneLost, Refused, Terminal
from ovenbird.events import rollout as state
from ovenbird.fleet import Fleet
from ovenbird.ledger import images as known_images
from ovenbird.ledger import lanes, rollouts
from ovenbird.ledger.lanes import Superseded, Taken
from ovenbird.ledger.rollouts import Rollout
from ovenbird.settings import settings
from ovenbird.turns import InQueue


@dataclass(frozen=True)
class _Wish:
    """What the execution was started for.

    ``image`` is a roll-back's, ``None`` the one before; ``order`` is empty for a plan alone.
    """

    fleet: str
    rollout: str
    action: str
    release: Release | None
    image: str | None
    order: str
    dry_run: bool


def step(event: dict[str, Any], now: datetime) -> Answer:
    """The plan, or a wait for the lane, or the end where there is nothing to do.

    Repeating it is harmless: the lane stays ours with the same fence, and the plan is written anew.

    Raises:
        Refused: The fleet cannot be rolled safely; one sentence for each reason.
        BadFleet, BadEvent, NotFound: The fleet document, the payload, or something it names.
        Stopped: A person stopped the rollout.
        LaneLost: The rollout has ended, or is past its plan; nothing was changed.
    """
    wish = _wish(event, now)
    fleet = parameters.fleet(wish.fleet)
    _check_brought(fleet, wish)
    if wish.dry_run:
        return _plan(fleet, wish, pin=False) | {"next": "end", "result": "planned"}
    began = event["execution"]["began"]
    known = rollouts.enter(wish.rollout, asked=orders.digest(event), execution=began)
    if known is None:
        raise BadEvent(
            f"Rollout {wish.rollout} was not accepted with this input; accept_release starts "
            "rollouts, from what was asked for."
        )
    if known.execution != began:
        raise LaneLost(
            f"Rollout {wish.rollout} is run by the execution that began at {known.execution}."
        )
    if known.result:
        return _ended_before(wish, known)
    # Who rolls back by hand knows of the pause, and it is often the reason for it.
    pauses = wish.action == "release"
    turn = turns.take(wish.fleet, wish.rollout, wish.order, now, pauses=pauses)
    if isinstance(turn, Superseded):
        reason = f"What was asked for later goes first: {turn.by}."
        return _over(wish, _end("superseded", reason), None, now)
    if isinstance(turn, InQueue):
        return answers.wait(event, "plan", turn.doorbell, turn.rings, turn.reason, now=now)
    _refuse_planned_before(event, wish, turn)
    try:
        stale = _stale(wish)
        plan = _end("stale", stale) if stale else _plan(fleet, wish, pin=True)
        if plan["next"] == "end":
            return _over(wish, plan, turn.fence, now)
        return _write_down(event, wish, plan | {"document": fleet.text}, turn, now)
    except Terminal:
        turns.leave(wish.fleet, wish.rollout, turn.fence)
        raise


def _ended_before(wish: _Wish, known: Rollout) -> Answer:
    """The same end once more, where its answer was lost; nothing else begins again."""
    if known.result not in rollouts.NOTHING_ROLLED:
        raise LaneLost(f"Rollout {wish.rollout} has ended already ({known.result}).")
    lane = lanes.read(wish.fleet)
    if lane.holder == wish.rollout:
        turns.leave(wish.fleet, wish.rollout, lane.fence)
    return _end(known.result, known.reason)


def _refuse_planned_before(event: dict[str, Any], wish: _Wish, turn: Taken) -> None:
    """A step that was killed is repeated; but not when the next one has begun."""
    planned = turn.sealed.get(seals.PLAN)
    if planned and (len(turn.sealed) > 1 or seals.carried(event, seals.PLAN) != planned[0]):
        raise LaneLost(f"Rollout {wish.rollout} is planned already; its execution goes on.")


def _write_down(
    event: dict[str, Any], wish: _Wish, plan: Answer, turn: Taken, now: datetime
) -> Answer:
    """The plan into the rollout's record, and its seal into the lane."""
    plan = plan | {"fence": turn.fence}
    began = rollouts.begin(
        wish.rollout,
        fleet=wish.fleet,
        action=wish.action,
        release=wish.release.to_json() if wish.release else None,
        plan=plan,
        now=now,
    )
    answer = plan | {"began": began}
    claim = replace(state.claim(event, fence=turn.fence), sealed=turn.sealed)
    lanes.seal(claim, seals.sealing(event, seals.PLAN, answer))
    return answer


def _wish(event: dict[str, Any], now: datetime) -> _Wish:
    if "rollout" not in event:
        asked = events.release(event, now, settings().home)
        if not isinstance(asked, Push) or not asked.fleet or not asked.dry_run:
            raise BadEvent(
                "A plan alone is asked for with fleet, release and dry_run: true; "
                "accept_release starts rollouts."
            )
        wanted = asked.release
        return _Wish(asked.fleet, "", "release", wanted, None, "", dry_run=True)
    state.check(event, now)
    action, release = event["action"], event.get("release")
    if (action == "release") != bool(release):
        raise BadEvent(
            f"release is {quoted(release)} and action is {action}; a release must have one, "
            "and a roll-back none."
        )
    dry_run = event.get("dry_run", False)
    return _Wish(
        fleet=event["fleet"],
        rollout=event["rollout"],
        action=action,
        release=Release.from_json(release) if release else None,
        image=event.get("image"),
        order="" if dry_run else state.order_of(event),
        dry_run=dry_run,
    )


def _check_brought(fleet: Fleet, wish: _Wish) -> None:
    """Refuse what a request may not bring, by the document as it is now."""
    release = wish.release
    if release is None or release.source not in REQUESTS:
        return
    if release.bucket is None or release.key is None:
        return
    against = requests.not_brought(
        fleet.release,
        release.bucket,
        release.key,
        release.revision,
        by_hand=release.source == "manual",
    )
    if against:
        raise Refused(f"Fleet {fleet.name} does not take it: {against}.")


def _stale(wish: _Wish) -> str:
    """Why a release is too old to be rolled: an event that comes a day late is no wish."""
    if wish.release is None:
        return ""
    last = rollouts.past(wish.fleet).released
    if wish.order >= last:
        return ""
    ours, theirs = orders.time_of(wish.order), orders.time_of(last)
    return f"It was pushed at {ours}, and what the fleet runs after it, at {theirs}."


def _plan(fleet: Fleet, wish: _Wish, *, pin: bool) -> Answer:
    """Look, judge, decide; ``pin`` says whether the group may be touched."""
    seen = surveys.take(fleet)
    against = list(refusals(seen))
    owners = blueprints.owners_tags(seen.group, fleet.tags)
    decision = None
    if seen.running and seen.current is not None:
        known = known_images.read(fleet.name)
        choice = (
            _release(fleet, wish.release, seen, seen.current, known)
            if wish.release is not None
            else _roll_back(fleet, wish, seen, seen.current, known)
        )
        if isinstance(choice, str):
            against.append(choice)
        else:
            decision = choice.decision
            against += _unlaunchable(choice, seen, seen.current, owners)
    if against or decision is None or seen.preferences is None:
        raise Refused(" ".join(against) or f"Group {fleet.group} launches no image that is known.")
    if isinstance(decision, Nothing):
        return _end("nothing-to-do", decision.reason) | {"image": decision.image}
    aliases = [
        TemplateVersion(version.template_id, version.number)
        for version in seen.running
        if not seen.group.versions[version.template_id].isdigit()
    ]
    if aliases and pin:
        autoscaling_groups.pin(fleet.group, *aliases)
    old = plans.old_version(seen.group, seen.running, seen.current_id or "")
    bakes = isinstance(decision, Bake)
    boot = blueprints.boot_identity(fleet.bake.user_data, seen.running[0].content)
    return {
        "next": "bake" if bakes else "publish",
        "reason": decision.reason,
        "group": fleet.group,
        "image": None if isinstance(decision, Bake) else decision.image,
        "base": decision.base,
        "bake": {"key": decision.key, "name": decision.name}
        | ({"user_data": boot} if bakes and boot else {}),
        "from": old,
        "tags": [list(each) for each in sorted(owners.items())],
        "steps": plans.steps(
            decision,
            seen.group,
            seen.preferences,
            old=old,
            pins=bool(aliases),
            pinned=pin,
            addresses=fleet.addresses.count,
            opinions=seen.opinions,
        ),
        "not_checked": [
            *unchecked.sentences(seen),
            *unbuildable.not_checked(seen.running[0], bakes=bakes),
        ],
        "left_out": list(seen.left_out),
        "desired": seen.group.desired,
        "estimate": asdict(estimates.estimate(seen.preferences, seen.group, bakes=bakes)),
    }


@dataclass(frozen=True)
class _Choice:
    """What to do, and the image that it stands on: the base of a bake, or the one that is there."""

    decision: Decision
    image: Image


def _release(
    fleet: Fleet, release: Release, seen: Survey, current: Image, known: Known
) -> _Choice | str:
    """What to do for a release, or why it cannot be done."""
    base = _base(fleet.bake.base, current, known)
    image = current if base == current.image_id else surveys.image(base)
    if image is None or not image.is_available:
        state = "does not exist" if image is None else f"is {image.state}"
        return (
            f"A bake would start from {base}, which {state}; set bake.base to an image that is "
            "available."
        )
    key = images.bake_key(
        base,
        release.digest,
        fleet.bake.install,
        fleet.bake.verify,
        fleet.bake.environment,
        clean=fleet.bake.clean,
        user_data=blueprints.boot_identity(fleet.bake.user_data, seen.running[0].content),
    )
    named = ec2_images.named_like(images.name(fleet.name, key))
    decision = plans.release(
        fleet.name,
        seen.group,
        current=current.image_id,
        base=base,
        key=key,
        named=named,
        known=known,
        running=seen.running,
        content=contents.said(release.digest),
    )
    if isinstance(decision, Bake):
        return _Choice(decision, image)
    return _Choice(decision, next(each for each in named if each.image_id == decision.image))


def _base(wanted: str | None, current: Image, known: Known) -> str:
    if wanted is None:
        return images.root_base(current, known)
    return parameters.image(wanted) if wanted.startswith("/") else wanted


def _roll_back(
    fleet: Fleet, wish: _Wish, seen: Survey, current: Image, known: Known
) -> _Choice | str:
    """What to do for a roll-back by hand, or why it cannot be done."""
    past = rollouts.past(fleet.name)
    if wish.image is not None:
        ran = tuple(dict.fromkeys([current.image_id, *past.ran]))
        if unknown := plans.unknown_target(wish.image, ran):
            return unknown
    target_id = wish.image or plans.roll_back_target(past.images, current.image_id)
    if target_id is None:
        return (
            f"Ovenbird knows no image that fleet {fleet.name} ran before {current.image_id}; name "
            "one in the payload (image)."
        )
    target = surveys.image(target_id)
    if target is None:
        return f"The image {target_id} does not exist any more; name another one (image)."
    wrong = plans.bad_target(target, known, by_name=wish.image is not None)
    if wrong is not None:
        return wrong
    decision = plans.roll_back(
        seen.group, current=current.image_id, target=target, known=known, running=seen.running
    )
    return _Choice(decision, target)


def _unlaunchable(
    choice: _Choice, seen: Survey, current: Image, owners: Mapping[str, str]
) -> list[str]:
    """Why EC2 would not launch a builder, or the image, as far as it can be seen."""
    if isinstance(choice.decision, Nothing):
        return []
    own, mixed = seen.running[0], seen.group.mixed
    types = blueprints.launched_types(own.content, mixed)
    other = types and choice.image.architecture != current.architecture
    architectures = ec2_types.architectures(types) if other else {}
    against = list(unbuildable.image(seen.running, choice.image, current, architectures))
    if isinstance(choice.decision, Bake):
        against += unbuildable.builder(own, choice.image, types, owners)
    return against


def _end(result: str, reason: str) -> Answer:
    return {"next": "end", "result": result, "reason": reason, "steps": [reason]}


def _over(wish: _Wish, plan: Answer, fence: int | None, now: datetime) -> Answer:
    """It ends here: remember why, and let the next one in."""
    result, reason = str(plan["result"]), str(plan["reason"])
    if result == "nothing-to-do":
        image = str(plan["image"])
        rollouts.settled(
            wish.fleet, action=wish.action, before=image, image=image, order=wish.order
        )
    rollouts.end(wish.rollout, fleet=wish.fleet, result=result, reason=reason, now=now)
    if fence is not None:
        turns.leave(wish.fleet, wish.rollout, fence)
    return plan
