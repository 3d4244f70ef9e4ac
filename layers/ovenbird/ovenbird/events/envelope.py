"""What all events share: the envelope of EventBridge, and how a missing field is refused."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ovenbird.errors import BadEvent


@dataclass(frozen=True)
class Ignored:
    """Not for us, or nothing to do: acknowledged, with the reason."""

    reason: str


def text(event: dict[str, Any], field: str) -> str:
    """The text at a path like ``detail.bucket.name``.

    Raises:
        BadEvent: It is missing, empty, or no text.
    """
    value = at(event, field)
    if not isinstance(value, str) or not value:
        raise BadEvent(f"{field} is {shown(value)}; it must be a text that is not empty.")
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


def at(event: dict[str, Any], field: str) -> Any:
    """The value at a path, ``None`` where the path ends too early."""
    value: Any = event
    for name in field.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(name)
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
            f"time is {shown(written)}; it must be a time like 2026-01-05T09:00:00Z."
        ) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).isoformat()


def shown(value: Any) -> str:
    """A value in a sentence, cut where it is long."""
    written = json.dumps(value, ensure_ascii=False, default=str)
    return written if len(written) <= 60 else written[:59] + "…"
