"""Many names in one sentence."""

from __future__ import annotations

from collections.abc import Sequence

MOST = 10


def few(names: Sequence[str]) -> str:
    """The first ten, and how many more: ``i-1, i-2 and 7 more``.

    A group has up to ten thousand instances. All of their ids would burst the state machine's
    payload, which nothing catches. Source: Step Functions developer guide, "Quotas".
    """
    more = len(names) - MOST
    return ", ".join(names[:MOST]) + (f" and {more} more" if more > 0 else "")
