"""What a step of a rollout is passed: the whole state, checked before anything is done with it.

It comes from the state machine, whose first input is our own and the rest our own answers; but a
step can be invoked by hand as well, and an execution started by hand.

What is trusted: *who* the rollout is, is compared with the ledger (the lane's holder and fence) by
every step that changes anything. The rest is only believed to be well made, as
``rollout.schema.json`` says: whoever may invoke a function may have done for him what its role may
do, and that is fenced by tags. Fields that are not known are left alone, so that a rollout survives
a deployment of Ovenbird in the middle of it.
"""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from ovenbird import fleet as documents
from ovenbird import schema
from ovenbird.core.quotes import plain, quoted
from ovenbird.errors import BadEvent
from ovenbird.events.envelope import CLOCKS_DIFFER, at
from ovenbird.fleet import Fleet

_LONGEST_ERROR = 100


def check(event: dict[str, Any], now: datetime, *needs: str) -> None:
    """Refuse a state that is not well made.

    Args:
        needs: Paths like ``plan.fence`` that the step cannot do without.

    Raises:
        BadEvent: One sentence that names the field, its value and what would be right.
    """
    wrong = schema.first_error(state_schema(), event)
    if wrong:
        raise BadEvent(wrong)
    for field in ("at", "release.at"):
        written = at(event, field)
        if written and datetime.fromisoformat(written) > now + CLOCKS_DIFFER:
            raise BadEvent(f"{field} is {quoted(written)}; it must not lie in the future.")
    for field in needs:
        if at(event, field) is None:
            raise BadEvent(f"{field} is missing; an earlier step of the rollout answers it.")


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


def time_of(event: dict[str, Any]) -> str:
    """When the rollout was asked for, ISO 8601 in UTC.

    Raises:
        BadEvent: Nothing says so.
    """
    written = at(event, "at") or at(event, "release.at")
    if written is None:
        raise BadEvent("at is missing; it must say when the rollout was asked for.")
    return str(written)


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
