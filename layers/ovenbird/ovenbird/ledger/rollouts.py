"""Rollouts and what each fleet has behind it: its images, its last release, its history.

Items: ``rollout#<id>`` {fleet, order, asked, wish, execution, action, began, release, plan, result,
reason, image, ended, notified, words, died, warned, expires} and ``fleet#<name>`` {images,
released, history, turn}. ``order``, ``asked`` and ``wish`` are from its acceptance
(:mod:`ovenbird.ledger.orders`). ``images`` is a stack, the current image last: a release pushes, a
roll-back pops down to its target. ``released`` is the order of what the fleet runs.

What a script has written may hold more than its owner meant to tell. It stands in ``reason`` of a
rollout's item alone, below the first line, and that item has a time to live; the history, which has
none, keeps first lines only.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ovenbird.errors import Unavailable
from ovenbird.ledger import table
from ovenbird.ledger.table import Item, Written

IMAGES_KEPT = 20
HISTORY_KEPT = 50
KEPT = timedelta(days=400)  # a rollout's item, after the last time that it was written
REACHED = frozenset({"released", "rolled-back"})  # the results of a rollout that got there
NOTHING_ROLLED = frozenset({"nothing-to-do", "superseded", "stale"})  # and of one that need not


@dataclass(frozen=True)
class Death:
    """How an execution ended that has not ended by itself: as a failure, and when."""

    error: str
    cause: str
    at: datetime


@dataclass(frozen=True)
class Rollout:
    """One run of the state machine, as far as it is remembered; empty texts mean not yet.

    ``order`` is its place among those of the fleet, ``asked`` the digest of its execution's input
    (both :mod:`ovenbird.core.orders`), ``wish`` that input. ``execution`` is when its execution
    began. ``words`` is a digest of the failure that it ended with; ``warned`` when people were told
    that its execution has died.
    """

    rollout: str
    fleet: str
    action: str
    began: str
    order: str = ""
    asked: str = ""
    result: str = ""
    reason: str = ""
    ended: str = ""
    notified: str = ""
    execution: str = ""
    words: str = ""
    warned: str = ""
    died: Death | None = None
    wish: dict[str, Any] | None = field(default=None, hash=False)
    plan: dict[str, Any] | None = field(default=None, hash=False)
    release: dict[str, Any] | None = field(default=None, hash=False)


@dataclass(frozen=True)
class Past:
    """What a fleet has behind it. ``images``: oldest first, the current one last."""

    images: tuple[str, ...] = ()
    released: str = ""
    history: tuple[dict[str, str], ...] = ()

    @property
    def ran(self) -> tuple[str, ...]:
        """Every image that the fleet is known to have run, those on the stack first, newest first.

        A roll-back takes what it leaves off the stack, so the history knows more.
        """
        reached = [each["image"] for each in self.history if each.get("result") in REACHED]
        return tuple(dict.fromkeys([*reversed(self.images), *reversed(reached)]))


def read(rollout: str) -> Rollout | None:
    """The rollout, or ``None`` where nothing was written about it.

    IAM: dynamodb:GetItem
    """
    item = table.get(_pk(rollout))
    return None if item is None else _rollout(rollout, item)


def enter(rollout: str, *, asked: str, execution: str) -> Rollout | None:
    """Write down which execution runs it, the first time; and what is known of it.

    Args:
        asked: The digest of the execution's input.
        execution: When the execution began, as Step Functions itself says: another one of the same
            name, months later, is not the same.

    Returns:
        ``None`` where nothing was accepted under that name, or something else.

    IAM: dynamodb:UpdateItem
    """
    written = table.update(
        _pk(rollout),
        "SET #execution = :execution",
        {"asked": asked, "execution": execution},
        # Whoever comes after the first one writes nothing, whatever it was given.
        condition="#asked = :asked AND attribute_not_exists(#execution)",
    )
    return _rollout(rollout, written.item) if written.item.get("asked") == asked else None


def die(rollout: str, death: Death) -> Death:
    """Write down how its execution died; the first death stays, and is answered.

    IAM: dynamodb:UpdateItem
    """
    text = {"error": death.error, "cause": death.cause, "at": death.at.isoformat()}
    written = table.update(
        _pk(rollout),
        "SET #died = if_not_exists(#died, :died)",
        {"died": json.dumps(text, sort_keys=True)},
    )
    return _death(written.item) or death


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

    Args:
        plan: As the later steps are given it, but for ``began``.

    Returns:
        When it began (ISO 8601), the first time.

    IAM: dynamodb:UpdateItem
    """
    written = table.update(
        _pk(rollout),
        "SET #fleet = :fleet, #action = :action, #began = if_not_exists(#began, :now), "
        "#release = :release, #plan = :plan, #expires = :expires",
        {
            "expires": _expires(now),
            "fleet": fleet,
            "action": action,
            "now": now.isoformat(),
            "release": json.dumps(release, sort_keys=True),
            "plan": json.dumps(plan, sort_keys=True),
        },
    )
    return str(written.item["began"])


def end(
    rollout: str,
    *,
    fleet: str,
    result: str,
    reason: str,
    now: datetime,
    image: str = "",
    words: str = "",
) -> None:
    """Write down how it ended, in the rollout and in the fleet's history; the first end stays.

    Args:
        result: ``released``, ``rolled-back``, ``nothing-to-do``, ``superseded``, ``stale``,
            ``planned``, or the name of a failure.
        words: A digest of the failure that people are told of.

    IAM: dynamodb:UpdateItem, dynamodb:GetItem
    """
    table.update(
        _pk(rollout),
        "SET #fleet = :fleet, #result = if_not_exists(#result, :result), "
        "#reason = if_not_exists(#reason, :reason), #ended = if_not_exists(#ended, :now), "
        "#image = if_not_exists(#image, :image), #words = if_not_exists(#words, :words), "
        "#expires = :expires",
        {
            "expires": _expires(now),
            "fleet": fleet,
            "result": result,
            "reason": reason[:2000],
            "now": now.isoformat(),
            "image": image,
            "words": words,
        },
        condition="attribute_not_exists(#result)",
    )
    entry = {
        "rollout": rollout,
        "result": result,
        "reason": reason.split("\n", 1)[0][:200],
        "at": now.isoformat(),
        "image": image,
    }

    def add(past: Past) -> Past:
        if any(known["rollout"] == rollout for known in past.history):
            return past
        return Past(past.images, past.released, (*past.history, entry)[-HISTORY_KEPT:])

    _rewrite(fleet, add)


def notified(rollout: str, now: datetime) -> None:
    """Write down that its notice was sent.

    IAM: dynamodb:UpdateItem
    """
    table.update(_pk(rollout), "SET #notified = :now", {"now": now.isoformat()})


def warned(rollout: str, now: datetime) -> None:
    """Write down that people were told of the death of its execution.

    IAM: dynamodb:UpdateItem
    """
    table.update(_pk(rollout), "SET #warned = :now", {"now": now.isoformat()})


def past(fleet: str) -> Past:
    """What the fleet has behind it; empty for one that never rolled.

    IAM: dynamodb:GetItem
    """
    return _past(table.get(f"fleet#{fleet}") or {})


def settled(fleet: str, *, action: str, before: str, image: str, order: str) -> None:
    """Write down that the fleet now runs ``image``; repeating changes nothing.

    Args:
        action: ``release`` pushes the image; ``roll-back`` pops down to it.
        before: What the fleet ran until now. It is put on the stack first if it is not there,
            so that the first release can be rolled back and a change by others is not forgotten.
        order: The place of the request among those of the fleet.

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
        return Past(tuple(images[-IMAGES_KEPT:]), max(past.released, order), past.history)

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
            "SET #images = :images, #released = :released, #history = :history, #turn = :next",
            {
                "images": list(wanted.images),
                "released": wanted.released,
                "history": list(wanted.history),
                "turn": turn,
                "next": turn + 1,
            },
            condition="attribute_not_exists(#turn) OR #turn = :turn",
        )
        if isinstance(written, Written):
            return
    raise Unavailable(f"The history of {fleet} is being written by too many at once.")


def _rollout(rollout: str, item: Item) -> Rollout:
    plan = json.loads(item.get("plan", "null"))
    return Rollout(
        rollout=rollout,
        fleet=item.get("fleet", ""),
        action=item.get("action", ""),
        began=item.get("began", ""),
        order=item.get("order", ""),
        asked=item.get("asked", ""),
        result=item.get("result", ""),
        reason=item.get("reason", ""),
        ended=item.get("ended", ""),
        notified=item.get("notified", ""),
        execution=item.get("execution", ""),
        words=item.get("words", ""),
        warned=item.get("warned", ""),
        died=_death(item),
        wish=json.loads(item.get("wish", "null")),
        plan=None if plan is None else {**plan, "began": item["began"]},
        release=json.loads(item.get("release", "null")),
    )


def _death(item: Item) -> Death | None:
    if "died" not in item:
        return None
    written = json.loads(item["died"])
    return Death(written["error"], written["cause"], datetime.fromisoformat(written["at"]))


def _past(item: Item) -> Past:
    return Past(
        tuple(item.get("images", ())),
        item.get("released", ""),
        tuple(item.get("history", ())),
    )


def _expires(now: datetime) -> int:
    return int((now + KEPT).timestamp())


def _last(images: list[str], image: str) -> int:
    return max(index for index, known in enumerate(images) if known == image)


def _pk(rollout: str) -> str:
    return f"rollout#{rollout}"
