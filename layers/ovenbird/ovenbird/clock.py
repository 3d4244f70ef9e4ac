"""The one place where the time of day is read; everywhere else time is an argument."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The present, with its zone (UTC)."""
    return datetime.now(UTC)
