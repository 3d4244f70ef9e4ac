"""What people are told: what happened, why, and what to do. Pure text.

What others wrote (a commit's message, why somebody asked, the output of a script) stands in lines
that begin with ``> ``, and no link in a notice works; see :mod:`ovenbird.core.quotes`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ovenbird.core import codes
from ovenbird.core.codes import Kind
from ovenbird.core.quotes import block, defanged, label, prose

LONGEST_SUBJECT = 100  # and only ASCII. Source: SNS API reference, Publish, parameter Subject.
LONGEST_REASON = 3000
_MOST_MISTAKES = 30

_ADVICE = {
    "BadEvent": "Correct the payload; the sentence above names the field.",
    "BadFleet": "Correct the fleet document; the sentence above names the field. "
    "Then release again.",
    "BadSettings": "Correct the setting of the function, or deploy the stack again.",
    "NotFound": "Make what is missing, or correct its name in the fleet document. "
    "Then release again.",
    "Denied": "Give the function's role the permission that AWS names; the tag ovenbird:fleet "
    "may be missing on what it wanted to change. Then release again.",
    "Declined": "Do what AWS's words ask for. Then release again.",
    "Refused": "Do what the sentences above say, then release again.",
    "Stopped": "Nothing; a person asked for this. Release again when you are ready.",
    "LaneLost": "Nothing, if another rollout took over; else look at the lane of the fleet.",
    "LimitNear": "Find out what rings all the time: who may invoke ring_doorbell or answer_alarm, "
    "or set the state of the alarms in roll.alarms. Then release again.",
    "ExecutionLost": "Look into the history of the execution for what ended it; then release "
    "again.",
    "BakeFailed": "Correct what the reason names (the release, the scripts in bake.install and "
    "bake.verify, the base image), and release again.",
    "RollFailed": "Find out why the new instances did not work (the reason above is AWS's), "
    "and release a corrected version. An image that is marked bad will not be used again.",
    "AddressFailed": "Look at who holds the fleet's Elastic IPs, and release again.",
    "UndoFailed": "A person must look at the group NOW: it may run two versions. "
    "See which refreshes it had, and bring it to one version by hand.",
    "Throttled": "Release again in a few minutes; if it comes back, ask AWS for a higher limit.",
    "Unavailable": "Release again in a few minutes.",
    "NotYetVisible": "Release again in a few minutes.",
}
# In these AWS's own answer, if there is one, says more than the name.
_SAID_BY_AWS = frozenset(
    {"AddressFailed", "BakeFailed", "Declined", "Denied", "NotFound", "Refused", "RollFailed"}
)
# Step Functions' names for a function or a call of its own that failed.
_OF_AWS = ("DynamoDb.", "DynamoDB.", "Lambda.", "Runtime.", "Sandbox.", "States.")
_NOT_RUN = (
    "AWS could not run a step, again and again. Look into the function's log and at AWS's health "
    "page, then release again."
)
_QUOTED = (
    "Lines that begin with > are what somebody else or a script wrote; their links are broken up."
)
_LEFT_BEHIND = (
    "Do by hand what the sentence above says could not be done (a builder that still runs costs "
    "money), then release again. The group needs nobody."
)
_CORRECT = "Correct the document; until then its pushes are passed over."
_CORRECT_PASSED_OVER = (
    "Correct the document, then release again: what was passed over does not come by itself."
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

    ``revision`` is empty for a roll-back; ``asked`` is then why it was asked for. Revision,
    description and ``asked`` are what others wrote, as they wrote it.
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
    also: str = "",
    addresses: Sequence[str] = (),
) -> Notice:
    """The fleet runs what was wanted.

    Args:
        instances: How many the group has.
        image: The one before and the one that runs now.
        version: ``lt-… version 3`` before and now.
        baked: Whether the image was made for this rollout.
        took: From its beginning to its end.
        too_late: Who asked to stop it when it was already over.
        also: What else people should know of.
        addresses: A line for each Elastic IP of the fleet.
    """
    back = told.action == "roll-back"
    what = "was rolled back" if back else f"runs {label(told.revision) or 'a new release'}"
    lines = [
        f"Fleet {told.fleet} {'was rolled back' if back else 'runs a new release'}.",
        "",
        *_what(told),
        f"Group: {group}, {instances} instance{'' if instances == 1 else 's'} on the new version",
        f"Image: {image[1]} (before: {image[0]}), {_made(back, baked)}",
        f"Launch template: {version[1]} (before: {version[0]})",
        *_addresses(addresses),
        f"Took: {duration(took)}",
        f"Rollout: {told.rollout}",
        "",
        "What to do: nothing. To return to the version before, ask for a roll-back: "
        + json.dumps({"action": "roll-back", "fleet": told.fleet}),
    ]
    if too_late:
        lines += ["", f"{too_late} asked to stop it, but it was over by then; ask again."]
    if also:
        lines += ["", also]
    return Notice(subject(f"{told.fleet} {what}"), _text(lines))


def failed(
    told: Told,
    *,
    error: str,
    cause: str,
    undone: str,
    took: timedelta | None,
    group_is_well: bool = False,
    addresses: Sequence[str] = (),
) -> Notice:
    """The rollout failed.

    Args:
        error: The name of the failure.
        cause: As the state machine has it: Lambda's JSON, or a text.
        undone: What was done about it, and what the fleet runs now; one or two sentences.
        took: From its beginning until now, ``None`` where it never began.
        group_is_well: It is back, or was not touched; an ``UndoFailed`` is then about what else was
            left, and no reason to alarm anybody about what the fleet runs.
        addresses: A line for each Elastic IP of the fleet.
    """
    lines = [
        f"The rollout of fleet {told.fleet} failed: {error}.",
        "",
        *_what(told),
        *_why(cause),
        f"Now: {undone}",
        *_addresses(addresses),
        *([f"Took: {duration(took)}"] if took is not None else []),
        f"Rollout: {told.rollout}",
        "",
        f"What to do: {advice(error, cause, group_is_well=group_is_well)}",
    ]
    kind = "roll-back" if told.action == "roll-back" else label(told.revision) or "a release"
    return Notice(subject(f"{told.fleet}: {kind} failed ({error})"), _text(lines))


def cut_short(told: Told, *, cause: str, execution: str) -> Notice:
    """The execution of a rollout has died, and the rollout is being undone.

    Args:
        cause: How it died, in a sentence.
        execution: The name of the one that undoes it.
    """
    lines = [
        f"The execution of a rollout of fleet {told.fleet} did not come to its end.",
        "",
        *_what(told),
        *_why(cause),
        f"Now: it is undone by the execution {execution}; another notice says how that ends.",
        f"Rollout: {told.rollout}",
        "",
        "What to do: nothing yet.",
    ]
    kind = "roll-back" if told.action == "roll-back" else label(told.revision) or "a release"
    return Notice(subject(f"{told.fleet}: {kind} was cut short and is undone"), _text(lines))


def bad_document(fleet: str, parameter: str, mistakes: Sequence[str], push: str) -> Notice:
    """A fleet's document is wrong.

    Args:
        parameter: The name of the parameter that holds it.
        mistakes: One sentence each.
        push: What was passed over because of it, as others called it; empty for nothing yet.
    """
    what = "was passed over" if push else "will be passed over"
    shown = [f"- {each}" for each in mistakes[:_MOST_MISTAKES]]
    more = len(mistakes) - len(shown)
    lines = [
        f"The document of fleet {fleet} is wrong, so a push of it {what}.",
        "",
        *(["What was pushed, as far as the document can be read:", *block(push)] if push else []),
        f"Why: {len(mistakes)} mistake{'' if len(mistakes) == 1 else 's'} in {parameter}",
        *shown,
        *([f"- and {more} more"] if more else []),
        "",
        f"What to do: {_CORRECT_PASSED_OVER if push else _CORRECT}",
    ]
    return Notice(subject(f"{fleet}: its document is wrong, a push {what}"), _text(lines))


def unpublished_image(fleet: str, parameter: str, why: str) -> Notice:
    """AWS looked at the image that a fleet's parameter was given, and did not take it.

    Args:
        parameter: The name of the parameter.
        why: AWS's words.
    """
    lines = [
        f"The parameter {parameter} does not name the image that fleet {fleet} runs.",
        "",
        "Why AWS did not take it:",
        *block(why),
        "Now: the parameter holds what it held before. The fleet itself is not concerned; whatever "
        "else reads the parameter gets the image before.",
        "",
        "What to do: See whether the image that the fleet runs is still there (aws ec2 "
        "describe-images), and whether SettleRollout's role may see it. The next rollout or "
        "roll-back writes the parameter again.",
    ]
    return Notice(subject(f"{fleet}: its image parameter was not written"), _text(lines))


def refused_request(fleet: str, why: str, request: str) -> Notice:
    """The event Release Requested asked for what it may not have.

    Args:
        fleet: Empty where no fleet has the name that the event gives.
        why: A sentence of ours, in which names from the event stand.
        request: What was asked for, as the sender called it.
    """
    whom = f"fleet {fleet}" if fleet else "a fleet that does not exist"
    lines = [
        f"An event asked for a release of {whom}, and was refused.",
        "",
        "What:",
        *block(request),
        "Why:",
        *block(why),
        "Now: nothing was started.",
        "",
        "What to do: Correct what sends the event, or let the fleet's document allow it "
        "(release.events). If nobody of you sends it, see who may put events on the bus. Others of "
        "its kind within the hour are only in the log.",
    ]
    return Notice(subject(f"{fleet or 'an unknown fleet'}: a request was refused"), _text(lines))


def advice(error: str, cause: str = "", *, group_is_well: bool = False) -> str:
    """What a person should do about a failure: by what AWS said, else by its name."""
    if error == "UndoFailed" and group_is_well:
        return _LEFT_BEHIND
    kind = codes.kind_of_cause(reason(cause)) if error in _SAID_BY_AWS else None
    if kind is not None and (kind is not Kind.REASON_OF_ITS_OWN or error != "Denied"):
        return kind.value
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


def _what(told: Told) -> list[str]:
    if told.action == "roll-back":
        return ["What: a roll-back by hand", *block(told.asked)]
    if not told.revision:
        return ["What: release without a revision", *block(told.description)]
    if label(told.revision, len(told.revision)) == told.revision.replace("/", "-"):
        return [f"What: release {told.revision}", *block(told.description)]
    # It might be a link, or a sentence.
    return ["What: a release", *block(told.revision), *block(told.description)]


def _why(cause: str) -> list[str]:
    """The first line is a sentence of ours or of AWS; what follows is a script's output."""
    first, _, output = reason(cause).partition("\n")
    return [f"Why: {first}", *block(output)]


def _text(lines: Sequence[str]) -> str:
    """The text of a notice; how to read what others wrote is said last."""
    told = [*lines, "", _QUOTED] if any(line.startswith("> ") for line in lines) else lines
    return defanged("\n".join(told))


def _addresses(lines: Sequence[str]) -> list[str]:
    return [f"Address: {each}" for each in lines]


def _made(back: bool, baked: bool) -> str:
    if back:
        return "which the fleet ran before"
    return "baked for this release" if baked else "reused: the same content was baked before"
