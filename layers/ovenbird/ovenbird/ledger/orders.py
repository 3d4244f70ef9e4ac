"""Orders: the requests of a fleet are counted when they are accepted, and that is written down.

Items: ``order#<fleet>`` {number, place_…} and, of ``rollout#<id>``, {fleet, order, asked, wish}.
``number`` is that of the last order. A ``place_…`` is what is known of one object, branch or
pipeline (:class:`~ovenbird.core.orders.Rank`), named after a hash of it. Both change in one write,
so whoever is proven newer also has the higher number. Only the latest places are kept: what comes
late comes minutes late, or is told by its time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ovenbird.core import orders
from ovenbird.core.orders import Older, Rank
from ovenbird.errors import Unavailable
from ovenbird.ledger import table
from ovenbird.ledger.table import Item, Written

PLACES_KEPT = 100
_MOST_TRIES = 20  # of requests of one place that are accepted at the same time
_PLACE = "place_"


@dataclass(frozen=True)
class Accepted:
    """What was accepted under a rollout's name: its order, and the digest of what was asked for."""

    order: str
    asked: str


def accepted(rollout: str) -> Accepted | None:
    """What was accepted under that name, ``None`` where nothing was.

    IAM: dynamodb:GetItem
    """
    return _accepted(table.get(f"rollout#{rollout}") or {})


def accept(
    rollout: str,
    *,
    fleet: str,
    order: str,
    asked: str,
    wish: Mapping[str, Any],
    expires: datetime | None = None,
) -> Accepted:
    """Write down that it was accepted, before its execution is started; the first one stays.

    Args:
        asked: The digest of the execution's input.
        wish: That input, for whoever has to undo the rollout when its execution has died.
        expires: When it may be forgotten, ``None`` never.

    Returns:
        What was accepted under that name, now or before.

    IAM: dynamodb:UpdateItem
    """
    expression = "SET #fleet = :fleet, #order = :order, #asked = :asked, #wish = :wish"
    text = json.dumps(wish, sort_keys=True)
    values: dict[str, Any] = {"fleet": fleet, "order": order, "asked": asked, "wish": text}
    if expires is not None:
        expression += ", #expires = :expires"
        values["expires"] = int(expires.timestamp())
    written = table.update(
        f"rollout#{rollout}",
        expression,
        values,
        condition="attribute_not_exists(#order)",
    )
    return _accepted(written.item) or Accepted(order, asked)


def count(fleet: str, at: str, rank: Rank | None = None) -> str | Older:
    """The order of a request that is accepted now, or why it is not.

    Counting again, because the one who asked died before it was written down, gives a higher
    number; that is no harm.

    Args:
        at: When the request was and when it arrived, from :func:`ovenbird.core.orders.moment`.
        rank: What proves more than that; its ``at`` is the same.

    Raises:
        Unavailable: Many releases of the same object come at once; repeat it.

    IAM: dynamodb:UpdateItem
    """
    if rank is None:
        written = table.update(_pk(fleet), _COUNT, _COUNTED)
        return orders.order(at, int(written.item["number"]))
    name = _PLACE + hashlib.sha256(rank.place.encode()).hexdigest()[:16]
    known: Rank | None = None
    for _ in range(_MOST_TRIES):
        verdict = orders.judge(rank, known)
        if isinstance(verdict, Older) and verdict.keep == known:
            return verdict
        counted = not isinstance(verdict, Older)
        keep = f"#{name} = :keep"
        seen = {} if known is None else {"seen": known.to_json()}
        answer = table.update(
            _pk(fleet),
            f"{_COUNT}, {keep}" if counted else f"SET {keep}",
            (_COUNTED if counted else {}) | seen | {"keep": verdict.keep.to_json()},
            condition=f"attribute_not_exists(#{name})" if known is None else f"#{name} = :seen",
        )
        if isinstance(answer, Written):
            if isinstance(verdict, Older):
                return verdict
            _forget(fleet, answer.item)
            return orders.order(verdict.at, int(answer.item["number"]))
        known = Rank.from_json(rank.place, answer.item[name]) if name in answer.item else None
    raise Unavailable(f"Too many releases of {rank.place} come at once.")


_COUNT = "SET #number = if_not_exists(#number, :none) + :one"
_COUNTED: dict[str, Any] = {"none": 0, "one": 1}


def _accepted(item: Item) -> Accepted | None:
    return Accepted(item["order"], item["asked"]) if "order" in item else None


def _forget(fleet: str, item: Item) -> None:
    """Keep the item small; a place that has changed meanwhile stays, and the next one tries."""
    places = sorted((each for each in item if each.startswith(_PLACE)), key=lambda n: item[n]["at"])
    old = places[:-PLACES_KEPT]
    if old:
        table.update(
            _pk(fleet),
            "REMOVE " + ", ".join(f"#{name}" for name in old),
            {name: item[name] for name in old},
            condition=" AND ".join(f"#{name} = :{name}" for name in old),
        )


def _pk(fleet: str) -> str:
    return f"order#{fleet}"
