"""SettleRollout: the rollout worked; make that the truth for everybody, tell people, give way.

In this order, so that killing it anywhere and repeating it ends the same: builders that others
left, the templates' default versions, the published image, the ledger, the notice, the lane, the
next one in the queue. A notice may come twice. Once the ledger says how it ended nothing is undone
any more: people who cannot be told are no reason to roll a good release back.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from ovenbird import answers, turns
from ovenbird.answers import Answer
from ovenbird.aws import autoscaling_groups, ec2_instances, ec2_templates, parameters, topic
from ovenbird.core import builders, notices
from ovenbird.core.notices import Told
from ovenbird.errors import Retryable, Terminal
from ovenbird.events import rollout as state
from ovenbird.ledger import lanes, rollouts

_PATIENCE = timedelta(minutes=1)  # less than the state machine's own for this step
_PLANNED = ("plan.fence", "plan.group", "plan.began", "plan.from", "plan.reason")


def step(event: dict[str, Any], now: datetime) -> Answer:
    """Settle it; repeating it changes nothing more.

    Raises:
        BadEvent: The state is not well made.
        LaneLost, Stopped: Before anything was settled: the rollout is undone instead.
    """
    state.check(event, now, *_PLANNED, "version")
    fleet, rollout, plan = event["fleet"], event["rollout"], event["plan"]
    known = rollouts.read(rollout)
    settled = known is not None and bool(known.result)
    if not settled:
        lanes.hold(fleet, rollout, plan["fence"], now)
    image = state.image_of(event)
    if not settled:
        _end_builders(fleet)
        for template, number in event["version"]["targets"].items():
            ec2_templates.make_default(template, number)
        parameters.publish_image(fleet, image)
        rollouts.settled(
            fleet,
            action=event["action"],
            before=plan["from"]["image"],
            image=image,
            at=state.time_of(event),
        )
    result = "rolled-back" if event["action"] == "roll-back" else "released"
    rollouts.end(rollout, fleet=fleet, result=result, reason=plan["reason"], now=now, image=image)
    lane = lanes.read(fleet)
    ours = (lane.holder, lane.fence) == (rollout, plan["fence"])
    untold = ""
    if known is None or not known.notified:
        ended = known.ended if known is not None and known.ended else now.isoformat()
        untold = _tell(event, image, lane.stop_by if ours else "", now, ended)
    turns.leave(fleet, rollout, plan["fence"])
    took = notices.duration(notices.since(plan["began"], now))
    return answers.done(
        f"Fleet {fleet} runs {image}; it took {took}.{untold}",
        result=result,
        image=image,
        counts={"Untold": 1 if untold else 0},
    )


def _end_builders(fleet: str) -> None:
    """Those that executions left which somebody stopped; no other rollout has the fleet now."""
    with suppress(Terminal):  # no reason to undo a good release; the next one tries again
        ec2_instances.terminate(builders.alive(ec2_instances.builders(fleet)))


def _tell(event: dict[str, Any], image: str, stop_by: str, now: datetime, ended: str) -> str:
    """Send the notice; a sentence about why it could not be sent, else nothing.

    Raises:
        Throttled, Unavailable: For a minute after the end; the step is repeated.
    """
    try:
        topic.publish(_notice(event, image, stop_by, now))
    except Retryable as failure:
        if notices.since(ended, now) < _PATIENCE:
            raise
        return f" Nobody was told: {failure}"
    except Terminal as failure:
        return f" Nobody was told: {failure}"
    rollouts.notified(event["rollout"], now)
    return ""


def _notice(event: dict[str, Any], image: str, stop_by: str, now: datetime) -> notices.Notice:
    plan, version, release = event["plan"], event["version"], event.get("release") or {}
    group = autoscaling_groups.describe(plan["group"])
    return notices.released(
        Told(
            fleet=event["fleet"],
            rollout=event["rollout"],
            action=event["action"],
            revision=release.get("revision", ""),
            description=release.get("description", ""),
            asked=event.get("reason") or "",
        ),
        group=plan["group"],
        instances=group.desired,
        image=(plan["from"]["image"], image),
        version=(
            f"{plan['from']['template']} version {plan['from']['version']}",
            f"{version['template']} version {version['version']}",
        ),
        baked=bool((event.get("bake") or {}).get("baked")),
        took=notices.since(plan["began"], now),
        too_late=stop_by,
    )
