"""Every event that Ovenbird accepts, parsed into frozen dataclasses: one file for each source.

An event only says where to look. What is not ours is :class:`Ignored`, with the reason; what claims
to be ours and is not well made is refused with ``BadEvent``, in one sentence that names the field.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from ovenbird.core.quotes import quoted
from ovenbird.core.releases import Push, Release
from ovenbird.errors import BadEvent
from ovenbird.events import (
    autoscaling,
    by_hand,
    cloudwatch,
    codebuild,
    codecommit,
    codepipeline,
    ec2,
    ecr,
    requested,
    s3,
    ssm,
)
from ovenbird.events.by_hand import RollBackAsked
from ovenbird.events.cloudwatch import Alarmed
from ovenbird.events.envelope import CLOCKS_DIFFER, Ignored, text

__all__ = [
    "Alarmed",
    "Ignored",
    "Push",
    "Release",
    "RollBackAsked",
    "alarm",
    "doorbells",
    "release",
]

_PUSHES: dict[str, Callable[[dict[str, Any]], Push | Ignored]] = {
    "aws.s3": s3.parse,
    "aws.codepipeline": codepipeline.parse,
    "aws.codecommit": codecommit.parse,
    "aws.codebuild": codebuild.parse,
    "aws.ecr": ecr.parse,
    "ovenbird": requested.parse,
}
_NAMED_AT_HOME = {"aws.codepipeline", "aws.codecommit", "aws.codebuild", "aws.ecr"}
_RINGS: dict[str, Callable[[dict[str, Any]], tuple[str, ...] | Ignored]] = {
    "aws.autoscaling": autoscaling.doorbells,
    "aws.ec2": ec2.doorbells,
    "aws.ssm": ssm.doorbells,
}


def release(
    event: dict[str, Any], now: datetime, home: tuple[str, str]
) -> Push | RollBackAsked | Ignored:
    """What accept_release is told: a push, a roll-back by hand, or nothing for us.

    Args:
        event: From EventBridge (it has a ``source``), or a payload by hand.
        now: A request by hand is as old as its arrival.
        home: Our region and account. A pipeline called ``web`` may exist in every one of them, so
            those of others are not ours, even where their events come to our bus. A bucket's name
            exists once, and a Release Requested names our own fleet.

    Raises:
        BadEvent: The payload is not well made.
    """
    if "source" not in event:
        return by_hand.parse(event, now)
    source = text(event, "source")
    parse = _PUSHES.get(source)
    if parse is None:
        return Ignored(f"events of {source} are no releases")
    if "replay-name" in event:
        # Replays come in any order and long after; what they tell was already done, or undone.
        return Ignored(f"it is from the replay {quoted(event['replay-name'])}, not a new push")
    if source in _NAMED_AT_HOME and (text(event, "region"), text(event, "account")) != home:
        return Ignored(
            f"it is of account {event['account']} in {event['region']}, "
            f"and Ovenbird of {home[1]} in {home[0]}"
        )
    push = parse(event)
    if isinstance(push, Push) and datetime.fromisoformat(push.release.at) > now + CLOCKS_DIFFER:
        # It would count as the newest release until then, and every other one as stale.
        raise BadEvent(f"time is {quoted(event['time'])}; it must not lie in the future.")
    return push


def doorbells(event: dict[str, Any]) -> tuple[str, ...] | Ignored:
    """The doorbells that an event rings: ids of what changed, whoever may wait for it.

    Raises:
        BadEvent: The event is not well made.
    """
    source = text(event, "source")
    ring = _RINGS.get(source)
    if ring is None:
        return Ignored(f"nothing here waits for events of {source}")
    return ring(event)


def alarm(event: dict[str, Any]) -> Alarmed | Ignored:
    """The alarm that went off, from EventBridge or as the alarm's own Lambda action.

    Raises:
        BadEvent: The event is not well made.
    """
    return cloudwatch.parse(event)
