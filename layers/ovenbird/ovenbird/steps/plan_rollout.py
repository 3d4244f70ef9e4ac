"""PlanRollout: take the fleet's lane, look at what the rollout will touch, and write the plan.

Whatever cannot be rolled safely is refused here, before anything is touched. The one edit that the
step makes itself is to pin a group to a number, where its owner allows that (``roll.pin``).

Without ``rollout`` in the event a person asks for the plan alone: the same payload as by hand, with
``dry_run``. Then, and for a rollout with ``dry_run``, nothing is taken, written or changed.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from ovenbird import events, surveys, turns
from ovenbird.answers import Answer
from ovenbird.aws import autoscaling_groups, ec2_images, parameters
from ovenbird.core import builders, estimates, images, plans
from ovenbird.core.groups import TemplateVersion
from ovenbird.core.images import Image
from ovenbird.core.plans import Bake, Decision, Nothing
from ovenbird.core.quotes import quoted
from ovenbird.core.refusals import refusals
from ovenbird.core.releases import Push, Release
from ovenbird.core.surveys import Survey
from ovenbird.errors import BadEvent, Refused, Terminal
from ovenbird.events import rollout as state
from ovenbird.fleet import Fleet
from ovenbird.ledger import lanes, rollouts
from ovenbird.ledger.lanes import Superseded, Taken
from ovenbird.settings import settings


@dataclass(frozen=True)
class _Wish:
    """What the execution was started for. ``image`` is a roll-back's, ``None`` the one before."""

    fleet: str
    rollout: str
    action: str
    release: Release | None
    image: str | None
    at: str
    dry_run: bool


def step(event: dict[str, Any], now: datetime) -> Answer:
    """The plan, or a wait for the lane, or the end where there is nothing to do.

    Repeating it is harmless: the lane stays ours with the same fence, and the plan is written anew.

    Raises:
        Refused: The fleet cannot be rolled safely; one sentence for each reason.
        BadFleet, BadEvent, NotFound: The fleet document, the payload, or something it names.
        Stopped: A person stopped the rollout.
    """
    wish = _wish(event, now)
    fleet = parameters.fleet(wish.fleet)
    if wish.dry_run:
        return _plan(fleet, wish, pin=False) | {"next": "end", "result": "planned"}
    # Who rolls back by hand knows of the pause, and it is often the reason for it.
    pauses = wish.action == "release"
    turn = turns.take(wish.fleet, wish.rollout, wish.at, now, pauses=pauses)
    if isinstance(turn, Superseded):
        reason = f"What was asked for later goes first: {turn.by}."
        return _over(wish, _end("superseded", reason), None, now)
    if not isinstance(turn, Taken):
        return turn
    try:
        lanes.check(wish.fleet, wish.rollout, turn.fence)
        stale = _stale(wish)
        plan = _end("stale", stale) if stale else _plan(fleet, wish, pin=True)
    except Terminal:
        turns.leave(wish.fleet, wish.rollout, turn.fence)
        raise
    if plan["next"] == "end":
        return _over(wish, plan, turn.fence, now)
    release = wish.release.to_json() if wish.release else None
    began = rollouts.begin(
        wish.rollout,
        fleet=wish.fleet,
        action=wish.action,
        release=release,
        plan=plan,
        now=now,
    )
    return plan | {"fence": turn.fence, "began": began, "document": fleet.text}


def _wish(event: dict[str, Any], now: datetime) -> _Wish:
    if "rollout" not in event:
        asked = events.release(event, now, settings().home)
        if not isinstance(asked, Push) or not asked.fleet or not asked.dry_run:
            raise BadEvent(
                "A plan alone is asked for with fleet, release and dry_run: true; "
                "accept_release starts rollouts."
            )
        wanted = asked.release
        return _Wish(asked.fleet, "", "release", wanted, None, wanted.at, dry_run=True)
    state.check(event, now)
    action, release = event["action"], event.get("release")
    if (action == "release") != bool(release):
        raise BadEvent(
            f"release is {quoted(release)} and action is {action}; a release must have one, as in "
            "events/plan-rollout.json, and a roll-back none."
        )
    return _Wish(
        fleet=event["fleet"],
        rollout=event["rollout"],
        action=action,
        release=Release.from_json(release) if release else None,
        image=event.get("image"),
        at=state.time_of(event),
        dry_run=event.get("dry_run", False),
    )


def _stale(wish: _Wish) -> str:
    """Why a release is too old to be rolled: an event that comes a day late is no wish."""
    if wish.release is None or wish.release.source == "manual":
        return ""
    last = rollouts.past(wish.fleet).released_at
    if wish.at >= last:
        return ""
    return f"It was pushed at {wish.at}, and what the fleet runs at {last}."


def _plan(fleet: Fleet, wish: _Wish, *, pin: bool) -> Answer:
    """Look, judge, decide; ``pin`` says whether the group may be touched."""
    seen = surveys.take(fleet)
    against = list(refusals(seen))
    decision = None
    if seen.running and seen.current is not None:
        judged = _decide(fleet, wish, seen, seen.current)
        if isinstance(judged, str):
            against.append(judged)
        else:
            decision = judged
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
    return {
        "next": "bake" if bakes else "publish",
        "reason": decision.reason,
        "group": fleet.group,
        "image": None if isinstance(decision, Bake) else decision.image,
        "base": decision.base,
        "bake": {"key": decision.key, "name": decision.name},
        "from": old,
        "steps": plans.steps(
            decision,
            seen.group,
            seen.preferences,
            old=old,
            pins=bool(aliases),
            pinned=pin,
            addresses=fleet.addresses.count,
        ),
        "estimate": asdict(
            estimates.estimate(seen.preferences, desired=seen.group.desired, bakes=bakes)
        ),
    }


def _decide(fleet: Fleet, wish: _Wish, seen: Survey, current: Image) -> Decision | str:
    """What to do, or why it cannot be done."""
    if wish.release is None:
        return _decide_back(fleet, wish, seen, current)
    base = _base(fleet.bake.base, current)
    image = current if base == current.image_id else surveys.image(base)
    if image is None or not image.is_available:
        state = "does not exist" if image is None else f"is {image.state}"
        return (
            f"A bake would start from {base}, which {state}; set bake.base to an image that is "
            "available."
        )
    key = images.bake_key(
        base,
        wish.release.digest,
        fleet.bake.install,
        fleet.bake.verify,
        fleet.bake.environment,
    )
    decision = plans.release(
        fleet.name,
        seen.group,
        current=current.image_id,
        base=base,
        key=key,
        baked=ec2_images.baked(fleet.name, key),
        running=seen.running,
    )
    unbuildable = builders.refusal(seen.running[0]) if isinstance(decision, Bake) else None
    return unbuildable or decision


def _base(wanted: str | None, current: Image) -> str:
    if wanted is None:
        return images.root_base(current)
    return parameters.image(wanted) if wanted.startswith("/") else wanted


def _decide_back(fleet: Fleet, wish: _Wish, seen: Survey, current: Image) -> Decision | str:
    past = rollouts.past(fleet.name)
    target_id = wish.image or plans.roll_back_target(past.images, current.image_id)
    if target_id is None:
        return (
            f"Ovenbird knows no image that fleet {fleet.name} ran before {current.image_id}; name "
            "one in the payload (image)."
        )
    target = surveys.image(target_id)
    if target is None:
        return f"The image {target_id} does not exist any more; name another one (image)."
    return plans.bad_target(target) or plans.roll_back(
        seen.group, current=current.image_id, target=target, running=seen.running
    )


def _end(result: str, reason: str) -> Answer:
    return {"next": "end", "result": result, "reason": reason, "steps": [reason]}


def _over(wish: _Wish, plan: Answer, fence: int | None, now: datetime) -> Answer:
    """It ends here: remember why, and let the next one in."""
    result, reason = str(plan["result"]), str(plan["reason"])
    rollouts.end(wish.rollout, fleet=wish.fleet, result=result, reason=reason, now=now)
    if result == "nothing-to-do":
        image = str(plan["image"])
        rollouts.settled(wish.fleet, action=wish.action, before=image, image=image, at=wish.at)
    if fence is not None:
        turns.leave(wish.fleet, wish.rollout, fence)
    return plan
