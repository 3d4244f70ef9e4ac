"""What people are told: what happened, why, and what to do. Pure text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from ovenbird.core.quotes import prose

LONGEST_SUBJECT = 100  # and only ASCII. Source: SNS API reference, Publish, parameter Subject.
LONGEST_REASON = 3000

_ADVICE = {
    "BadEvent": "Correct the payload; the sentence above names the field.",
    "BadFleet": "Correct the fleet document; the sentence above names the field. "
    "Then release again.",
    "BadSettings": "Correct the setting of the function, or deploy the stack again.",
    "NotFound": "Make what is missing, or correct its name in the fleet document. "
    "Then release again.",
    "Denied": "Give the function's role the permission that AWS names; the tag ovenbird:fleet "
    "may be missing on what it wanted to change. Then release again.",
    "Refused": "Do what the sentences above say, then release again.",
    "Stopped": "Nothing; a person asked for this. Release again when you are ready.",
    "LaneLost": "Nothing, if another rollout took over; else look at the lane of the fleet.",
    "BakeFailed": "Correct the release, or the scripts in bake.install and bake.verify, "
    "and release again.",
    "RollFailed": "Find out why the new instances did not work (the reason above is AWS's), "
    "and release a corrected version. An image that is marked bad will not be used again.",
    "AddressFailed": "Look at who holds the fleet's Elastic IPs, and release again.",
    "UndoFailed": "A person must look at the group NOW: it may run two versions. "
    "See which refreshes it had, and bring it to one version by hand.",
    "Throttled": "Release again in a few minutes; if it comes back, ask AWS for a higher limit.",
    "Unavailable": "Release again in a few minutes.",
    "NotYetVisible": "Release again in a few minutes.",
}
# Step Functions' names for a function or a call of its own that failed.
_OF_AWS = ("DynamoDb.", "DynamoDB.", "Lambda.", "Runtime.", "Sandbox.", "States.")
_NOT_RUN = (
    "AWS could not run a step, again and again. Look into the function's log and at AWS's health "
    "page, then release again."
)
_UNKNOWN = "This failure has no name of ours: look into the execution and the function's log."


@dataclass(frozen=True)
class Notice:
    """A message for the topic. ``subject``: at most 100 ASCII characters, one line."""

    subject: str
    text: str


@dataclass(frozen=True)
class Told:
    """What every notice of a rollout says about it.

    ``revision`` is empty for a roll-back; ``asked`` is then why it was asked for.
    """

    fleet: str
    rollout: str
    action: str
    revision: str = ""
    description: str = ""
    asked: str = ""


def released(
    told: Told,
    *,
    group: str,
    instances: int,
    image: tuple[str, str],
    version: tuple[str, str],
    baked: bool,
    took: timedelta,
    too_late: str = "",
) -> Notice:
    """The fleet runs what was wanted.

    Args:
        instances: How many the group has.
        image: The one before and the one that runs now.
        version: ``lt-… version 3`` before and now.
        baked: Whether the image was made for this rollout.
        took: From its beginning to its end.
        too_late: Who asked to stop it when it was already over.
    """
    back = told.action == "roll-back"
    what = "was rolled back" if back else f"runs {_short(told.revision)}"
    lines = [
        f"Fleet {told.fleet} {'was rolled back' if back else 'runs a new release'}.",
        "",
        f"What: {_what(told)}",
        f"Group: {group}, {instances} instance{'' if instances == 1 else 's'} on the new version",
        f"Image: {image[1]} (before: {image[0]}), {_made(back, baked)}",
        f"Launch template: {version[1]} (before: {version[0]})",
        f"Took: {duration(took)}",
        f"Rollout: {told.rollout}",
        "",
        "What to do: nothing. To return to the version before, ask for a roll-back: "
        + json.dumps({"action": "roll-back", "fleet": told.fleet}),
    ]
    if too_late:
        lines += ["", f"{too_late} asked to stop it, but it was over by then; ask again."]
    return Notice(subject(f"{told.fleet} {what}"), "\n".join(lines))


def failed(told: Told, *, error: str, cause: str, undone: str, took: timedelta | None) -> Notice:
    """The rollout failed.

    Args:
        error: The name of the failure.
        cause: As the state machine has it: Lambda's JSON, or a text.
        undone: What was done about it, and what the fleet runs now; one or two sentences.
        took: From its beginning until now, ``None`` where it never began.
    """
    lines = [
        f"The rollout of fleet {told.fleet} failed: {error}.",
        "",
        f"What: {_what(told)}",
        f"Why: {reason(cause)}",
        f"Now: {undone}",
        *([f"Took: {duration(took)}"] if took is not None else []),
        f"Rollout: {told.rollout}",
        "",
        f"What to do: {advice(error)}",
    ]
    kind = "roll-back" if told.action == "roll-back" else _short(told.revision)
    return Notice(subject(f"{told.fleet}: {kind} failed ({error})"), "\n".join(lines))


def advice(error: str) -> str:
    """What a person should do about a failure, by its name."""
    return _ADVICE.get(error, _NOT_RUN if error.startswith(_OF_AWS) else _UNKNOWN)


def reason(cause: str) -> str:
    """The sentence in a cause; Lambda reports ``{"errorMessage", "errorType", "stackTrace"}``."""
    try:
        written = json.loads(cause)
    except (ValueError, RecursionError):
        written = None
    if isinstance(written, dict):
        said = (written.get("errorMessage"), written.get("errorType"), cause)
        cause = next(each for each in said if isinstance(each, str) and each)
    cause = prose(cause)
    return cause if len(cause) <= LONGEST_REASON else cause[: LONGEST_REASON - 1] + "…"


def subject(text: str) -> str:
    """The text as a subject: ASCII, one line, at most 100 characters."""
    plain = "".join(each if " " <= each <= "~" else "?" for each in f"Ovenbird: {text}")
    return plain if len(plain) <= LONGEST_SUBJECT else plain[: LONGEST_SUBJECT - 3] + "..."


def duration(took: timedelta) -> str:
    """``1 h 4 min``, ``12 min``, ``45 s``."""
    seconds = max(round(took.total_seconds()), 0)
    if seconds < 60:
        return f"{seconds} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def since(began: str, now: datetime) -> timedelta:
    """How long ago that was; ``began`` is ISO 8601 with its zone."""
    return now - datetime.fromisoformat(began)


def _what(told: Told) -> str:
    if told.action == "roll-back":
        return f"a roll-back by hand ({told.asked or 'no reason given'})"
    return f"release {told.revision or 'without a revision'}" + (
        f" ({told.description})" if told.description else ""
    )


def _made(back: bool, baked: bool) -> str:
    if back:
        return "which the fleet ran before"
    return "baked for this release" if baked else "reused: the same content was baked before"


def _short(revision: str) -> str:
    return revision if len(revision) <= 24 else revision[:21] + "..."
