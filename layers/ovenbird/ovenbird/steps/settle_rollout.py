"""SettleRollout: the rollout worked; make that the truth for everybody, tell people, give way.

In this order, so that killing it anywhere and repeating it ends the same: builders that others
left, the templates' default versions, the published image, the ledger, the notice, the lane, the
next one in the queue. A notice may come twice. Once the ledger says how it ended nothing is undone
any more: people who cannot be told are no reason to roll a good release back.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from ovenbird import answers, turns
from ovenbird.answers import Answer
from ovenbird.aws import autoscaling_groups, ec2_instances, ec2_templates, parameters, topic
from ovenbird.core import builders, notices, owners, seals
from ovenbird.core.groups import Group
from ovenbird.core.notices import Notice, Told
from ovenbird.core.templates import sources
from ovenbird.errors import BadEvent, Denied, LaneLost, NotYetVisible, Retryable, Terminal
from ovenbird.events import rollout as state
from ovenbird.ledger import lanes, rollouts
from ovenbird.ledger.rollouts import Rollout

_PATIENCE = timedelta(minutes=1)  # less than the state machine's own for this step
_PLANNED = ("plan.fence", "plan.group", "plan.began", "plan.from", "plan.reason")


def step(event: dict[str, Any], now: datetime) -> Answer:
    """Settle it; repeating it changes nothing more.

    Raises:
        BadEvent: The state is not well made, or not that of this rollout.
        NotYetVisible: The group does not launch the version (or does not show it yet).
        LaneLost, Stopped, Denied: Before anything was settled: the rollout is undone instead.
    """
    state.check(event, now, *_PLANNED, "version")
    fleet, rollout, plan = event["fleet"], event["rollout"], event["plan"]
    known = rollouts.read(rollout)
    if known is None:
        raise LaneLost(f"The ledger knows no rollout {rollout}, so there is nothing to settle.")
    image, group, strangers = state.image_of(event), None, ""
    if known.result:
        _refuse_another(event, known)
    else:
        lanes.hold(state.claim(event, "plan", "bake", "version"), now)
        group = autoscaling_groups.describe(plan["group"])
        if refusal := owners.refusal(f"Group {group.name}", group.tags, fleet):
            raise Denied(refusal)
        _refuse_unrolled(group, plan["from"], event["version"]["targets"])
        strangers = _end_builders(fleet)
        for template, number in event["version"]["targets"].items():
            ec2_templates.make_default(template, number)
        parameters.publish_image(fleet, image)
        rollouts.settled(
            fleet,
            action=event["action"],
            before=plan["from"]["image"],
            image=image,
            order=state.order_of(event),
        )
    result = "rolled-back" if event["action"] == "roll-back" else "released"
    rollouts.end(rollout, fleet=fleet, result=result, reason=plan["reason"], now=now, image=image)
    lane = lanes.read(fleet)
    ours = (lane.holder, lane.fence) == (rollout, plan["fence"])
    untold = ""
    if not known.notified:
        stop_by = lane.stop_by if ours else ""
        notice = partial(_notice, event, image, group, stop_by, strangers, now)
        untold = _tell(event, notice, now, known.ended or now.isoformat())
    turns.leave(fleet, rollout, plan["fence"])
    took = notices.duration(notices.since(plan["began"], now))
    return answers.done(
        f"Fleet {fleet} runs {image}; it took {took}.{untold}",
        result=result,
        image=image,
        counts={"Untold": 1 if untold else 0},
    )


def _refuse_unrolled(group: Group, planned: dict[str, Any], targets: dict[str, str]) -> None:
    """AWS saves the version in the group when the refresh has succeeded, and not before.

    A version that somebody has given it since is theirs, and no reason to undo anything.
    """
    old = sources(planned["template"], planned["version"], planned.get("overrides") or {})
    for template, version in group.versions.items():
        if version == old.get(template) != targets.get(template):
            raise NotYetVisible(
                f"Group {group.name} still launches version {version} of {template}; a rollout is "
                "settled when its roll has ended."
            )


def _refuse_another(event: dict[str, Any], known: Rollout) -> None:
    """Once the record says how it ended, only the rest of the same end is left to do."""
    if known.result not in rollouts.REACHED:
        raise LaneLost(f"Rollout {known.rollout} has ended already ({known.result}).")
    for field, written in (("plan", known.plan), ("release", known.release)):
        if seals.digest(event.get(field)) != seals.digest(written):
            raise BadEvent(f"{field} is not that of rollout {known.rollout}, which has ended.")


def _end_builders(fleet: str) -> str:
    """End those that an undo could not end; no other rollout has the fleet now.

    Returns:
        A sentence about what only looks like one, if anything does.
    """
    try:
        found = ec2_instances.builders(fleet)
        ec2_instances.terminate(builders.alive(builders.ours(found)))
    except Terminal:  # no reason to undo a good release; the next one tries again
        return ""
    return builders.about_strangers(builders.strangers(found))


def _tell(event: dict[str, Any], notice: Callable[[], Notice], now: datetime, ended: str) -> str:
    """Send the notice; a sentence about why it could not be sent, else nothing.

    Raises:
        Throttled, Unavailable: For a minute after the end; the step is repeated.
    """
    try:
        topic.publish(notice())
    except Retryable as failure:
        if notices.since(ended, now) < _PATIENCE:
            raise
        return f" Nobody was told: {failure}"
    except Terminal as failure:
        return f" Nobody was told: {failure}"
    rollouts.notified(event["rollout"], now)
    return ""


def _notice(
    event: dict[str, Any],
    image: str,
    group: Group | None,
    stop_by: str,
    strangers: str,
    now: datetime,
) -> Notice:
    plan, version, release = event["plan"], event["version"], event.get("release") or {}
    group = group or autoscaling_groups.describe(plan["group"])
    return notices.released(
        Told(
            fleet=event["fleet"],
            rollout=event["rollout"],
            action=event["action"],
            revision=release.get("revision", ""),
            description=release.get("description", ""),
            asked=event.get("reason") or "",
        ),
        group=group.name,
        instances=group.instances,
        image=(plan["from"]["image"], image),
        version=(
            f"{plan['from']['template']} version {plan['from']['version']}",
            f"{version['template']} version {version['version']}",
        ),
        baked=bool((event.get("bake") or {}).get("baked")),
        took=notices.since(plan["began"], now),
        too_late=stop_by,
        also=strangers,
        addresses=(event.get("addresses") or {}).get("where") or (),
    )
