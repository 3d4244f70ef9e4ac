"""Rollouts and what each fleet has behind it: its images, its last release, its history.

Items: ``rollout#<id>`` {fleet, action, began, release, plan, result, reason, image, ended,
notified} and ``fleet#<name>`` {images, released_at, history, turn}. ``images`` is a stack, the
current image last: a release pushes, a roll-back pops down to its target.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ovenbird.errors import Unavailable
from ovenbird.ledger import table
from ovenbird.ledger.table import Item, Written

IMAGES_KEPT = 20
HISTORY_KEPT = 50
REACHED = frozenset({"released", "rolled-back"})  # the results of a rollout that got there


@dataclass(frozen=True)
class Rollout:
    """One run of the state machine, as far as it is remembered; empty texts mean not yet."""

    rollout: str
    fleet: str
    action: str
    began: str
    result: str = ""
    reason: str = ""
    ended: str = ""
    notified: str = ""


@dataclass(frozen=True)
class Past:
    """What a fleet has behind it. ``images``: oldest first, the current one last."""

    images: tuple[str, ...] = ()
    released_at: str = ""
    history: tuple[dict[str, str], ...] = ()


def read(rollout: str) -> Rollout | None:
    """The rollout, or ``None`` where nothing was written about it.

    IAM: dynamodb:GetItem
    """
    item = table.get(_pk(rollout))
    if item is None:
        return None
    return Rollout(
        rollout=rollout,
        fleet=item.get("fleet", ""),
        action=item.get("action", ""),
        began=item.get("began", ""),
        result=item.get("result", ""),
        reason=item.get("reason", ""),
        ended=item.get("ended", ""),
        notified=item.get("notified", ""),
    )


def begin(
    rollout: str,
    *,
    fleet: str,
    action: str,
    release: dict[str, Any] | None,
    plan: dict[str, Any],
    now: datetime,
) -> str:
    """Write down that it began, and with which plan; again, and only the plan is newer.

    Returns:
        When it began (ISO 8601), the first time.

    IAM: dynamodb:UpdateItem
    """
    written = table.update(
        _pk(rollout),
        "SET #fleet = :fleet, #action = :action, #began = if_not_exists(#began, :now), "
        "#release = :release, #plan = :plan",
        {
            "fleet": fleet,
            "action": action,
            "now": now.isoformat(),
            "release": json.dumps(release, sort_keys=True),
            "plan": json.dumps(plan, sort_keys=True),
        },
    )
    return str(written.item["began"])


def end(
    rollout: str, *, fleet: str, result: str, reason: str, now: datetime, image: str = ""
) -> None:
    """Write down how it ended, in the rollout and in the fleet's history; the first end stays.

    Args:
        result: ``released``, ``rolled-back``, ``nothing-to-do``, ``superseded``, ``stale``,
            ``planned``, or the name of a failure.

    IAM: dynamodb:UpdateItem, dynamodb:GetItem
    """
    table.update(
        _pk(rollout),
        "SET #fleet = :fleet, #result = if_not_exists(#result, :result), "
        "#reason = if_not_exists(#reason, :reason), #ended = if_not_exists(#ended, :now), "
        "#image = if_not_exists(#image, :image)",
        {
            "fleet": fleet,
            "result": result,
            "reason": reason[:2000],
            "now": now.isoformat(),
            "image": image,
        },
    )
    entry = {
        "rollout": rollout,
        "result": result,
        "reason": reason[:200],
        "at": now.isoformat(),
        "image": image,
    }

    def add(past: Past) -> Past:
        if any(known["rollout"] == rollout for known in past.history):
            return past
        return Past(past.images, past.released_at, (*past.history, entry)[-HISTORY_KEPT:])

    _rewrite(fleet, add)


def notified(rollout: str, now: datetime) -> None:
    """Write down that its notice was sent.

    IAM: dynamodb:UpdateItem
    """
    table.update(_pk(rollout), "SET #notified = :now", {"now": now.isoformat()})


def past(fleet: str) -> Past:
    """What the fleet has behind it; empty for one that never rolled.

    IAM: dynamodb:GetItem
    """
    return _past(table.get(f"fleet#{fleet}") or {})


def settled(fleet: str, *, action: str, before: str, image: str, at: str) -> None:
    """Write down that the fleet now runs ``image``; repeating changes nothing.

    Args:
        action: ``release`` pushes the image; ``roll-back`` pops down to it.
        before: What the fleet ran until now. It is put on the stack first if it is not there,
            so that the first release can be rolled back and a change by others is not forgotten.
        at: The time of the release, ISO 8601 in UTC.

    IAM: dynamodb:UpdateItem, dynamodb:GetItem
    """

    def push(past: Past) -> Past:
        images = list(past.images)
        if not images or images[-1] != image:
            if before and (not images or images[-1] != before):
                images.append(before)
            if action == "roll-back" and image in images:
                images = images[: _last(images, image) + 1]
            elif images[-1:] != [image]:
                images.append(image)
        return Past(tuple(images[-IMAGES_KEPT:]), max(past.released_at, at), past.history)

    _rewrite(fleet, push)


def _rewrite(fleet: str, change: Callable[[Past], Past]) -> None:
    """Read, change, write on condition that nobody wrote in between; a few times."""
    for _ in range(5):
        item = table.get(f"fleet#{fleet}") or {}
        seen = _past(item)
        wanted = change(seen)
        if wanted == seen:
            return
        turn = item.get("turn", 0)
        written = table.update(
            f"fleet#{fleet}",
            "SET #images = :images, #released_at = :released_at, #history = :history, "
            "#turn = :next",
            {
                "images": list(wanted.images),
                "released_at": wanted.released_at,
                "history": list(wanted.history),
                "turn": turn,
                "next": turn + 1,
            },
            condition="attribute_not_exists(#turn) OR #turn = :turn",
        )
        if isinstance(written, Written):
            return
    raise Unavailable(f"The history of {fleet} is being written by too many at once.")


def _past(item: Item) -> Past:
    return Past(
        tuple(item.get("images", ())),
        item.get("released_at", ""),
        tuple(item.get("history", ())),
    )


def _last(images: list[str], image: str) -> int:
    return max(index for index, known in enumerate(images) if known == image)


def _pk(rollout: str) -> str:
    return f"rollout#{rollout}"
