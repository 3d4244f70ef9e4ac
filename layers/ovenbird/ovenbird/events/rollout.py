"""What a step of a rollout is passed: the whole state, checked before anything is done with it.

It comes from the state machine, whose first input is our own and the rest our own answers; but a
step can be invoked by hand as well, and an execution started by hand.

So nothing of it is trusted before it was compared. ``execution`` is set by the state machine, from
Step Functions' own context, and its name is the rollout's id. Who has the lane (holder and fence),
and what the steps have answered (:mod:`ovenbird.core.seals`), stands in the ledger. Before that a
state must be well made, as ``rollout.schema.json`` says. Fields that are not known are left alone,
so that a rollout survives a deployment of Ovenbird in the middle of it.
"""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from ovenbird import fleet as documents
from ovenbird import schema
from ovenbird.core import orders, seals
from ovenbird.core.quotes import plain, quoted
from ovenbird.core.seals import Claim
from ovenbird.errors import BadEvent, LimitNear
from ovenbird.events.envelope import CLOCKS_DIFFER, at
from ovenbird.fleet import Fleet

_LONGEST_ERROR = 100
_MISSING = {"execution": "who undoes the rollout", "failure": "why it is undone"}
# Step Functions ends an execution without a word whose state has more than 256 KiB, and a step's
# answer is added to it.
LARGEST = 192 * 1024


def check(event: dict[str, Any], now: datetime, *needs: str, largest: int | None = LARGEST) -> None:
    """Refuse a state that is not well made.

    Args:
        needs: Paths like ``plan.fence`` that the step cannot do without.
        largest: How many bytes it may have, ``None`` for any number.

    Raises:
        BadEvent: One sentence that names the field, its value and what would be right.
        LimitNear: It is too large.
    """
    wrong = schema.first_error(state_schema(), event)
    if wrong:
        raise BadEvent(wrong)
    _check_execution(event)
    for field in ("at", "release.at"):
        written = at(event, field)
        if written and datetime.fromisoformat(written) > now + CLOCKS_DIFFER:
            raise BadEvent(f"{field} is {quoted(written)}; it must not lie in the future.")
    for field in needs:
        if at(event, field) is None:
            raise BadEvent(f"{field} is missing; an earlier step of the rollout answers it.")
    size = len(json.dumps(event))
    if largest is not None and size > largest:
        raise LimitNear(
            f"The state of the rollout has {size} bytes; it may have {largest}, because Step "
            "Functions carries no more than 262144."
        )


def check_undo(event: dict[str, Any], now: datetime) -> None:
    """The same for the undo, which needs no more than the failure and who asks.

    Raises:
        BadEvent: As above.
    """
    wrong = schema.first_error(state_schema(), event)
    if wrong:
        raise BadEvent(wrong)
    for field in ("execution", "failure"):
        if event.get(field) is None:
            raise BadEvent(f"{field} is missing; the state machine says there {_MISSING[field]}.")


def _check_execution(event: dict[str, Any]) -> None:
    name = at(event, "execution.name")
    if name is None:
        raise BadEvent(
            "execution is missing; the state machine says there who runs the step, and a step of "
            "a rollout is run by nobody else."
        )
    if name != event["rollout"]:
        raise BadEvent(
            f"execution.name is {quoted(name)}; it must be {event['rollout']}, the rollout's id: "
            "accept_release starts rollouts."
        )


def claim(event: dict[str, Any], *parts: str, fence: int | None = None) -> Claim:
    """Who the step says it is; to be compared with the lane.

    Args:
        parts: Those that the step relies on.
        fence: In place of the plan's, which is not written yet.
    """
    return Claim(
        fleet=event["fleet"],
        rollout=event["rollout"],
        fence=event["plan"]["fence"] if fence is None else fence,
        carried={part: seals.carried(event, part) for part in parts},
    )


def check_addresses(event: dict[str, Any]) -> None:
    """The same for the one part that is passed on where addresses are looked after by themselves.

    Raises:
        BadEvent: It is not well made.
    """
    part = state_schema()["properties"]["addresses"]
    wrong = schema.first_error(part, event.get("addresses", {}), "addresses")
    if wrong:
        raise BadEvent(wrong)


def fleet_of(event: dict[str, Any]) -> Fleet:
    """The fleet document as it was when the rollout was planned.

    A rollout reads it once: whoever edits it meanwhile means the next one, and a slip of the pen
    must not undo a good release.

    Raises:
        BadFleet: It is wrong; the text says where.
    """
    return documents.parse(event["fleet"], event["plan"]["document"])


def image_of(event: dict[str, Any]) -> str:
    """The image that the rollout leads the fleet to: baked, or known since the plan.

    Raises:
        BadEvent: There is none yet.
    """
    image = at(event, "bake.image") or at(event, "plan.image")
    if image is None:
        raise BadEvent("bake.image is missing, and plan.image too; one of them must be there.")
    return str(image)


def order_of(event: dict[str, Any]) -> str:
    """The place of the rollout among those of its fleet, as it was accepted.

    What an earlier version has started has only its time: it comes before what was counted since.

    Raises:
        BadEvent: Nothing says so.
    """
    if "order" in event:
        return str(event["order"])
    written = at(event, "at") or at(event, "release.at")
    if written is None:
        raise BadEvent("order is missing; it must say which place the rollout was accepted for.")
    return orders.order(orders.moment(written, datetime.fromisoformat(written)), 0)


def error_of(event: dict[str, Any]) -> str:
    """The name of the failure that the state machine caught."""
    return plain(_caught(event, "Error") or "Unknown", _LONGEST_ERROR)


def cause_of(event: dict[str, Any]) -> str:
    """What a script or AWS said of it."""
    return _caught(event, "Cause")


def _caught(event: dict[str, Any], name: str) -> str:
    return str((event.get("failure") or {}).get(name, ""))


@cache
def state_schema() -> dict[str, Any]:
    """The schema, as in the file; do not change it."""
    text = Path(__file__).parents[1].joinpath("rollout.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded
