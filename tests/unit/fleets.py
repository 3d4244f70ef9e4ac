"""Groups, members and refreshes in a few words, for the tests of decisions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ovenbird.core.groups import Group, Member, TemplateVersion
from ovenbird.core.refreshes import Refresh

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
BEGAN = NOON - timedelta(minutes=30)
TEMPLATE = "lt-web"


def version(number: int | str) -> TemplateVersion:
    return TemplateVersion(TEMPLATE, str(number))


def member(
    number: int, runs: int | str | None, lifecycle: str = "InService", *, protected: bool = False
) -> Member:
    template = None if runs is None else version(runs)
    return Member(f"i-{number}", lifecycle, True, template, protected)


def group(*runs: int | Member, saved: int | str = 3, desired: int | None = None) -> Group:
    """A group of instances on these versions (or of these members), saved on another."""
    members = tuple(
        each if isinstance(each, Member) else member(number, each)
        for number, each in enumerate(runs, start=1)
    )
    size = len(members) if desired is None else desired
    return Group("web", "arn:web", 0, 10, size, version(saved), members)


def refresh(
    status: str,
    *,
    to: int | str = 4,
    name: str = "r-1",
    percent: int = 0,
    remaining: int = 0,
    minutes_ago: float = 5,
    ended_minutes_ago: float | None = None,
    reason: str = "",
) -> Refresh:
    return Refresh(
        name,
        status,
        reason,
        percent,
        NOON - timedelta(minutes=minutes_ago),
        None if ended_minutes_ago is None else NOON - timedelta(minutes=ended_minutes_ago),
        version(to),
        remaining=remaining,
    )
