"""What all events share: the envelope of EventBridge, and how a missing field is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ovenbird.core.quotes import ODD, plain, quoted
from ovenbird.errors import BadEvent

# As long as the longest name in AWS, a key of S3. What is accepted travels through a state machine,
# whose payload of 256 KiB nothing may burst, because nothing catches that.
LONGEST = 1024

CLOCKS_DIFFER = timedelta(minutes=15)


@dataclass(frozen=True)
class Ignored:
    """Not for us, or nothing to do: acknowledged, with the reason."""

    reason: str


def text(event: dict[str, Any], field: str) -> str:
    """The text at a path like ``detail.bucket.name``.

    Raises:
        BadEvent: It is missing, empty, too long, or no text; or it has characters that have no
            place in a name: control characters, changes of the writing direction, halves.
    """
    value = at(event, field)
    if not isinstance(value, str) or not value:
        raise BadEvent(f"{field} is {quoted(value)}; it must be a text that is not empty.")
    if len(value) > LONGEST:
        raise BadEvent(f"{field} is {quoted(value)}; it must have at most {LONGEST} characters.")
    if odd := ODD.search(value):
        raise BadEvent(f"{field} is {quoted(value)}; it must be without U+{ord(odd[0]):04X}.")
    return value


def optional(event: dict[str, Any], field: str) -> str | None:
    """The same where the field may be missing, ``null`` or empty.

    Raises:
        BadEvent: It is there and no text.
    """
    value = at(event, field)
    if value is None or value == "":
        return None
    return text(event, field)


def sha256(event: dict[str, Any], field: str) -> str | None:
    """The SHA-256 sum at a path, in small letters, or ``None`` where there is none.

    Raises:
        BadEvent: It is there and no sum.
    """
    value = optional(event, field)
    if value is not None and not re.fullmatch(r"[0-9A-Fa-f]{64}", value):
        raise BadEvent(f"{field} is {quoted(value)}; it must be 64 hexadecimal digits.")
    return value.lower() if value else None


def identifier(event: dict[str, Any], field: str) -> str:
    """The id at a path: ``ami-…``, ``i-…``, a UUID; whoever waits for it reads it as a doorbell.

    Raises:
        BadEvent: It is no id.
    """
    value = text(event, field)
    if not re.fullmatch(r"[A-Za-z0-9-]{1,64}", value):
        raise BadEvent(f"{field} is {quoted(value)}; it must be an id of letters, digits and -.")
    return value


def prose(event: dict[str, Any], field: str, longest: int = 300) -> str:
    """What somebody wrote for people to read, cut and on one line; empty where there is nothing.

    Raises:
        BadEvent: It is there and no text.
    """
    value = at(event, field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadEvent(f"{field} is {quoted(value)}; it must be a text.")
    return plain(" ".join(value[: 2 * longest].split()), longest)


def at(event: dict[str, Any], field: str) -> Any:
    """The value at a path, ``None`` where the path ends too early.

    Raises:
        BadEvent: Something on the way is there and no object.
    """
    value: Any = event
    passed: list[str] = []
    for name in field.split("."):
        if value is None:
            return None
        if not isinstance(value, dict):
            raise BadEvent(f"{'.'.join(passed)} is {quoted(value)}; it must be an object.")
        value = value.get(name)
        passed.append(name)
    return value


def time(event: dict[str, Any]) -> str:
    """When it happened, ISO 8601 in UTC, so that such texts compare like times.

    Raises:
        BadEvent: ``time`` is missing or no time.
    """
    written = text(event, "time")
    try:
        moment = datetime.fromisoformat(written)
    except ValueError as error:
        raise BadEvent(
            f"time is {quoted(written)}; it must be a time like 2026-01-05T09:00:00Z."
        ) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).isoformat()
