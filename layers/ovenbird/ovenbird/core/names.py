"""Many names in one sentence, and the name that somebody meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

MOST = 10
_COMPARED = 60  # characters; a name may be a megabyte long


def few(names: Sequence[str]) -> str:
    """The first ten, and how many more: ``i-1, i-2 and 7 more``.

    A group has up to ten thousand instances. All of their ids would burst the state machine's
    payload, which nothing catches. Source: Step Functions developer guide, "Quotas".
    """
    more = len(names) - MOST
    return ", ".join(names[:MOST]) + (f" and {more} more" if more > 0 else "")


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that somebody who wrote this one probably meant, or ``None``."""
    return next(iter(difflib.get_close_matches(name[:_COMPARED], list(known), n=1)), None)
