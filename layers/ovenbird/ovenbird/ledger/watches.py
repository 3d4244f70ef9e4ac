"""Watches: of all the runs that look after one group's addresses, only one goes on looking.

Every launch and termination begins such a run, and a group that replaces sick instances begins
many. Those that find a watch tell it that something has changed, and end. Item: ``watch#<group>``
{watcher, until, told}; ``until`` (epoch seconds) is compared in the condition, so that the watch of
a run that died passes on.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from ovenbird.errors import Unavailable
from ovenbird.ledger import table
from ovenbird.ledger.table import Written

LEASE = timedelta(minutes=2)  # a turn comes every 15 seconds; retries may hold one up


def join(group: str, watcher: str, now: datetime) -> int | None:
    """Take the watch or keep it; call it *before* looking at the group.

    Returns:
        How often the watch was told that something changed, for :func:`leave`; ``None`` where
        another run has the watch: it has been told now.

    IAM: dynamodb:UpdateItem
    """
    seconds = int(now.timestamp())
    for _ in range(3):
        taken = table.update(
            _pk(group),
            "SET #watcher = :watcher, #until = :until, #told = if_not_exists(#told, :none)",
            {
                "watcher": watcher,
                "until": seconds + int(LEASE.total_seconds()),
                "now": seconds,
                "none": 0,
            },
            condition="attribute_not_exists(#watcher) OR #watcher = :watcher OR #until < :now",
        )
        if isinstance(taken, Written):
            return int(taken.item["told"])
        told = table.update(
            _pk(group),
            "SET #told = #told + :one",
            {"one": 1},
            condition="attribute_exists(#watcher)",
        )
        if isinstance(told, Written):
            return None
    raise Unavailable(f"The watch over group {group} changes hands too quickly to be joined.")


def leave(group: str, watcher: str, told: int) -> bool:
    """Give the watch up, unless it was told of something since.

    Returns:
        ``False`` where it was told: look once more.

    IAM: dynamodb:UpdateItem
    """
    left = table.update(
        _pk(group),
        "REMOVE #watcher, #until",
        {"watcher": watcher, "told": told},
        condition="#watcher = :watcher AND #told = :told",
    )
    return isinstance(left, Written) or left.item.get("watcher") != watcher


def _pk(group: str) -> str:
    return f"watch#{group}"
